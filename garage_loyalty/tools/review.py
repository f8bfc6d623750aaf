"""Rules for the review of a programme: which periods, and what is good enough.

Plain functions. Months are whole numbers, see ``tools.movement.month_number``.
"""

MONTHS = {"month": 1, "quarter": 3}
# How many periods are reviewed when none was before.
HISTORY = 12
# Nothing is concluded from fewer customers, or fewer who were asked.
LEAST, LEAST_ASKED = 30, 10

GOOD, POOR, UNKNOWN = "good", "poor", "unknown"


def due_periods(kind, last, began, done):
    """Return the first and last month of the periods to review, in order.

    Whole calendar months or quarters that are over, and in which the programme ran from
    the first day on: the last one, and up to eleven before it.

    :param last: the last month that is complete
    :param began: month in which the first member joined
    :param done: first months of the periods that were reviewed

    >>> due_periods("month", 24300, 24297, {24299})
    [(24298, 24298), (24300, 24300)]
    >>> due_periods("quarter", 24301, 24290, set())
    [(24291, 24293), (24294, 24296), (24297, 24299)]
    >>> due_periods("month", 24300, 24300, set())
    []
    """
    length = MONTHS[kind]
    end = (last + 1) // length
    start = max(-(-(began + 1) // length), end - HISTORY)
    periods = [(n * length, n * length + length - 1) for n in range(start, end)]
    return [period for period in periods if period[0] not in done]


def judge(value, goal, enough=True):
    """Tell whether a figure reaches its goal.

    :param value: None where there is no figure
    :param enough: whether it is one of enough customers to say something

    >>> judge(2.0, 2.0), judge(1.9, 2.0), judge(None, 2.0), judge(9.9, 2.0, False)
    ('good', 'poor', 'unknown', 'unknown')
    """
    if value is None or not enough:
        return UNKNOWN
    return GOOD if value >= goal else POOR


def judge_aro(lead, enough, verdict):
    """Tell whether members' invoices are higher because they are members.

    The honest estimate decides. Where it cannot tell, a lead of members proves nothing:
    it also says who joins. That they are behind others is a bad sign all the same.

    :param lead: how much higher members' ARO is, None where there is none
    :param verdict: of the estimate: ``more``, ``less``, ``open``, ``few`` or nothing

    >>> judge_aro(12.0, True, "more"), judge_aro(12.0, True, "open")
    ('good', 'unknown')
    >>> judge_aro(-3.0, True, "few"), judge_aro(-3.0, False, "few")
    ('poor', 'unknown')
    >>> judge_aro(12.0, True, "less")
    'poor'
    """
    if verdict in ("more", "less"):
        return GOOD if verdict == "more" else POOR
    return POOR if enough and lead is not None and lead < 0 else UNKNOWN


def judge_enrolment(conversion, conversion_goal, asking, asking_goal, asked):
    """Tell whether customers are asked to join, and whether they want to.

    Nobody says much by not joining who was not asked.

    >>> judge_enrolment(40.0, 30, 90.0, 80, asked=50)
    'good'
    >>> judge_enrolment(40.0, 30, 20.0, 80, asked=50)
    'poor'
    >>> judge_enrolment(100.0, 30, 90.0, 80, asked=9)
    'unknown'
    """
    if asking is None or judge(asking, asking_goal) == POOR:
        return judge(asking, asking_goal)
    return judge(conversion, conversion_goal, asked >= LEAST_ASKED)


def judge_result(verdict):
    """Tell whether the programme pays, by the verdict of ``tools.result``.

    >>> judge_result("pays"), judge_result("loses"), judge_result("open")
    ('good', 'poor', 'unknown')
    """
    return {"pays": GOOD, "loses": POOR}.get(verdict, UNKNOWN)


def overall(states):
    """Return what is said of all figures together.

    >>> overall(["good", "unknown"]), overall(["good", "poor"]), overall(["unknown"])
    ('good', 'poor', 'unknown')
    """
    states = set(states)
    return next((state for state in (POOR, GOOD) if state in states), UNKNOWN)
