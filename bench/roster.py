"""The contenders, their configurations, and the measures of each."""

import importlib.metadata

from bench.environments import OURS, version_of
from bench.programs import Contender

LOST, AGAIN = "lost: taken out before it ran", "runs again"

CONTENDERS = (
    # name, where it keeps its jobs, module, environment, jobs of a drain, how it is configured,
    # what becomes of a job whose worker is killed, where its result is
    Contender("rotulus", "sqlite", "sqlite_rotulus", OURS, 20_000, "as it comes", f"{AGAIN} after a second", "in its row"),
    Contender("rotulus, threads", "sqlite", "sqlite_rotulus_threads", OURS, 20_000),
    Contender("huey", "sqlite", "sqlite_huey", "huey", 20_000, "1 thread", LOST, "until it is read"),
    Contender("rotulus", "postgres", "postgres_rotulus", OURS, 20_000, "as it comes", f"{AGAIN} after 30 s, at once under a supervisor", "in its row"),
    Contender("rotulus, threads", "postgres", "postgres_rotulus_threads", OURS, 20_000),
    Contender("raw SQL", "postgres", "postgres_limit", OURS, 20_000, "psycopg, 500 jobs a statement, 1 connection", "stays as running", "in its row"),
    Contender("PgQueuer", "postgres", "postgres_pgqueuer", "pgqueuer", 20_000, "asyncpg, uvloop, batches of 1,000", f"{AGAIN} after 30 s", "none"),
    Contender("Oban", "postgres", "postgres_oban", "oban", 10_000, "uvloop, 50 at once", f"{AGAIN} after 5 minutes", "none"),
    Contender("DBOS", "postgres", "postgres_dbos", "dbos", 3_000, "100 at once, asks each 0.1 s", f"{AGAIN} when its process is back", "in its row"),
    Contender("SAQ", "postgres", "postgres_saq", "saq", 2_000, "100 at once", "aborted after a minute, unless it has retries", "for ten minutes"),
    Contender("procrastinate", "postgres", "postgres_procrastinate", "procrastinate", 1_500, "20 at once", "stays as doing, until your code retries it", "none"),
    Contender("django-tasks-db", "postgres", "django_peer", "django-tasks", 500, "1 process, sleeps 0.01 s", "stays as running", "in its row"),
    Contender("huey", "redis", "redis_huey", "huey", 8_000, "2 threads", LOST, "until it is read"),
    Contender("Dramatiq", "redis", "redis_dramatiq", "dramatiq", 8_000, "1 process, 32 threads", f"{AGAIN} after a minute", "none"),
    Contender("Taskiq", "redis", "redis_taskiq", "taskiq", 6_000, "streams, 1 process, 100 at once", f"{AGAIN} after 10 minutes", "none"),
    Contender("Celery", "redis", "redis_celery", "celery", 3_000, "2 processes, 128 jobs ahead each", "lost: acknowledged before it ran", "none"),
    Contender("rotulus, workflows", "sqlite", "sqlite_rotulus_flows", OURS, settings="its runner, as it comes"),
    Contender("rotulus, workflows", "postgres", "postgres_rotulus_flows", OURS, settings="its runner, as it comes"),
    Contender("DBOS, workflows", "postgres", "postgres_dbos_flows", "dbos", settings="coroutines; steps at once are gathered"),
    Contender("Celery, workflows", "redis", "redis_celery_flows", "celery", settings="2 processes, 128 jobs ahead each, results in Redis", by_worker=True),
    Contender("rotulus, at scale", "sqlite", "at_scale", OURS),
    Contender("rotulus, at scale", "postgres", "at_scale", OURS),
    Contender("rotulus, with history", "sqlite", "history", OURS),
    Contender("rotulus, with history", "postgres", "history", OURS),
    Contender("rotulus, watched", "postgres", "watched", OURS),
    Contender("rotulus, drawn", "sqlite", "drawn", OURS),
    Contender("rotulus, served", "sqlite", "sqlite_rotulus_service", OURS),
    Contender("rotulus by a dependency, served", "sqlite", "sqlite_rotulus_router", OURS),
    Contender("FastAPI by hand, served", "sqlite", "sqlite_by_hand", OURS),
    Contender("rotulus, in Django", "sqlite", "django_ours", OURS, 20_000),
    Contender("django-tasks-db, in Django", "sqlite", "django_peer", "django-tasks", 1_000),
    Contender("rotulus, in Django", "postgres", "django_ours", OURS, 20_000),
    Contender("django-tasks-db, in Django", "postgres", "django_peer", "django-tasks", 500),
    Contender("rotulus on SQLite, published", "pubsub", "pubsub_rotulus", OURS, store="sqlite"),
    Contender("rotulus on PostgreSQL, published", "pubsub", "pubsub_rotulus", OURS, store="postgres"),
    Contender("google-cloud-pubsub, published", "pubsub", "pubsub_client", OURS),
    Contender("rotulus on SQLite, pushed", "pubsub", "django_pushed", OURS, store="sqlite"),
    Contender("an empty view beside SQLite, pushed", "pubsub", "django_empty", OURS, store="sqlite"),
    Contender("two commits on SQLite, pushed", "pubsub", "django_twice", OURS, store="sqlite"),
    Contender("rotulus on PostgreSQL, pushed", "pubsub", "django_pushed", OURS, store="postgres"),
    Contender("an empty view beside PostgreSQL, pushed", "pubsub", "django_empty", OURS, store="postgres"),
    Contender("two commits on PostgreSQL, pushed", "pubsub", "django_twice", OURS, store="postgres"),
    Contender("rotulus, verified", "sqlite", "tokens_ours", OURS),
    Contender("PyJWT, verified", "sqlite", "tokens_pyjwt", OURS),
)  # fmt: skip

