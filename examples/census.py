"""A census of Python's own standard library: one job for each file, parsed and counted.

    python examples/census.py

It adds a job for each of the interpreter's `.py` files (some of them broken on purpose), starts
a worker, kills it with SIGKILL half-way, starts another one, and shows what was found, what
failed, and that nothing was lost.
"""

import ast
import signal
import subprocess
import sys
import sysconfig
import time
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from rotulus import App, Job, task

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".demo"
DATABASE = FOLDER / "census.db"

SHOWN = 12
"""How many of the broken files are shown."""

app = App(f"sqlite:///{DATABASE}")


@task(name="census.parse", queue="census")
def parse(path: str) -> dict[str, Any]:
    """Count what stands in a source file. A file that is not Python raises, and so fails."""
    begun = time.thread_time()
    with tokenize.open(path) as file:
        source = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = list(ast.walk(ast.parse(source, path)))
    return {
        "lines": source.count("\n"),
        "functions": sum(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in nodes),
        "classes": sum(isinstance(n, ast.ClassDef) for n in nodes),
        "seconds": time.thread_time() - begun,
    }


def library_files() -> list[str]:
    """Every source file of the standard library."""
    library = Path(sysconfig.get_path("stdlib"))
    found = (path for path in library.rglob("*.py") if "site-packages" not in path.parts)
    return sorted(str(path) for path in found)


def start_worker() -> subprocess.Popen[bytes]:
    """A worker in a process of its own; what it logs is in .demo/worker.log."""
    command = [sys.executable, "-m", "rotulus", "worker", "census:app", "--log-format", "lines"]
    with (FOLDER / "worker.log").open("ab") as log:
        return subprocess.Popen(command, cwd=HERE, stderr=log, stdout=log)


def states() -> dict[str, int]:
    """How many jobs are in which state."""
    return {str(count.state): count.jobs for count in app.store.count()}


def ended() -> int:
    """How many jobs have come to an end."""
    found = states()
    return found.get("succeeded", 0) + found.get("failed", 0) + found.get("dead", 0)


class Show:
    """Progress: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, total: int) -> None:
        self.console = console
        self.total = total
        self.said = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bar = Progress(*columns, TimeElapsedColumn(), console=console)
        self.task = self.bar.add_task("parsing", total=total)

    def update(self, done: int) -> None:
        """So many are done."""
        if self.console.is_terminal:
            self.bar.update(self.task, completed=done)
        elif done * 10 // self.total > self.said:
            self.said = done * 10 // self.total
            self.console.print(f"{done:,} of {self.total:,} files")


def until(show: Show, enough: int, worker: subprocess.Popen[bytes]) -> None:
    """Wait until so many jobs have ended."""
    while (done := ended()) < enough:
        show.update(done)
        if worker.poll() is not None:
            sys.exit(f"The worker ended with {worker.returncode}: see {FOLDER / 'worker.log'}")
        time.sleep(0.1)
    show.update(done)


def kill_and_restart(show: Show, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """What happens when a worker dies: its jobs go on in the next one."""
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    killed = time.monotonic()
    lost = app.jobs(state="running", limit=1000)
    show.console.print(
        f"[bold]Killed the worker[/] (SIGKILL) with {len(lost)} jobs in its hands. "
        f"Starting another."
    )
    worker = start_worker()
    while any(job.refresh().record.losses == 0 for job in lost):
        time.sleep(0.05)
    show.console.print(
        f"It took them all back {time.monotonic() - killed:.1f} s after the kill, its own start "
        f"included."
    )
    return worker


def every_job(**which: Any) -> Iterator[Job[Any]]:
    """All jobs that match, page by page."""
    page = app.jobs(limit=500, **which)
    while page:
        yield from page
        page = app.jobs(limit=500, before=page[-1].id, **which)


def report(console: Console) -> None:
    """The results of the census."""
    found = [(job.arguments["path"], job.result(0)) for job in every_job(state="succeeded")]
    table = Table(title="The standard library", title_justify="left")
    for heading in ("files", "lines", "functions", "classes"):
        table.add_column(heading, justify="right")
    sums = (sum(result[key] for _, result in found) for key in ("lines", "functions", "classes"))
    table.add_row(f"{len(found):,}", *(f"{value:,}" for value in sums))
    console.print(table)

    slowest = Table(title_justify="left")
    slowest.add_column("slowest files", no_wrap=True)
    slowest.add_column("ms", justify="right")
    for path, result in sorted(found, key=lambda item: -item[1]["seconds"])[:5]:
        slowest.add_row(Text(short(path)), f"{result['seconds'] * 1000:.0f}")
    console.print(slowest)

    broken = list(every_job(state=("failed", "dead")))
    table = Table(title=title_of(len(broken)), title_justify="left")
    table.add_column("file", no_wrap=True)
    table.add_column("why", overflow="fold")
    for job in broken[:SHOWN]:
        path = job.arguments["path"]
        table.add_row(Text(short(path)), Text(reason(job, path)))
    console.print(table)


def title_of(broken: int) -> str:
    """How many files are broken, and how many of them are shown."""
    shown = f"; the last {SHOWN} of them" if broken > SHOWN else ""
    return f"{broken} files that are not Python{shown}"


def reason(job: Job[Any], path: str) -> str:
    """Why a file could not be parsed, in one line, without the path beside it."""
    line = str(job.error).splitlines()[0]
    return line.replace(path, Path(path).name)


def short(path: str) -> str:
    """A path below the library."""
    return str(Path(path).relative_to(sysconfig.get_path("stdlib")))


def account(console: Console, added: int) -> int:
    """Whether every job has one end; the exit code."""
    found = states()
    again = [job for job in every_job() if job.attempt > 1]
    console.print(
        f"\n{added:,} jobs added, {sum(found.values()):,} ended: "
        + ", ".join(f"{jobs:,} {state}" for state, jobs in sorted(found.items()))
        + f". {len(again)} were run again after the kill."
    )
    ok = sum(found.values()) == added and set(found) <= {"succeeded", "failed"}
    console.print(
        "[bold green]Nothing was lost.[/]" if ok else "[bold red]Something is missing.[/]"
    )
    console.print(
        "\nThe failures are kept, with their tracebacks. From here:\n"
        "  .venv/bin/rotulus ls jobs --state failed --app examples/census.py\n"
        "  .venv/bin/rotulus show JOB --app examples/census.py\n"
        "  .venv/bin/rotulus retry --state failed --app examples/census.py"
    )
    return 0 if ok else 1


def main() -> int:
    """The census; the exit code is 0 when nothing was lost."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    FOLDER.mkdir(exist_ok=True)
    for leftover in (*FOLDER.glob("census.db*"), FOLDER / "worker.log"):
        if leftover.is_file():
            leftover.unlink()
    files = library_files()
    begun = time.monotonic()
    parse.enqueue_many(files)
    console.print(f"Added {len(files):,} jobs in {time.monotonic() - begun:.2f} s to {DATABASE}")
    show = Show(console, len(files))
    worker = start_worker()
    try:
        if console.is_terminal:
            show.bar.start()
        until(show, len(files) // 2, worker)
        worker = kill_and_restart(show, worker)
        until(show, len(files), worker)
    finally:
        show.bar.stop()
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    report(console)
    return account(console, len(files))


if __name__ == "__main__":
    sys.exit(main())
