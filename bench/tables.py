"""The tables of the report, in Markdown; each leaves out what was not measured."""

from typing import NamedTuple

from bench import roster
from bench.places import PLACES
from bench.roster import HERE, HUEY, LIMIT, OBAN, PGQUEUER, PROCRASTINATE, THERE

WHOLE, FINE, FINEST = "{:,.0f}", "{:,.1f}", "{:,.2f}"


class Row(NamedTuple):
    """A figure of ours beside another.

    Attributes:
        title: what was measured.
        key: the measure and the contender, as in the samples.
        beside: the one it is compared with.
        form: how a figure is written.
        what: what the other one is, where the heading does not say it.
    """

    title: str
    key: str
    beside: str
    form: str = WHOLE
    what: str = ""


BY_HAND = "execute FastAPI by hand, served on sqlite"

MAIN = [
    Row("drain on PostgreSQL, jobs a second", f"drain {THERE}", f"drain {PGQUEUER}", what="PgQueuer"),
    Row("the same", f"drain {THERE}", f"drain {OBAN}", what="Oban"),
    Row("the same", f"drain {THERE}", f"drain {PROCRASTINATE}", what="procrastinate"),
    Row("the same", f"drain {THERE}", "drain Celery on redis", what="Celery on Redis"),
    Row("drain on SQLite", f"drain {HERE}", f"drain {HUEY}", what="huey on SQLite"),
    Row("enqueue 10,000 on PostgreSQL, a second", f"enqueue_many {THERE}", f"enqueue_many {PGQUEUER}", what="PgQueuer"),
    Row("enqueue one by one on PostgreSQL, a second", f"enqueue_one {THERE}", f"enqueue_one {LIMIT}", what="one raw `INSERT` each"),
    Row("pick-up on PostgreSQL, p50, ms", f"pickup {THERE} p50", f"pickup {OBAN} p50", FINE, "Oban"),
]  # fmt: skip

SQLITE = [
    Row("enqueue, one by one, a second", f"enqueue_one {HERE}", f"enqueue_one {HUEY}"),
    Row("enqueue in batches, a second", f"enqueue_many {HERE}", f"enqueue_many {HUEY}"),
    Row("drain 20,000 coroutines, a second", f"drain {HERE}", f"drain {HUEY}"),
    Row("drain 20,000 functions, a second", "drain rotulus, threads on sqlite", f"drain {HUEY}"),
    Row("drain beside 1,000,000 ended jobs (here: beside none)", f"drain_past {HERE}", f"drain {HERE}"),
    Row("worker's start to its first job, ms", f"first_job {HERE}", f"first_job {HUEY}"),
    Row("memory of a worker, MB", f"memory {HERE}", f"memory {HUEY}"),
    Row("`import rotulus`, ms (here: `import click, pydantic`)", "import rotulus", "import click, pydantic"),
]  # fmt: skip

STEADY = [
    Row("drain", f"drain {THERE}", f"drain {LIMIT}", what="raw SQL, 500 at a time"),
    Row("drain plain functions, in threads", "drain rotulus, threads on postgres", f"drain {THERE}", what="coroutines"),
    Row("drain, two workers", f"drain_two {THERE}", f"drain_two {PGQUEUER}", what="PgQueuer, two workers"),
    Row("drain beside 1,000,000 ended jobs", f"drain_past {THERE}", f"drain {THERE}", what="beside none"),
    Row("drain beside 1,000,000 jobs due in a month", f"drain_future {THERE}", f"drain {THERE}", what="beside none"),
    Row("drain while a snapshot is held, the fifth in a row", f"drain_held {THERE}", f"drain {THERE}", what="while none is"),
    Row("enqueue, one by one", f"enqueue_one {THERE}", f"enqueue_one {LIMIT}", what="one raw `INSERT` each"),
    Row("enqueue, 100 callers at once", f"enqueue_callers {THERE}", f"enqueue_one {THERE}", what="one caller"),
    Row("enqueue 10,000", f"enqueue_many {THERE}", f"enqueue_many {PGQUEUER}", what="PgQueuer"),
]  # fmt: skip

SERVICE = [
    Row("`$execute` of `ServiceBuilder().with_tasks()`", "execute rotulus, served on sqlite", BY_HAND, what="a route of FastAPI, by hand"),
    Row("`$execute` with an `executor_factory`", "execute rotulus by a dependency, served on sqlite", BY_HAND, what="the same"),
    Row("`$enqueue` on SQLite, 100 connections", "enqueue_http rotulus, served on sqlite served", "enqueue_http FastAPI by hand, served on sqlite served", what="a route of FastAPI that awaits `aenqueue`"),
    Row("`$enqueue` on SQLite, 100 connections", "enqueue_http rotulus, served on sqlite served", "enqueue_http rotulus, served on sqlite coroutines", what="`aenqueue`, 100 coroutines of one process"),
]  # fmt: skip