PLAIN = [contender for contender in CONTENDERS if "," not in contender.name]
FLOWS = [contender for contender in CONTENDERS if contender.name.endswith(", workflows")]
SERVED = [contender for contender in CONTENDERS if contender.name.endswith(", served")]
IN_DJANGO = [contender for contender in CONTENDERS if contender.name.endswith(", in Django")]
PUSHED = [contender for contender in CONTENDERS if contender.name.endswith(", pushed")]
VERIFIED = [contender for contender in CONTENDERS if contender.name.endswith(", verified")]
PUBLISHED = [contender for contender in CONTENDERS if contender.name.endswith(", published")]
HERE, THERE, LIMIT = "rotulus on sqlite", "rotulus on postgres", "raw SQL on postgres"
HUEY, PGQUEUER, OBAN = "huey on sqlite", "PgQueuer on postgres", "Oban on postgres"
PROCRASTINATE, CELERY = "procrastinate on postgres", "Celery on redis"

PLAN = {
    "enqueue_one": [str(contender) for contender in PLAIN],
    "enqueue_callers": [THERE],
    "enqueue_many": [HERE, HUEY, THERE, LIMIT, PGQUEUER, OBAN, PROCRASTINATE],
    "drain": [str(one) for one in CONTENDERS if one.jobs and one not in IN_DJANGO],
    "drain_two": [THERE, PGQUEUER],
    "drain_past": [HERE, THERE],
    "drain_future": [THERE],
    "drain_held": [THERE],
    "pickup": [HERE, HUEY, THERE, OBAN, PGQUEUER, PROCRASTINATE],
    "first_job": [HERE, HUEY, THERE, PROCRASTINATE],
    "memory": [HERE, HUEY],
    "idle": [THERE, PROCRASTINATE],
    "chain": [str(contender) for contender in FLOWS],
    "chains": [str(contender) for contender in FLOWS],
    "fan": [str(contender) for contender in FLOWS],
    "fan_100": [str(contender) for contender in FLOWS],
    "at_scale": ["rotulus, at scale on sqlite", "rotulus, at scale on postgres"],
    "history": ["rotulus, with history on sqlite", "rotulus, with history on postgres"],
    "draw": ["rotulus, drawn on sqlite"],
    "scroll": ["rotulus, with history on sqlite"],
    "watch": ["rotulus, watched on postgres"],
    "execute": [str(contender) for contender in SERVED],
    "enqueue_http": ["rotulus, served on sqlite", "FastAPI by hand, served on sqlite"],
    "django_one": [str(contender) for contender in IN_DJANGO],
    "django_block": [str(contender) for contender in IN_DJANGO],
    "django_drain": [*map(str, IN_DJANGO), CELERY],
    "push": [str(contender) for contender in PUSHED],
    "verify": [str(contender) for contender in VERIFIED],
    "publish": [str(contender) for contender in PUBLISHED],
}
"""Which contenders each measure is taken of; those that are compared stand beside each other."""

ONCE = {"history", "scroll"}
"""Measures of which one sample is taken, whatever the number of rounds: filling takes minutes."""


BESIDE = (
    "fastapi",
    "starlette",
    "uvicorn",
    "pydantic",
    "django",
    "gunicorn",
    "google-cloud-pubsub",
    "pyjwt",
)
"""The contenders that serve and publish: ours, and by hand."""


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
    """The contenders and their measures."""
    ours = {name: importlib.metadata.version(name) for name in (OURS, "psycopg", *BESIDE)}
    return ours | {name: version_of(name) for name in peers()}
