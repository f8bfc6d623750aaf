# shellcheck shell=bash
# What every part uses: steps with their times, logs, failures, the lock.

ROOT=$PWD
DEV=$ROOT/.dev
LOGS=$DEV/log
ADDON=garage_loyalty
# The add-on with its bridges to other apps, which install themselves beside these.
mapfile -t ADDONS < <(dirname -- */__manifest__.py)
ADDON_LIST=$(
    IFS=,
    printf '%s' "${ADDONS[*]}"
)

say() { printf '%s\n' "$*"; }

# fail MESSAGE…: say why, and stop.
fail() {
    printf '\n✗ %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
hash_of() { sha256sum | cut -c1-12; }

# step TEXT LOG COMMAND…: run COMMAND quietly, its output in .dev/log/LOG.log, and say how long it took.
# (Not to be called in a condition: bash would then ignore errors inside COMMAND.)
step() {
    local text=$1 log=$LOGS/$2.log started=$SECONDS status
    shift 2
    mkdir -p "$LOGS"
    printf '→ %s … ' "$text"
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if [ $status -ne 0 ]; then
        printf 'failed after %d s\n' $((SECONDS - started))
        step_failed "$log"
    fi
    printf '%d s\n' $((SECONDS - started))
}

step_failed() {
    printf '\n' >&2
    tail -n 25 "$1" | sed 's/^/  │ /' >&2
    fail "That did not work. The lines above are the end of ${1#"$ROOT"/}." "$(advice "$(basename "$1" .log)")"
}

advice() {
    case $1 in
    system-*) say "Is the network there? Does \"apt-get update\" work? Or install the packages by hand and run this again." ;;
    python | node) say "Is the network there? Run the same command again: it takes up where it stopped." ;;
    odoo) say "Run the same command again, or set ODOO_HOME to a checkout or an installation of Odoo 19.0." ;;
    postgres) say "\"./dev clean\" starts over; or set PGHOST, PGPORT and PGUSER to a PostgreSQL server of your own." ;;
    template*) say "Run the same command again; \"./dev clean\" starts over from nothing." ;;
    install | update | uninstall | demo-* | new-db | bench-install) say "This is the add-on itself: mend it and run ./dev test again." ;;
    *) say "Run the same command again; \"./dev clean\" starts over from nothing." ;;
    esac
}

# One setup at a time: the second waits for the first and then finds everything made.
lock() {
    have flock || fail "flock is not on this machine: ./dev is for Linux." "Elsewhere use containers: docker compose up"
    mkdir -p "$LOGS"
    exec 9>>"$DEV/lock"
    if ! flock -n 9; then
        say "→ waiting for another ./dev that is setting things up"
        flock 9
    fi
}
unlock() { exec 9>&-; }