DJANGO = [
    Row("enqueue on SQLite, one by one", "django_one rotulus, in Django on sqlite", "django_one django-tasks-db, in Django on sqlite", what="django-tasks-db"),
    Row("enqueue on SQLite, in one `atomic` block", "django_block rotulus, in Django on sqlite", "django_block django-tasks-db, in Django on sqlite", what="the same"),
    Row("enqueue on PostgreSQL, one by one", "django_one rotulus, in Django on postgres", "django_one django-tasks-db, in Django on postgres", what="the same"),
    Row("enqueue on PostgreSQL, in one `atomic` block", "django_block rotulus, in Django on postgres", "django_block django-tasks-db, in Django on postgres", what="the same"),
    Row("drain on SQLite", "django_drain rotulus, in Django on sqlite", "django_drain django-tasks-db, in Django on sqlite", what="its `db_worker`"),
    Row("drain on PostgreSQL", "django_drain rotulus, in Django on postgres", "django_drain django-tasks-db, in Django on postgres", what="the same"),
    Row("drain on PostgreSQL", "django_drain rotulus, in Django on postgres", f"django_drain {roster.CELERY}", what="Celery on Redis"),
]  # fmt: skip

PUSHED = [
    Row("a push handled, on SQLite", "push rotulus on SQLite, pushed on pubsub", "push an empty view beside SQLite, pushed on pubsub", FINEST, "a view that does nothing"),
    Row("the same", "push rotulus on SQLite, pushed on pubsub", "push two commits on SQLite, pushed on pubsub", FINEST, "a view that changes a row twice, in two transactions"),
    Row("a push handled, on PostgreSQL", "push rotulus on PostgreSQL, pushed on pubsub", "push an empty view beside PostgreSQL, pushed on pubsub", FINEST, "a view that does nothing"),
    Row("the same", "push rotulus on PostgreSQL, pushed on pubsub", "push two commits on PostgreSQL, pushed on pubsub", FINEST, "a view that changes a row twice, in two transactions"),
    Row("a token checked whose key is known", "verify rotulus, verified on sqlite", "verify PyJWT, verified on sqlite", FINEST, "PyJWT's `decode`, given the key"),
]  # fmt: skip

PUBLISHED = [
    Row("1,000 jobs stored on SQLite, and published", "publish rotulus on SQLite, published on pubsub", "publish google-cloud-pubsub, published on pubsub", what="1,000 messages by Google's client"),
    Row("1,000 jobs stored on PostgreSQL, and published", "publish rotulus on PostgreSQL, published on pubsub", "publish google-cloud-pubsub, published on pubsub", what="the same"),
]  # fmt: skip

IDLE = [
    Row("CPU of an idle worker, %", f"idle {THERE} CPU", f"idle {PROCRASTINATE} CPU", FINEST),
    Row("transactions a second of it", f"idle {THERE} transactions", f"idle {PROCRASTINATE} transactions", FINEST),
    Row("its memory, MB", f"idle {THERE} memory", f"idle {PROCRASTINATE} memory"),
    Row("worker's start to its first job, ms", f"first_job {THERE}", f"first_job {PROCRASTINATE}"),
]  # fmt: skip


def tables(samples):
    """Every table by its name in the pages; those without a figure are empty."""
    return {
        "main": _compared(samples, MAIN, ["", "rotulus", "beside", "", "times"]),
        "sqlite": _compared(samples, SQLITE, ["", "rotulus", "huey", "times"]),
        "peers": _peers(samples),
        "steady": _compared(samples, STEADY, ["a second", "rotulus", "beside", "", "times"]),
        "pickup": _pickup(samples),
        "idle": _compared(samples, IDLE, ["", "rotulus", "procrastinate", "times"]),
        "service": _compared(samples, SERVICE, ["a second", "rotulus", "beside", "", "times"]),
        "django": _compared(samples, DJANGO, ["a second", "rotulus", "beside", "", "times"]),
        "pushed": _compared(samples, PUSHED, ["ms", "rotulus", "beside", "", "times"]),
        "pubsub": _compared(samples, PUBLISHED, ["a second", "rotulus", "beside", "", "times"]),
        "scale": _scale(samples),
        "history": _history(samples),
        "watched": _watched(samples),
        "drawn": _drawn(samples),
        "scrolled": _scrolled(samples),
        "workflows": _workflows(samples),
        "settings": _settings(samples),
        "servers": _servers(samples),
    }


