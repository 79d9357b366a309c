"""A workflow over this machine's own time zones: when did clocks change, these thirty years?

    python examples/etl.py

It lists all zones, computes the clock changes of each in a job of its own, counts them by year and
by place beside each other, asks a server for the release of the data (which is busy at first),
writes the report to `.demo/clocks.md`, and waits for an editor's approval without holding a slot.
"""

import logging
import shlex
import threading
import zoneinfo
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from rich.console import Console
from rich.table import Table

import rotulus.workflow as wf
from rotulus import Job, task

FOLDER = Path(__file__).resolve().parent.parent / ".demo"
APPROVED = FOLDER / "approved"
REPORT = FOLDER / "clocks.md"

FIRST, LAST = datetime(1996, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
WEEK, MINUTE = timedelta(weeks=1), timedelta(minutes=1)


@task("clocks.changes")
def changes(zone: str) -> dict[str, Any]:
    """The years in which the clocks of a zone changed, once for each change."""
    clock = zoneinfo.ZoneInfo(zone)
    years, at = list[int](), FIRST
    while at < LAST:
        if clock.utcoffset(at) != clock.utcoffset(at + WEEK):
            years.append(_moment(clock, at, at + WEEK).year)
        at += WEEK
    return {"zone": zone, "years": years}


def _moment(clock: zoneinfo.ZoneInfo, before: datetime, after: datetime) -> datetime:
    """When the clock changed, to the minute."""
    offset = clock.utcoffset(before)
    while after - before > MINUTE:
        middle = before + (after - before) / 2
        before, after = (middle, after) if clock.utcoffset(middle) == offset else (before, middle)
    return after


with wf.WorkflowBuilder("clocks") as builder:
    builder.description("Clock changes of thirty years, from the zones of this machine")

    @wf.task(id="list")
    def list_zones(context: wf.Context) -> None:
        zones = sorted(zoneinfo.available_timezones() - {"localtime"})
        context.set("zones", zones)

    builder.add_task(changes, dependencies=["list"], for_each="zones")

    @wf.task(dependencies=["changes"])
    def by_year(context: wf.Context) -> dict[str, Any]:
        counted = Counter(year for zone in context["changes"] for year in zone["years"])
        return {"by_year": {str(year): counted[year] for year in sorted(counted)}}

    @wf.task(dependencies=["changes"])
    def by_place(context: wf.Context) -> dict[str, Any]:
        counted = Counter[str]()
        for zone in context["changes"]:
            counted[zone["zone"].partition("/")[0]] += len(zone["years"])
        return {"by_place": dict(counted.most_common(8))}

    @wf.task(retry_attempts=5, retry_delay_ms=200, retry_condition="transient")
    def release(context: wf.Context) -> None:
        with urlopen(context["mirror"]) as answer:  # the first answer is: temporarily unavailable
            context.set("release", answer.read().decode())

    @wf.task(dependencies=[by_year, by_place, release])
    def report(context: wf.Context) -> None:
        lines = [f"# Clock changes, release {context['release']}", ""]
        lines += [f"- {year}: {count}" for year, count in context["by_year"].items()]
        REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")
        context.set("report", str(REPORT))

    @wf.task(dependencies=[report])
    async def publish(context: wf.Context, handle: wf.TaskHandle) -> None:
        await handle.defer_until(APPROVED.exists, poll_interval_ms=100)
        context.set("published", True)


class Mirror(BaseHTTPRequestHandler):
    """A server that is busy at first."""

    requests = 0

    def do_GET(self) -> None:
        """Answer, from the third request on."""
        Mirror.requests += 1
        busy = Mirror.requests < 3
        self.send_response(503 if busy else 200, "temporarily unavailable" if busy else "OK")
        self.end_headers()
        if not busy:
            self.wfile.write(b"2025b")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Run the workflow once, and show what came of it."""
    console = Console()
    FOLDER.mkdir(exist_ok=True)
    APPROVED.unlink(missing_ok=True)
    logging.basicConfig(filename=FOLDER / "etl.log")  # a busy server is told there
    mirror = HTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=mirror.serve_forever, daemon=True).start()
    with wf.DefaultRunner(f"sqlite:///{FOLDER / 'etl.db'}") as runner:
        run = runner.submit("clocks", {"mirror": f"http://127.0.0.1:{mirror.server_port}/"})
        console.print(f"Run {run.id}", soft_wrap=True)
        editor = threading.Thread(target=approve, args=(run,))
        editor.start()
        with wf.watched(run):
            result = run.wait(timeout=300)
        editor.join()
        show(console, run, result)


def approve(run: wf.Run) -> None:
    """The editor, in a thread of this program: approves once the publication waits for that."""
    while run.step("publish").reason != "deferred":
        threading.Event().wait(0.1)
    APPROVED.touch()


def show(console: Console, run: wf.Run, result: wf.WorkflowResult) -> None:
    """A table of the steps, the figures, and what to look at next."""
    table = Table(title=f"clocks: {result.status}", title_justify="left")
    for column in ("step", "state", "attempts", "seconds"):
        table.add_column(column, justify="left" if column in ("step", "state") else "right")
    parts = run.steps(parts=True)
    for step in run.steps():
        branches = [part for part in parts if str(part.step).startswith(f"{step.step}/")]
        table.add_row(step.step, str(step.state), tries(step, branches), seconds(step, branches))
    console.print(table)
    context = result.final_context
    year, most = max(context["by_year"].items(), key=lambda pair: pair[1])
    zones, total = len(context["zones"]), sum(context["by_year"].values())
    console.print(f"{zones} zones, {total:,} clock changes; most of them in {year}: {most}.")
    places = ", ".join(f"{place} {count:,}" for place, count in context["by_place"].items())
    console.print(f"By place: {places}.")
    console.print(
        "publish waited for an editor, who approved the report; meanwhile it held no slot."
    )
    console.print(f"The report: {context['report']}", soft_wrap=True)
    url = shlex.quote(f"sqlite:///{FOLDER / 'etl.db'}")
    console.print(f"Next: .venv/bin/rotulus show {run.id} --url {url}", soft_wrap=True)


def tries(step: Job[Any], branches: list[Job[Any]]) -> str:
    """How often a step was tried, or its branches were: what puts those together is no attempt."""
    if not branches:
        return str(step.attempt)
    return f"{sum(branch.attempt for branch in branches)} in {len(branches)} branches"


def seconds(step: Job[Any], branches: list[Job[Any]]) -> str:
    """From the first beginning of a step, or of its branches, to its end; with what it waited."""
    job = step.refresh()  # with its earlier attempts
    begins = [attempt.started_at for attempt in job.attempts] if not branches else []
    begins += [branch.started_at for branch in branches] or [job.started_at]
    first = min((begin for begin in begins if begin is not None), default=job.created_at)
    return f"{((job.ended_at or first) - first).total_seconds():.2f}"


if __name__ == "__main__":
    main()
