"""Who is measured, how each is configured, and what is measured of whom."""

from bench.environments import OURS, version_of
from bench.programs import Contender

NEVER, AGAIN = "lost: it was taken out before it ran", "runs again"

CONTENDERS = (
    Contender(
        "rotulus", "sqlite", "sqlite_rotulus", OURS, 20_000,
        "as it comes", f"{AGAIN} after about a second", "in its row",
    ),
    Contender("rotulus, threads", "sqlite", "sqlite_rotulus_threads", OURS, 20_000),
    Contender("huey", "sqlite", "sqlite_huey", "huey", 20_000, "1 thread", NEVER, "until it is read"),
    Contender(
        "rotulus", "postgres", "postgres_rotulus", OURS, 40_000,
        "as it comes", f"{AGAIN} after about a second", "in its row",
    ),
    Contender("rotulus, threads", "postgres", "postgres_rotulus_threads", OURS, 40_000),
    Contender(
        "raw SQL", "postgres", "postgres_limit", OURS, 40_000,
        "claims 500, settles 500, on one connection", "nothing is looked after", "in its row",
    ),
    Contender(
        "PgQueuer", "postgres", "postgres_pgqueuer", "pgqueuer", 40_000,
        "batches of 1,000, asyncpg, uvloop", f"{AGAIN} after 30 s", "none",
    ),
    Contender(
        "Oban", "postgres", "postgres_oban", "oban", 10_000,
        "limit 50, uvloop", f"{AGAIN} after minutes", "none",
    ),
    Contender(
        "DBOS", "postgres", "postgres_dbos", "dbos", 3_000,
        "polls each 0.1 s, 100 at once", f"{AGAIN} when its process is back", "in its row",
    ),
    Contender(
        "SAQ", "postgres", "postgres_saq", "saq", 2_000,
        "concurrency 100", f"{AGAIN} when it is swept", "for ten minutes",
    ),
    Contender(
        "procrastinate", "postgres", "postgres_procrastinate", "procrastinate", 1_500,
        "concurrency 20", "stays until somebody retries stalled jobs", "none",
    ),
    Contender(
        "django-tasks-db", "postgres", "postgres_django_tasks", "django-tasks", 500,
        "interval 0.01", "stays as running for good", "in its row",
    ),
    Contender("huey", "redis", "redis_huey", "huey", 8_000, "2 threads", NEVER, "until it is read"),
    Contender(
        "Dramatiq", "redis", "redis_dramatiq", "dramatiq", 8_000,
        "1 process, 32 threads", f"{AGAIN}", "none",
    ),
    Contender(
        "Taskiq", "redis", "redis_taskiq", "taskiq", 6_000,
        "streams, 1 process, 100 at once", f"{AGAIN}", "none",
    ),
    Contender(
        "Celery", "redis", "redis_celery", "celery", 3_000,
        "2 processes, 128 prefetched each", "lost: it was acknowledged before it ran", "none",
    ),
)  # fmt: skip

PLAIN = [contender for contender in CONTENDERS if "threads" not in contender.name]
HERE, THERE, LIMIT = "rotulus on sqlite", "rotulus on postgres", "raw SQL on postgres"
HUEY, PGQUEUER, OBAN = "huey on sqlite", "PgQueuer on postgres", "Oban on postgres"
PROCRASTINATE = "procrastinate on postgres"

PLAN = {
    "enqueue_one": [str(contender) for contender in PLAIN],
    "enqueue_callers": [THERE],
    "enqueue_many": [HERE, HUEY, THERE, LIMIT, PGQUEUER, OBAN, PROCRASTINATE],
    "drain": [str(contender) for contender in CONTENDERS],
    "drain_two": [THERE, PGQUEUER],
    "drain_past": [HERE, THERE],
    "drain_future": [THERE],
    "drain_held": [THERE],
    "pickup": [HERE, HUEY, THERE, OBAN, PGQUEUER, PROCRASTINATE],
    "first_job": [HERE, HUEY, THERE, PROCRASTINATE],
    "memory": [HERE, HUEY],
    "idle": [THERE, PROCRASTINATE],
}
"""Which contenders each measure is taken of; those that are compared stand beside each other."""


def chosen(places, peers):
    """The contenders of some places: ours, and some peers by their environments; None: all."""
    return [
        contender
        for contender in CONTENDERS
        if contender.place in places
        and (contender.environment == OURS or peers is None or contender.environment in peers)
    ]


def peers():
    """The names of the environments beside ours."""
    return sorted({contender.environment for contender in CONTENDERS} - {OURS})


def versions():
    """What was measured of each peer."""
    return {name: version_of(name) for name in peers()}