def two_digits(ratio):
    """A ratio with two significant digits, and no more: 0.026, 0.50, 7.9, 130."""
    rounded = float(f"{ratio:.2g}")
    if rounded >= 10:
        return f"{rounded:,.0f}"
    return f"{rounded:#.2g}"


def _compared(samples, rows, headings):
    """Ours, the other, its name where there is a column for it, and the ratio."""
    lines = []
    for row in rows:
        ours, theirs = samples.median(row.key), samples.median(row.beside)
        if ours is None or theirs is None:
            continue
        named = [row.what] if len(headings) > 4 else []
        ratio = samples.ratio(row.key, row.beside)
        figures = [row.form.format(ours), *named, row.form.format(theirs)]
        lines.append([row.title, *figures, "" if ratio is None else two_digits(ratio)])
    return _table(headings, lines)


def _peers(samples):
    """Everybody beside ours on PostgreSQL: ours above, then the fastest first."""
    found = [one for one in roster.PLAIN if samples.median(f"drain {one}")]
    found = [one for one in found if one.place != "sqlite"]
    found.sort(key=lambda one: (str(one) != THERE, -samples.median(f"drain {one}")))
    lines = []
    for contender in found:
        cells = [f"{contender.name} on {contender.home.title}"]
        for measure in ("drain", "enqueue_one", "enqueue_many"):
            cells += _figure_and_times(samples, measure, contender, THERE, WHOLE)
        lines.append([*cells, contender.crash, contender.result])
    headings = ["", "drain", "times", "one by one", "times", "batches", "times"]
    return _table([*headings, "job of a worker that is killed", "result"], lines, texts=2)


def _figure_and_times(samples, measure, contender, ours, form):
    figure = samples.median(f"{measure} {contender}")
    if figure is None:
        return ["", ""]
    ratio = samples.ratio(f"{measure} {ours}", f"{measure} {contender}")
    same = str(contender) == ours or ratio is None
    return [form.format(figure), "" if same else two_digits(ratio)]


def _pickup(samples):
    lines = []
    for name in roster.PLAN["pickup"]:
        parts = [samples.median(f"pickup {name} {part}") for part in ("p50", "p95", "p99")]
        if None in parts:
            continue
        ratios = [
            samples.ratio(f"pickup {THERE} {p}", f"pickup {name} {p}") for p in ("p50", "p99")
        ]
        times = ["" if name == THERE or one is None else two_digits(one) for one in ratios]
        who, _, place = name.partition(" on ")
        title = f"{who} on {PLACES[place].title}"
        lines.append([title, *map(FINEST.format, parts), *times])
    return _table(["ms", "p50", "p95", "p99", "times, p50", "times, p99"], lines)


def _workflows(samples):
    """Milliseconds a step, and how ours on PostgreSQL compares."""
    ours = "rotulus, workflows on postgres"
    lines = []
    for one in roster.FLOWS:
        if not any(samples.median(f"{measure} {one}") for measure in FLOWN):
            continue
        cells = [f"{one.name.partition(',')[0]} on {one.home.title}"]
        for measure in FLOWN:
            cells += _figure_and_times(samples, measure, one, ours, FINEST)
        lines.append([*cells, one.settings])
    times = [cell for title in FLOWN.values() for cell in (title, "times")]
    return _table(["ms a step", *times, "configured"], lines, texts=1)


def _scale(samples):
    """What each scene takes on both stores, and how that compares with a claim where all is plain."""
    lines = []
    for scene, title in SCALED.items():
        cells = [title]
        for place in ("sqlite", "postgres"):
            key = f"at_scale rotulus, at scale on {place}"
            ms, plain = samples.median(f"{key} {scene}"), f"{key} plain p50"
            ratio = samples.ratio(f"{key} {scene}", plain) if scene.endswith("p50") else None
            cells.append("" if ms is None else FINE.format(ms))
            cells.append("" if ratio is None else two_digits(ratio))
        lines.append(cells)
    lines = [line for line in lines if any(line[1:])]
    return _table(["ms", "SQLite", "times plain", "PostgreSQL", "times plain"], lines)


SCALED = {
    "plain p50": "a claim of 100 from one queue of 200,000 jobs",
    "queues p50": "the same from 1,000 queues",
    "limit_keys p50": "the same of 10,000 limit keys",
    "beside_limited p50": "the same while 1,000 jobs with a limit wait in another queue",
    "foreign p50": "the same behind a million jobs of another app",
    "used_up p50": "a claim that finds nothing, beside 50,000 keys that are used up",
    "prune longest": "the longest step of a prune of 1,000 runs of 500 parts",
    "wide retry": "2,500 failed branches of a run of 10,000 sent back",
    "wide cancel": "the same cancelled",
}
"""The figures of scenes, and what they are called."""


