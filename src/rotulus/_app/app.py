"""The app: the one place where a store, a registry and what tasks need are put together."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Self, Unpack, cast

from rotulus._app.boot import Boot
from rotulus._app.calls import Calls
from rotulus._app.carrying import Carrying
from rotulus._app.engine import Engine, make_engine
from rotulus._app.incompatible_jobs import incompatible_jobs
from rotulus._app.log import log_events
from rotulus._app.opening import LazyStore, absolute_url, is_there, open_store, shown_url
from rotulus._app.port import AppPort
from rotulus._app.providing import Providing
from rotulus._app.resources import Jobs, Queues, Runs, Schedules, Workers
from rotulus._app.serving import Serving
from rotulus._app.standing import Standing, serving
from rotulus._app.ticking import Ticks
from rotulus._app.verbs import Verbs
from rotulus._app.worker_runs import WorkerRuns, WorkOptions, check_work_options, grace_of
from rotulus._concurrency.pool import in_own_thread, off_loop
from rotulus._engine.single_attempts import SingleAttempts
from rotulus._jobs.retry import Retry
from rotulus._tasks.injection import Injector
from rotulus._tasks.provider import Scheduler, TaskProvider
from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._tasks.registry import registry as global_registry
from rotulus._text.names import refuse_unknown
from rotulus._time.clock import Clock, SystemClock
from rotulus._warnings import on_event_loop
from rotulus.config import SECRETS, Setting, load_settings
from rotulus.errors import EventLoopError, OptionError
from rotulus.events import Events
from rotulus.store import Store


@refuse_unknown
class App(Calls, Verbs, Serving, Providing, Carrying):
    """A store, a registry, and what tasks have injected.

    An app opens its store when that is first needed, and brings a SQLite file up to date by
    itself. Tasks of its registry hand in their jobs here until it is closed, or replaced. `with
    app:` boots it: everything is checked, the registry is frozen, and at the end it is closed.

    One app serves a registry at a time. A second one on another URL warns, and waits for its turn,
    unless it is given `replaces`. Verbs that wait for the store have a form that begins with `a`
    for coroutines, which does not block the event loop.

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
        like: an app whose registry, retry policy and injection this one has, too, and in whose
            place it stands while it is open: what that app is asked and told, this one answers.
        replaces: the same, with a copy of the injection: what is provided here is not there.
        store_of: an app whose store this one uses, and leaves open, for tasks of its own registry;
            given instead of a URL.
        scheduler: a scheduler outside of this process that keeps its own list, if there is one.
        clock: the time; only tests hand in another than the machine's.

    Raises:
        OptionError: an argument or setting is not allowed.

    Attributes:
        jobs: gets, finds, counts, cancels and retries jobs.
        queues: lists, pauses and resumes queues.
        schedules: lists the scheduled tasks.
        workers: lists the workers.
        runs: gets, cancels, retries, pauses and resumes runs of workflows.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        registry: TaskRegistry | None = None,
        retry: Retry | None = None,
        lease: float | None = None,
        keep: timedelta | None = None,
        keep_failed: timedelta | None = None,
        max_bytes: int | None = None,
        unknown_grace: float | None = None,
        log_arguments: bool | None = None,
        like: "App | None" = None,
        replaces: "App | None" = None,
        store_of: "App | None" = None,
        scheduler: Scheduler | None = None,
        clock: Clock | None = None,
    ) -> None:
        if store_of is not None:
            url = _url_of(store_of, url, registry)
        given: dict[str, Any] = {"url": url, "lease": lease, "max_bytes": max_bytes}
        given |= {"keep": keep, "keep_failed": keep_failed, "log_arguments": log_arguments}
        given |= {"unknown_grace": unknown_grace}
        told = load_settings(given)
        shown = told["url"]._replace(value=shown_url(told["url"].value))
        hidden = {n: told[n]._replace(value="…") for n in SECRETS if told[n].value is not None}
        self.settings: dict[str, Setting] = told | {"url": shown} | hidden
        settings = {name: setting.value for name, setting in told.items()}
        settings["url"] = absolute_url(settings["url"])
        other = _only(registry, like, replaces)
        if clock is None and store_of is not None:
            clock = store_of._clock  # noqa: SLF001 - an app, too
        self._clock: Clock = clock or SystemClock()
        if registry is None:
            registry = other.registry if other else global_registry
        self.registry: TaskRegistry = registry
        injector = Injector()
        if other is not None:
            there = other._own  # noqa: SLF001 - an app, too
            injector = there.injector if like else there.injector.copy()
            retry = retry or there.engine.retry
        lent = None if store_of is None else lambda: store_of.store
        store = LazyStore(settings["url"], self._clock, lambda: engine.events, lent)
        engine = make_engine(store, self.registry, injector, self._clock, retry, settings)
        self.provider = TaskProvider(self.registry, scheduler, injector)
        worker_runs = WorkerRuns(engine, settings)
        self._own = Standing(
            self,
            settings["url"],
            injector,
            engine,
            store,
            Boot(self.registry, engine.plans, self.provider),
            worker_runs,
            engine.singles(settings["lease"], grace_of(settings) or None),
            Ticks(lambda events: worker_runs.duties(store(), events), self._clock, engine.events),
            other and other._own,  # noqa: SLF001 - an app, too
        )
        self.jobs, self.queues = Jobs(self._port, self._singles), Queues(self._port)
        self.schedules, self.workers = Schedules(self._port), Workers(self._port)
        self.runs = Runs(self._port, self.jobs)
        log_events(engine.events)
        self._own.enter()

    @property
    def url(self) -> str:
        """Where its jobs live, with the password, if there is one: not to be shown to anybody."""
        return self._own.active.url

    @property
    def store(self) -> Store:
        """Where the jobs live; a SQLite file is brought up to date. Raises `StoreError`."""
        return self._own.active.store()

    @property
    def events(self) -> Events:
        """What happens in this process, for those who subscribe. See `rotulus.events`."""
        return self._own.active.engine.events

    @property
    def tables_sql(self) -> str:
        """The SQL that makes the tables, for those who apply it themselves. Nothing is opened."""
        return open_store(self._own.url, self._clock).tables_sql

    def check(self) -> list[str]:
        """Check everything a worker needs: parameters, injection, schedules, and waiting jobs.

        Returns:
            A sentence for each task whose waiting jobs could not be run: it is not registered,
            or their arguments no longer fit it. Empty when everything fits, or there is no file
            yet: none is made.

        Raises:
            ConfigurationError: something is wired wrongly.
        """
        active = self._own.active
        active.boot.check()
        there = is_there(active.url)
        return (
            incompatible_jobs(active.store(), self.registry, active.engine.plans) if there else []
        )

    async def acheck(self) -> list[str]:
        """`check`, without blocking the event loop."""
        return await off_loop(self.check)

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
            queues: the queues to serve; unless given, all but the private ones, whose names begin
                with `_`.
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
            EventLoopError: this thread runs an event loop: `await app.arun_worker()`.
            IsolationError: the process that forks those of isolated tasks was killed.
            WorkerStuckError: too many plain functions did not heed their timeout.
            StoreError: the store cannot be used.
        """
        _refuse_on_loop("app.run_worker()", "app.arun_worker()")
        options: WorkOptions = {"queues": queues, "slots": slots, "lease": lease, "drain": drain}
        options |= {"recycle_jobs": recycle_jobs, "recycle_memory": recycle_memory}
        options |= {"burst": burst, "name": name}
        active = self._own.active
        active.work(active.worker_runs.begin(), options, parent)

    async def arun_worker(self, **options: Unpack[WorkOptions]) -> None:
        """`run_worker` in a thread of its own, until `stop()`, or until it is cancelled.

        Args:
            options: those of `run_worker`.
        """
        check_work_options(options)
        active = self._own.active
        run = (
            active.worker_runs.begin()
        )  # here, and not in the thread: it can be stopped from now on
        worker = asyncio.ensure_future(in_own_thread(active.work, run, options))
        try:
            await asyncio.shield(worker)
        except asyncio.CancelledError:
            run.stop()
            await worker
            raise
        finally:
            if worker.done():  # it may have had no thread
                active.worker_runs.end(run)

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
        _refuse_on_loop("app.supervise()", "asyncio.to_thread(app.supervise, ...)")
        active = self._own.active
        run = active.worker_runs.begin()
        try:
            with active.boot.held():
                store = active.ready_store()
                active.worker_runs.supervise(run, store, command, given, burst=burst, name=name)
        finally:
            active.worker_runs.end(run)

    def stop(self) -> None:
        """Stop the workers of this app: claim no more, finish what runs; called again, at once."""
        for one in {self._own, self._own.active}:  # each once: a second stop hurries what runs
            one.worker_runs.stop()

    def set_slots(self, slots: int) -> None:
        """Let the workers of this app that run in this process run so many jobs at once.

        What runs beyond that goes on; nothing new begins until there is a slot. Workers that start
        later are not concerned, nor are those of `supervise`.

        Args:
            slots: how many jobs each of them runs at once.

        Raises:
            OptionError: the number is not allowed.
        """
        self._own.active.worker_runs.set_slots(slots)

    def close(self) -> None:
        """Close the store, and let go of the registry. A closed app stays closed."""
        if self._own.store.close():
            self._own.boot.end()
            self._own.leave()

    async def aclose(self) -> None:
        """`close`, without blocking the event loop."""
        await off_loop(self.close)

    def __enter__(self) -> Self:
        active = self._own.active
        try:
            active.boot.begin()
            active.ready_store()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if not self._own.stand_ins:  # what stands in for it is not this block's to close
            self.close()

    async def __aenter__(self) -> Self:
        return await off_loop(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await off_loop(self.__exit__)

    def __repr__(self) -> str:
        return f"<App {self._own.store.shown} with {len(self.registry)} tasks>"

    def _answering(self) -> Engine:
        return self._own.active.engine

    def _port(self) -> AppPort:
        return self._answering().port

    def _singles(self) -> SingleAttempts:
        return self._own.active.singles


def current_app(registry: TaskRegistry = global_registry) -> App:
    """The open app that the tasks of a registry hand their jobs to.

    Args:
        registry: the tasks; those of the global registry unless given.

    Raises:
        NoAppError: no app is open for them.
    """
    registered_tasks(registry).port()  # raises when there is none
    standing = serving(registry)
    return cast("App", standing and standing.app)


def _only(registry: TaskRegistry | None, like: App | None, replaces: App | None) -> App | None:
    """The app whose tasks are served. Raises `OptionError` when it was said twice."""
    if sum(given is not None for given in (registry, like, replaces)) > 1:
        raise OptionError(
            "Give one of registry=, like= and replaces=: an app that is like another one, or "
            "replaces it, has its registry"
        )
    return like or replaces


def _url_of(store_of: App, url: str | None, registry: TaskRegistry | None) -> str:
    """Where the store of another app is. Raises `OptionError` when it does not fit the rest."""
    if url is not None or registry is None or registry is store_of.registry:
        raise OptionError(
            "store_of= stands in the place of url=, and goes with a registry= of its own"
        )
    return store_of.url


def _refuse_on_loop(what: str, instead: str) -> None:
    if on_event_loop():
        raise EventLoopError(f"{what} runs an event loop of its own: here, await {instead}")
