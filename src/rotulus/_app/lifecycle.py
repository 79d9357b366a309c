"""The life of an app: it is checked, boots, works, serves in a web process, and closes."""

import asyncio
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Self, Unpack

from rotulus._app.boot import incompatible_jobs, unreadable_schedules
from rotulus._app.encrypting import check_both_ways
from rotulus._app.lifespan import Lifespan, trouble
from rotulus._app.open_apps import OpenApp
from rotulus._app.opening import is_there
from rotulus._app.worker_runs import WorkOptions, check_work_options
from rotulus._concurrency.pool import in_own_thread, off_loop
from rotulus._warnings import on_event_loop
from rotulus.errors import EventLoopError


class LifeCycle:
    """Checks, boots and closes an app, and runs its workers."""

    _own: OpenApp
    _lifespan: Lifespan | None = None

    def check(self) -> list[str]:
        """Check everything a worker needs: parameters, injection, schedules, and waiting jobs.

        Returns:
            A sentence for each task whose waiting jobs could not be run: it is not registered,
            or their arguments no longer fit it, or cannot be decrypted; and for each schedule whose
            arguments cannot be. Empty when everything fits, or there is no file yet: none is made.

        Raises:
            ConfigurationError: something is wired wrongly, such as a cipher that does not decrypt
                what it has encrypted.
        """
        active = self._own.active
        active.boot.check()
        check_both_ways(active.store.cipher)
        if not is_there(active.url):
            return []
        engine, store = active.engine, active.store()
        problems = incompatible_jobs(store, engine.known, engine.plans)
        return problems + unreadable_schedules(store)

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
        schedules: bool = True,
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
            schedules: whether it fires schedules; they are left to other workers if not.
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
        options |= {"burst": burst, "name": name, "schedules": schedules}
        active = self._own.active
        active.work(active.worker_runs.begin(), options, parent)

    async def arun_worker(self, **options: Unpack[WorkOptions]) -> None:
        """`run_worker` in a thread of its own, until `stop()`, or until it is cancelled.

        Args:
            options: those of `run_worker`.
        """
        check_work_options(options)
        active = self._own.active
        run = active.worker_runs.begin()  # here, and not in the thread: `stop` knows of it
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
        settings = {"processes": processes, "lease": lease, "drain": drain}
        _refuse_on_loop("app.supervise()", "asyncio.to_thread(app.supervise, ...)")
        active = self._own.active
        run = active.worker_runs.begin()
        try:
            with active.boot.held():
                store = active.ready_store()
                active.worker_runs.supervise(run, store, command, settings, burst=burst, name=name)
        finally:
            active.worker_runs.end(run)

    def stop(self) -> None:
        """Stop the workers of this app: claim no more, finish what runs; called again, at once."""
        for one in {self._own, self._own.active}:  # each once: a second stop hurries what runs
            one.worker_runs.stop()

    def set_slots(self, slots: int) -> None:
        """Let the workers of this app that run in this process run so many jobs at once.

        Jobs beyond that number go on; nothing new begins until there is a slot. Workers that start
        later are not concerned, nor are those of `supervise`.

        Args:
            slots: how many jobs each of them runs at once.

        Raises:
            OptionError: the number is not allowed.
        """
        self._own.active.worker_runs.set_slots(slots)

    def lifespan(self, *, worker: bool | WorkOptions = False) -> Lifespan:
        """Returns the lifespan of a web application that serves this app: `FastAPI(lifespan=...)`.

        The app boots with the application: everything is checked, and the registry is frozen until
        the application ends. The app stays open.

        Args:
            worker: whether a worker runs beside the application, in a thread; or its options, which
                are those of `run_worker`. At the end it finishes what it runs, as long as `drain`.
        """
        options: WorkOptions = {} if isinstance(worker, bool) else worker
        check_work_options(options)
        work = None if worker is False else partial(self.arun_worker, **options)
        self._lifespan = Lifespan(self._served, work)
        return self._lifespan

    def readiness(self) -> dict[str, str | None]:
        """Returns the conditions for the app to do its work, each with its problem, or None.

        `store`: it can be used, and has the tables of this version. `worker`: that of `lifespan`
        has not ended, if there is one.
        """
        found = {"store": trouble(self._own.active.ready_store)}
        if self._lifespan is not None and self._lifespan.has_worker:
            found["worker"] = self._lifespan.problem
        return found

    async def areadiness(self) -> dict[str, str | None]:
        """`readiness`, without blocking the event loop."""
        return await off_loop(self.readiness)

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

    @contextmanager
    def _served(self) -> Generator[None, None, None]:
        active = self._own.active
        with active.boot.held():
            active.ready_store()
            yield


def _refuse_on_loop(what: str, instead: str) -> None:
    if on_event_loop():
        raise EventLoopError(f"{what} runs an event loop of its own: here, await {instead}")
