"""The app: the one place where a store, a registry and what tasks need are put together."""

import threading
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, Unpack

from rotulus._app.engine import make_engine
from rotulus._app.log import log_events
from rotulus._app.misfits import misfits
from rotulus._app.opening import insist_on_tables, is_there, open_ready, open_store, shown_url
from rotulus._app.sender import Sender
from rotulus._app.shifts import Shifts
from rotulus._forking import follow_forks
from rotulus._jobs.job import Job
from rotulus._jobs.retry import Retry
from rotulus._jobs.states import State
from rotulus._tasks.arguments import Call
from rotulus._tasks.injection import Factory, Injector, Scope
from rotulus._tasks.options import UsingOptions
from rotulus._tasks.provider import Scheduler, TaskProvider
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.registry import registry as global_registry
from rotulus._time.clock import Clock, SystemClock
from rotulus.config import Setting, load_settings
from rotulus.errors import StoreClosedError
from rotulus.store import Filter, Store


class App:
    """A store, a registry, and what tasks have injected.

    An app opens its store when that is first needed, and brings a SQLite file up to date by
    itself. Tasks of its registry hand in their jobs here, as long as it is the app that was made
    last for that registry and is not closed. `with app:` boots it: everything is checked, the
    registry is frozen, and at the end it is closed.

    Args:
        url: where jobs live: `sqlite:///jobs.db`. Unless given, `ROTULUS_URL`, else
            `[tool.rotulus]`, else `sqlite:///rotulus.db`.
        registry: its tasks; the global registry unless given.
        retry: the retry policy of tasks that have none; unless given, they are not retried.
        lease: seconds after which a worker that hangs is given up. Default 30.
        keep: how long succeeded and skipped jobs are kept. Default 7 days.
        keep_failed: how long failed, dead and cancelled jobs are kept. Default 30 days.
        max_bytes: the largest arguments and the largest result, in bytes of JSON. Default 1 MiB.
        unknown_grace: seconds for which a due job of a task that its workers do not know is left to
            workers that do; then it is given up. Default 0 on SQLite, else 600.
        log_arguments: whether errors and logs may hold arguments and results: their types only,
            unless it is True.
        like: an app whose registry, retry policy and injection this one has, too.
        scheduler: a scheduler outside of this process that keeps its own list, if there is one.
        clock: the time; only tests hand in another than the machine's.

    Raises:
        OptionError: an argument or setting is not allowed.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        registry: TaskRegistry = global_registry,
        retry: Retry | None = None,
        lease: float | None = None,
        keep: timedelta | None = None,
        keep_failed: timedelta | None = None,
        max_bytes: int | None = None,
        unknown_grace: float | None = None,
        log_arguments: bool | None = None,
        like: "App | None" = None,
        scheduler: Scheduler | None = None,
        clock: Clock | None = None,
    ) -> None:
        given: dict[str, Any] = {"url": url, "lease": lease, "max_bytes": max_bytes}
        given |= {"keep": keep, "keep_failed": keep_failed, "log_arguments": log_arguments}
        given |= {"unknown_grace": unknown_grace}
        settings = load_settings(given)
        shown = settings["url"]._replace(value=shown_url(settings["url"].value))
        self.settings: dict[str, Setting] = settings | {"url": shown}
        self._settings = {name: setting.value for name, setting in settings.items()}
        self._clock = clock or SystemClock()
        self._store: Store | None = None
        self._lock = threading.RLock()
        self._closed = False
        self._booted = False
        self.registry: TaskRegistry = registry if like is None else like.registry
        self._injector: Injector = Injector()
        if like is not None:
            self._injector = like._injector  # noqa: SLF001 - an app, too
            retry = like._engine.retry  # noqa: SLF001 - an app, too
        self._engine = make_engine(
            lambda: self.store, self.registry, self._injector, self._clock, retry, self._settings
        )
        self._shifts = Shifts(self._engine, self._settings)
        self.events = self._engine.events
        self.provider = TaskProvider(self.registry, scheduler, self._injector)
        log_events(self.events)
        follow_forks(self._forked)
        self.registry.attach(self._engine.desk)

    @property
    def store(self) -> Store:
        """Where the jobs live; a SQLite file is brought up to date. Raises `StoreError`."""
        with self._lock:
            if self._closed:
                raise StoreClosedError("This app is closed: make a new one")
            if self._store is None:
                self._store = open_ready(self._settings["url"], self._clock, self.events)
            return self._store

    @property
    def tables_sql(self) -> str:
        """The SQL that makes the tables, for those who apply it themselves. Nothing is opened."""
        return open_store(self._settings["url"], self._clock).tables_sql

    def enqueue(self, name: str, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """Store a job of the task of that name, which need not be imported here.

        Raises:
            ArgumentsError: the task is registered here and the call does not fit it, or an
                argument is not JSON.
            OptionError: no task can have that name.
            StoreError: the job could not be stored.
        """
        return self.using().enqueue(name, *args, **kwargs)

    def using(self, **options: Unpack[UsingOptions]) -> Sender:
        """Enqueue by name with options: `app.using(delay=60).enqueue("emails.send", 7)`.

        Raises:
            OptionError: an option is not known, or its value is not allowed.
        """
        engine = self._engine
        return Sender(self.registry, engine.intake, engine.desk, engine.max_bytes, options)

    def run(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Run a task here and now, as a worker would: validated, injected, with its timeout.

        Nothing is stored, and it is not retried.

        Raises:
            TaskNotFoundError: no task of that name is registered.
            ArgumentsError: the call does not fit it.
            JobFailedError: it did not succeed; the message says why.
        """
        record = self._engine.run_here(self.registry.get(name), Call(args, kwargs))
        return self._engine.desk.value(record)

    def get(self, job_id: str) -> Job[Any]:
        """The job of that id, or of a unique beginning of one. Raises `JobNotFoundError`."""
        return Job(self._engine.desk.pick(job_id), self._engine.desk)

    def jobs(
        self,
        *,
        state: State | str | Collection[State | str] | None = None,
        task: str | None = None,
        queue: str | None = None,
        key: str | None = None,
        schedule: str | None = None,
        run: str | None = None,
        step: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[Job[Any]]:
        """The jobs that match, the last added first.

        Args:
            state: one state, or several.
            task: the name of their task.
            queue: their queue.
            key: their unique key.
            schedule: the scheduled task they were fired for.
            run: the run of a workflow that they are part of.
            step: where they stand in a run: the id of a step, or a path.
            limit: at most so many.
            before: the id of a job: only those added earlier, for the next page.
        """
        states = [state] if isinstance(state, str) else state
        kept = None if states is None else [State(one) for one in states]
        where = Filter(kept, task, queue, key, None, schedule, None, run, step)
        found = self.store.find(where, limit, before)
        return [Job(record, self._engine.desk) for record in found]

    def cancel(self, *ids: str) -> list[Job[Any]]:
        """Cancel jobs: at once those that wait; those that run are asked to stop.

        Returns:
            The jobs that exist, as they stand then.
        """
        return [Job(record, self._engine.desk) for record in self.store.cancel(ids)]

    def retry(self, *ids: str) -> list[Job[Any]]:
        """Send `failed`, `dead` and `cancelled` jobs back to their queues, with fresh budgets.

        Returns:
            The jobs that were sent back.
        """
        return [Job(record, self._engine.desk) for record in self.store.retry(ids)]

    def pause(self, *queues: str) -> None:
        """Claim no more jobs of these queues, in any worker, until `resume`."""
        self.store.pause(queues, paused=True)

    def resume(self, *queues: str) -> None:
        """Claim jobs of these queues again."""
        self.store.pause(queues, paused=False)

    def provide(self, kind: Any, factory: Factory, *, scope: Scope = "job") -> None:
        """Fill parameters annotated with a type, exactly, with what a factory makes.

        The factory may be a function, a coroutine function, or a generator of either kind whose
        part after `yield` tears down. Its own parameters are filled by their types likewise.

        Args:
            kind: the type; `kind | None` and `Annotated[kind, ...]` are filled as well.
            factory: makes the value.
            scope: `"job"`: one for each attempt; `"app"`: one for as long as the worker runs.

        Raises:
            OptionError: the scope, the type or the factory is not allowed.
        """
        self._injector.provide(kind, factory, scope)
        self._engine.plans.forget()

    def check(self) -> list[str]:
        """Check everything a worker needs: parameters, injection, schedules, and waiting jobs.

        Returns:
            A sentence for each task whose waiting jobs could not be run: it is not registered,
            or their arguments no longer fit it. Empty when everything fits, or there is no file
            yet: none is made.

        Raises:
            ConfigurationError: something is wired wrongly.
        """
        self._check_wiring()
        there = is_there(self._settings["url"])
        return misfits(self.store, self.registry, self._engine.plans) if there else []

    def run_worker(
        self,
        *,
        queues: Iterable[str] | None = None,
        slots: int | None = None,
        lease: float | None = None,
        drain: float | None = None,
        burst: bool = False,
        name: str | None = None,
        recycle_jobs: int | None = None,
        recycle_memory: int | None = None,
        parent: int | None = None,
    ) -> None:
        """Work until SIGTERM or SIGINT: run jobs, fire schedules, rescue and prune.

        A signal lets running jobs finish; a second one gives them back at once. Outside of the
        main thread, `stop()` does the same.

        Args:
            queues: the queues to serve; all of them unless given.
            slots: how many jobs to run at once. Default 10.
            lease: seconds after which a worker that hangs is given up. Default 30.
            drain: seconds for running jobs to finish after a stop. Default 20.
            burst: return as soon as nothing is due and everything is settled.
            name: unique among all workers; made up unless given.
            recycle_jobs: return when so many jobs have been run.
            recycle_memory: return after a job that leaves so many megabytes in memory.
            parent: where the supervisor is heard that started this process; see `supervise`.

        Raises:
            ConfigurationError: something is wired wrongly; nothing has been started.
            IsolationError: the process that forks those of isolated tasks was killed.
            WorkerStuckError: too many plain functions did not heed their timeout.
            StoreError: the store cannot be used.
        """
        given = {"queues": queues, "slots": slots, "lease": lease, "drain": drain}
        given |= {"recycle_jobs": recycle_jobs, "recycle_memory": recycle_memory}
        with self._serving():
            self._shifts.work(self._ready_store, given, burst=burst, name=name, parent=parent)

    def supervise(
        self,
        command: Sequence[str],
        *,
        processes: int | None = None,
        lease: float | None = None,
        drain: float | None = None,
        burst: bool = False,
        name: str | None = None,
    ) -> None:
        """Run a command that runs a worker in several processes, until SIGTERM or SIGINT.

        A process that ends is replaced, and what it ran goes back to its queue at once. Schedules,
        rescue and pruning are done here. It is what `rotulus worker --processes` does.

        Args:
            command: the words of the command. `--name NAME --parent NUMBER` are added, which are
                for `run_worker(name=, parent=)`.
            processes: how many run at once. Default 1.
            lease: as the command has it.
            drain: as the command has it.
            burst: whether the processes end by themselves.
            name: what the names of the workers begin with; made up unless given.

        Raises:
            ConfigurationError: something is wired wrongly, here or in a process.
            SchemaError: a process says that the tables do not fit.
        """
        given = {"processes": processes, "lease": lease, "drain": drain}
        with self._serving():
            self._shifts.supervise(self._ready_store(), command, given, burst=burst, name=name)

    def stop(self) -> None:
        """Stop the workers of this app: claim no more, finish what runs; called again, at once."""
        self._shifts.stop()

    def close(self) -> None:
        """Close the store, and let go of the registry. A closed app stays closed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._unboot()
            self.registry.detach(self._engine.desk)
            if self._store is not None:
                self._store.close()

    def _forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        try:
            self._boot()
            self._ready_store()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<App {self.settings['url'].value} with {len(self.registry)} tasks>"

    @contextmanager
    def _serving(self) -> Generator[None, None, None]:
        """Have everything checked and the registry frozen meanwhile."""
        booted = self._boot()
        try:
            yield
        finally:
            if booted:
                self._unboot()

    def _ready_store(self) -> Store:
        """The store, if its tables are those of this version."""
        insist_on_tables(self.store)
        return self.store

    def _check_wiring(self) -> None:
        for task in self.registry:
            self._engine.plans.of(task)
        self.provider.check()

    def _boot(self) -> bool:
        """Check everything and freeze the registry; False when that has been done before."""
        with self._lock:
            if self._booted:
                return False
            self._check_wiring()
            self.registry.serve()
            self._booted = True
            return True

    def _unboot(self) -> None:
        with self._lock:
            if self._booted:
                self._booted = False
                self.registry.leave()
