"""A bar that grows on a terminal."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Bar:
    """A bar on standard error. It goes away at the end.

    Args:
        title: what is going on.
    """

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None)

    def start(self) -> None:
        """Show it."""
        self._progress.start()

    def show(self, title: str, done: float, total: float | None) -> None:
        """It has got this far."""
        self._progress.update(self._task, completed=done, total=total, description=title)

    def stop(self) -> None:
        """Take it away."""
        self._progress.stop()
