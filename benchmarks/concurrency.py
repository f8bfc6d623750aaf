"""Many people at once: nobody spends points twice, waits, or loses points.

Real processes, each with its own registry, against PostgreSQL through the real ORM.
See README.md for what is proven. Ends with status 1 when a bound is broken.
"""

from common import Report, Workers, environment, open_registry, parser
from proofs.http import prove_http
from proofs.naive import prove_naive_fails
from proofs.posting import prove_posting
from proofs.redeeming import prove_redeeming
from proofs.synchronising import prove_synchronising
from workshop import Workshop


def main():
    options = parse_options()
    registry = open_registry(options.database)
    with environment(registry) as env:
        Workshop(env).open()
    report, workers = Report(), Workers(options.database, options.workers)
    proofs = {
        "naive": lambda: prove_naive_fails(report, registry, workers, options),
        "http": lambda: prove_http(report, registry, options),
        "posting": lambda: prove_posting(report, registry, workers, options),
        "sync": lambda: prove_synchronising(report, registry, workers, options),
        "redeem": lambda: prove_redeeming(report, registry, workers, options),
    }
    for name in options.only or proofs:
        proofs[name]()
    workers.stop()
    report.finish()


def parse_options():
    result = parser(__doc__.splitlines()[0])
    add = result.add_argument
    add("--workers", type=int, default=16, help="processes")
    add("--attempts", type=int, default=64, help="of each worker in a round")
    add("--rounds", type=int, default=100, help="of redeeming")
    add("--clients", type=int, default=16, help="browsers over HTTP")
    add("--http-rounds", type=int, default=20, help="over HTTP")
    add("--posts", type=int, default=20, help="invoices of each process")
    add("--calls", type=int, default=1000, help="of one synchronisation")
    add("--sync-rounds", type=int, default=10, help="invoices to synchronise")
    names = ("naive", "http", "posting", "sync", "redeem")
    add("--only", action="append", choices=names, help="this proof; may be repeated")
    return result.parse_args()


if __name__ == "__main__":
    main()