def _history(samples):
    """What pages and overviews take beside very many ended jobs."""
    lines = []
    for part, title in SEARCHED.items():
        found = [
            samples.median(f"history rotulus, with history on {place} {part}")
            for place in ("sqlite", "postgres")
        ]
        if any(found):
            lines.append([title, *("" if ms is None else FINE.format(ms) for ms in found)])
    headings = ["ms, p95", "SQLite, 1,000,000 jobs", "PostgreSQL, 10,000,000 jobs"]
    return _table(headings, lines)


SEARCHED = {
    "page_state": "a page of 50 of the jobs that succeeded",
    "page_failed": "of those that failed",
    "page_task": "of one of fifty tasks",
    "page_rare_task": "of a task with one job in 20,000",
    "page_no_such_task": "of a task without a job",
    "page_queue": "of a queue",
    "page_label": "with a label",
    "page_failure_group": "of a failure group",
    "page_worker": "of a worker",
    "page_error": "with words in their error",
    "page_argument": "with a value in their arguments",
    "page_time": "of a task, of the last half day",
    "page": "the slowest of these and six other filters",
    "overview": "an overview: totals, ages, and a series of 24 hours",
    "served newest": "over HTTP, a page of 50 of all jobs",
    "served state": "over HTTP, of those that failed",
    "served task": "over HTTP, of one of fifty tasks",
    "served queue": "over HTTP, of a queue",
    "served label": "over HTTP, with a label",
    "served count": "over HTTP, the count of all jobs",
    "served count of failed": "over HTTP, the count of those that failed",
    "served totals": "over HTTP, the totals of a day",
    "served ages": "over HTTP, the age of the oldest job of each queue",
    "served series": "over HTTP, a series of 24 hours",
    "shown jobs": "the console: its first rows, in a new browser (p50)",
    "shown failed": "the console: those of the jobs that failed (p50)",
}
"""What is searched, and what it is called."""


def _watched(samples):
    """What it costs that a thousand listen to the changes of a service."""
    return _told(samples, "watch rotulus, watched on postgres", WATCHED, "1,000 listeners")


def _told(samples, name, parts, heading):
    """The medians of the parts of one measure, by what each part is called."""
    found = {title: samples.median(f"{name} {part}") for part, title in parts.items()}
    lines = [[title, FINE.format(figure)] for title, figure in found.items() if figure is not None]
    return _table(["", heading], lines)


WATCHED = {
    "idle": "statements a second that read changes, while nothing happens",
    "busy": "the same while something happens",
    "memory": "memory of the service, MB",
    "p50": "from an enqueue until all have heard of it, p50, ms",
    "slowest": "the slowest of 20, ms",
}
"""What is told of listeners, and what it is called."""


def _drawn(samples):
    """What it takes to draw a run of very many steps."""
    figure = samples.median("draw rotulus, drawn on sqlite")
    lines = [] if figure is None else [["a run of 300 steps drawn", FINE.format(figure)]]
    return _table(["ms, p50", "Chromium"], lines)


def _scrolled(samples):
    """What it takes to scroll through a very long table."""
    return _told(samples, "scroll rotulus, with history on sqlite", SCROLLED, "100,000 rows")


SCROLLED = {
    "drawn": "rows in the page",
    "late": "frames of 600 that came late",
    "slowest": "the slowest of them, ms",
    "heap": "heap of the page, MB",
}
"""What is told of a long table, and what it is called."""

FLOWN = {
    "chain": "chain of 5",
    "chains": "100 chains at once",
    "fan_100": "100 at once, join",
    "fan": "1,000 at once, join",
}
"""What is measured of workflows, and what it is called."""


def _settings(samples):
    versions = samples.facts("versions")
    lines = []
    for one in roster.PLAIN:
        if samples.median(f"drain {one}"):
            version = versions.get("psycopg" if str(one) == LIMIT else one.environment, "")
            who = f"{one.name} on {one.home.title}"
            lines.append([who, version, one.settings, f"{one.jobs:,}"])
    return _table(["", "version", "configured", "jobs of a drain"], lines, texts=3)


def _servers(samples):
    servers = samples.facts("servers")
    lines = [[PLACES[name].title, f["version"], f["settings"]] for name, f in servers.items()]
    return _table(["", "version", "settings"], lines, texts=2)


def _table(headings, lines, texts=0):
    """A table whose last columns are texts, and those between the first and them figures."""
    if not lines:
        return ""
    figures = len(headings) - 1 - texts
    aligned = "|".join(["---", *["---:"] * figures, *["---"] * texts])
    rows = [f"| {' | '.join(cells)} |" for cells in (headings, *lines)]
    return "\n".join([rows[0], f"|{aligned}|", *rows[1:]])
