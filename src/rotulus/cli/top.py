"""`rotulus top`: queues, rates, workers and failures, live in the terminal."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rotulus import App, State
from rotulus.cli.output import (
    ago,
    console,
    json_option,
    length,
    moment_text,
    print_json,
    state_text,
)
from rotulus.cli.tables import plain
from rotulus.cli.target import app_options, find_store
from rotulus.cli.values import Whole
from rotulus.errors import StoreError

_RATES_OVER = 300
"""Seconds over which rates are taken, back from now; they begin with a whole minute."""

_FAILURES = 8
_PIPE = 10_000
"""The width where there is no terminal: each row is one line."""

_MINUTE = 60.0


@click.command()
@click.option(
    "--every",
    default=2,
    type=Whole(1, 3600, example=2),
    metavar="SECONDS",
    show_default=True,
    help="How often to look.",
)
@click.option("--once", is_flag=True, help="Look once, and end.")
@json_option
@app_options
def top(every: int, once: bool, as_json: bool, target: str | None, url: str | None) -> None:
    """Watch queues, workers and failures while they change; Ctrl-C ends it.

    The rates are jobs a minute, over the last five minutes. Where there is no terminal, or with
    --json, it looks once. While the store is away, it goes on with what it saw last; it ends if it
    has not seen anything yet.
    """
    app = find_store(target, url)
    if as_json:
        print_json(look(app))
        return
    out = console()
    if not out.is_terminal:
        out.width = _PIPE
    if once or not out.is_terminal:
        out.print(_shown(look(app)))
        return
    seen = look(app)
    with Live(_shown(seen), console=out, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every)
            try:
                seen = look(app)
            except StoreError as error:
                live.update(_shown(seen, error), refresh=True)
            else:
                live.update(_shown(seen), refresh=True)


def look(app: App) -> dict[str, Any]:
    """Returns what `top` shows, as JSON data. It takes no longer however many jobs there are."""
    rates = _rates(app)
    queues = [_queue(queue, rates.pop(queue.name, {})) for queue in app.queues.list()]
    queues += [_queue(None, rate, name) for name, rate in rates.items() if any(rate.values())]
    running = app.workers.running()
    return {
        "at": datetime.now(UTC).isoformat(),
        "store": app.store.url,
        "queues": sorted(queues, key=lambda queue: queue["queue"]),
        "workers": [
            {
                "worker": worker.name,
                "queues": worker.queues,
                "running": running.get(worker.name, 0),
                "slots": worker.slots,
                "seen_at": worker.seen_at and worker.seen_at.isoformat(),
            }
            for worker in app.workers.list()
        ],
        "failures": [
            {
                "job": job.id,
                "task": job.task,
                "state": job.state,
                "ended_at": job.ended_at and job.ended_at.isoformat(),
                "error": str(job.error) if job.error else job.reason,
            }
            for job in app.failures.latest(limit=_FAILURES)
        ],
    }


def _rates(app: App) -> dict[str, dict[str, float]]:
    """Returns how many jobs a minute were enqueued, succeeded and failed, by queue."""
    now = datetime.now(UTC).timestamp()
    minutes = (now - (now - _RATES_OVER) // _MINUTE * _MINUTE) / _MINUTE
    found = app.stats.totals(by="queue", since=_RATES_OVER)
    return {
        one.name: {
            "enqueued": one.enqueued / minutes,
            "succeeded": one.outcomes.get("succeeded", 0) / minutes,
            "failed": sum(one.outcomes.get(word, 0) for word in ("failed", "dead")) / minutes,
        }
        for one in found
    }


def _queue(queue: Any, rate: dict[str, float], name: str = "") -> dict[str, Any]:
    jobs: dict[State, int] = queue.jobs if queue else {}
    return {
        "queue": queue.name if queue else name,
        "paused": bool(queue and queue.paused),
        "age": queue.age if queue else None,
        "jobs": {str(state): jobs[state] for state in State if state in jobs},
        "rates": {word: round(rate.get(word, 0.0), 1) for word in _RATES},
    }


_RATES = ("enqueued", "succeeded", "failed")
_STATES = (State.QUEUED, State.RUNNING, State.DELAYED, State.BLOCKED)


def _shown(seen: dict[str, Any], error: StoreError | None = None) -> RenderableType:
    """Returns what stands on the screen: what was seen last, and why it is not of now, if so."""
    head = plain(_head(seen) if error is None else _stale_head(seen, error))
    style = "bold" if error is None else "bold red"
    parts: list[RenderableType] = [Text(head, style, no_wrap=True, overflow="ellipsis")]
    queues = ("queue", *map(str, _STATES), "oldest", "in/min", "ok/min", "failed/min", "")
    parts.append(_table(queues, _queue_rows(seen["queues"]), "No job waits or runs."))
    workers = ("worker", "running", "slots", "queues", "seen")
    parts.append(_table(workers, _worker_rows(seen["workers"]), "No worker is running."))
    failures = ("failed", "task", "state", "when", "error")
    parts.append(_table(failures, _failure_rows(seen["failures"]), "Nothing has failed."))
    return Group(*parts)


def _head(seen: dict[str, Any]) -> str:
    slots = sum(worker["slots"] for worker in seen["workers"])
    running = sum(worker["running"] for worker in seen["workers"])
    return (
        f"{seen['store']}  {moment_text(datetime.fromisoformat(seen['at']))}  "
        f"{len(seen['workers'])} workers, {running} of {slots} slots"
    )


def _stale_head(seen: dict[str, Any], error: StoreError) -> str:
    at = moment_text(datetime.fromisoformat(seen["at"]))
    return f"No answer, trying again; this is of {at}. {error}"


def _table(
    headings: Sequence[str], rows: Iterator[Sequence[str | Text]], empty: str
) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for number, heading in enumerate(headings):
        is_number = number > 0 and heading in _NUMBERS
        justify = "right" if is_number else "left"
        folded = heading in _FOLDED
        least = _LEAST if folded else None
        table.add_column(
            heading, justify=justify, no_wrap=not folded, overflow="fold", min_width=least
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    return table if table.row_count else Text(empty, "dim")


_NUMBERS = {*map(str, _STATES), "oldest", "in/min", "ok/min", "failed/min", "slots"}
_FOLDED = {"queue", "queues", "worker", "task", "error"}
"""Columns that are made narrower where a terminal has no room."""

_LEAST = 8


def _queue_rows(queues: Sequence[dict[str, Any]]) -> Iterator[Sequence[str | Text]]:
    for queue in queues:
        yield (
            queue["queue"],
            *(str(queue["jobs"].get(state, 0)) for state in _STATES),
            length(queue["age"]) or "",
            *(f"{queue['rates'][word]:.1f}" for word in _RATES),
            Text("paused", "yellow") if queue["paused"] else "",
        )


def _worker_rows(workers: Sequence[dict[str, Any]]) -> Iterator[Sequence[str | Text]]:
    for worker in workers:
        seen = worker["seen_at"]
        yield (
            worker["worker"],
            str(worker["running"]),
            str(worker["slots"]),
            ", ".join(worker["queues"]) if worker["queues"] else "all",
            ago(datetime.fromisoformat(seen)) or "" if seen else "",
        )


def _failure_rows(failures: Sequence[dict[str, Any]]) -> Iterator[Sequence[str | Text]]:
    for job in failures:
        ended = job["ended_at"]
        first = (job["error"] or "").splitlines() or [""]
        yield (
            job["job"],
            job["task"],
            state_text(job["state"]),
            ago(datetime.fromisoformat(ended)) or "" if ended else "",
            first[0],
        )
