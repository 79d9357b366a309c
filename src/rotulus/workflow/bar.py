"""A progress bar for a run, on a terminal."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module

from rotulus._concurrency.starting import start_thread
from rotulus.errors import RotulusError, ThreadNotStartedError
from rotulus.workflow.run import Run

_LOOK_EVERY = 0.2


@contextmanager
def watched(run: Run, wanted: bool | None = None) -> Generator[None, None, None]:
    """Show how far a run has got, for the length of a block.

    Args:
        run: the run.
        wanted: whether to show it; None: if stderr is a terminal.
    """
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield
        return
    done = threading.Event()
    watcher = None
    with suppress(ThreadNotStartedError):  # the run goes on without being shown
        watcher = start_thread(partial(_show, run, done), "rotulus-bar")
    try:
        yield
    finally:
        done.set()
        if watcher is not None:
            watcher.join()


def _show(run: Run, done: threading.Event) -> None:
    progress = import_module("rich.progress")
    console = import_module("rich.console").Console(stderr=True)
    escape = import_module("rich.markup").escape
    with progress.Progress(console=console, transient=True) as bar:
        title = run.job.task
        line = bar.add_task(escape(title), total=None)
        while not done.wait(_LOOK_EVERY):
            with suppress(RotulusError):  # who waits for the run is told
                ended, total, now = run.reached()
                bar.update(line, total=total, completed=ended, description=escape(f"{title} {now}"))
