"""The apps that are open: what each has at work, and which of several answers."""

from dataclasses import dataclass, field
from typing import Any

from rotulus._app.answered import AnsweredPushes
from rotulus._app.boot import Boot
from rotulus._app.engine import Engine
from rotulus._app.opening import LazyStore, insist_on_tables, is_shared, shown_url
from rotulus._app.ticking import Ticked, Ticks
from rotulus._app.worker_runs import WorkerRun, WorkerRuns, WorkOptions
from rotulus._engine.single_attempts import SingleAttempts
from rotulus._tasks.injection import Injector
from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._tasks.task import TaskPort
from rotulus._warnings import warn_caller
from rotulus.errors import NoAppError
from rotulus.store import Store


@dataclass(eq=False, frozen=True)
class OpenApp:
    """An app that is open, with everything that it has at work.

    Attributes:
        app: the app.
        url: where its jobs lie.
        injector: what fills its tasks' parameters.
        engine: what runs its jobs.
        store: its store.
        boot: whether it has booted.
        worker_runs: its workers.
        singles: makes single attempts.
        ticks: does its duties where there is no worker.
        answered: the pushes that it has answered.
        replaced: the one in whose place it stands.
        stand_ins: those that stand in its own place, the last of which answers.
    """

    app: Any
    url: str
    injector: Injector
    engine: Engine
    store: LazyStore
    boot: Boot
    worker_runs: WorkerRuns
    singles: SingleAttempts
    ticks: Ticks
    answered: AnsweredPushes
    replaced: "OpenApp | None"
    stand_ins: "list[OpenApp]" = field(default_factory=list["OpenApp"])

    @property
    def active(self) -> "OpenApp":
        """The app that answers: this one, or the last one that stands in for it."""
        return self.stand_ins[-1].active if self.stand_ins else self

    def ready_store(self) -> Store:
        """Returns the store, if its tables are those of this version. Raises `SchemaError`."""
        store = self.store()
        insist_on_tables(store)
        return store

    def work(self, run: WorkerRun, options: WorkOptions, parent: int | None = None) -> None:
        """Work as one worker, to the end. See `App.run_worker`."""
        try:
            with self.boot.held():
                self.worker_runs.work(run, self.ready_store, options, parent)
        finally:
            self.worker_runs.end(run)

    def tick(self) -> Ticked:
        """Do every duty once. See `App.tick`."""
        self.boot.check()
        self.ready_store()
        return self.ticks.tick()

    def enter(self) -> None:
        """Open the app: it serves its registry, unless an app with another store serves it.

        Jobs in memory are seen by nobody else. So an app that has them there is meant to stand in
        for another one, and gives way to one whose jobs last.
        """
        registry = self.engine.registry
        other = None if self.replaced else open_app_of(registry)
        apart = other is not None and _place(other) != _place(self)
        first = other is None or not apart or not (is_shared(self.url) and is_shared(other.url))
        if other is not None and apart:
            warn_caller(_two(other, self, first=first))  # before anything: it may be an error
        if self.replaced is not None:
            self.replaced.stand_ins.append(self)
        _OPEN[self.engine.port] = self
        registered_tasks(registry).attach(self.engine.port, first=first)

    def leave(self) -> None:
        """Close the app: the app that served the registry before serves it again."""
        registered_tasks(self.engine.registry).detach(self.engine.port)
        _OPEN.pop(self.engine.port, None)
        if self.replaced is not None:
            self.replaced.stand_ins.remove(self)


def open_app_of(registry: TaskRegistry) -> OpenApp | None:
    """Returns the app that the tasks of a registry hand their jobs to; None while none is open."""
    try:
        return _OPEN.get(registered_tasks(registry).port())
    except NoAppError:
        return None


_OPEN: dict[TaskPort, OpenApp] = {}
"""The open apps, by their ports."""


def _place(app: OpenApp) -> object:
    """Where the jobs of an app lie: equal for one place, however it is written."""
    if not is_shared(app.url):
        return app
    file, _, options = shown_url(app.url).partition("?")
    return file if file.startswith("sqlite:") else (file, options)


def _two(other: OpenApp, app: OpenApp, *, first: bool) -> str:
    there, here = other.store.shown, app.store.shown
    if first:
        return (
            f"Another App is open for these tasks, on {there}. Their jobs go to {here} now, but "
            f"what that app is asked is not answered from there: write App(..., replaces=that_app)"
        )
    return (
        f"Another App is open for these tasks, on {there}, and their jobs still go there, not to "
        f"{here}. Close that app, or write App(..., replaces=that_app) to take its place, or "
        f"App(..., registry=TaskRegistry()) to look at another store"
    )
