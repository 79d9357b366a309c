"""A bar that grows on a terminal."""

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


class _Count(TextColumn):
    """How many are done, of how many: as far as that is known."""

    def render(self, task: Task) -> Text:
        """The numbers; nothing before there are any."""
        if not task.completed and task.total is None:
            return Text()
        total = "" if task.total is None else f"/{task.total:g}"
        return Text(f"{task.completed:g}{total}", "progress.download")


class Bar:
    """A bar on standard error. It goes away at the end.

    Args:
        title: what is going on.
    """

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _Count(""),
            TimeElapsedColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None)

    def start(self) -> None:
        """Show it."""
        self._progress.start()

    def show(self, title: str, done: float | None, total: float | None) -> None:
        """It has got this far."""
        self._progress.update(self._task, completed=done or 0, total=total, description=title)

    def say(self, text: str) -> None:
        """Print a line above it."""
        self._progress.console.print(Text(text), soft_wrap=True)

    def stop(self) -> None:
        """Take it away."""
        self._progress.stop()
