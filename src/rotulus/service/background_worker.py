"""The background worker of a service: runs spawned jobs in threads, ends lost ones as failed."""

import secrets
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from rotulus import INJECTED, App, Job, Retry, Snooze, TaskRegistry, task
from rotulus._text import jsontext
from rotulus.errors import JobError, JobLostError, RotulusError
from rotulus.events import WorkerStarted
from rotulus.service.records import LIVE, SPAWNED
from rotulus.store import Filter

LOOK_EVERY = 5.0
"""Seconds between two checks for jobs of a process that has ended."""

_KEEP = timedelta(hours=1)
"""How long ended jobs are kept in memory."""

_ANNOUNCED_WITHIN = 10.0
_MOST = 1000

Run = Callable[[], Awaitable[Any]]
"""Runs a spawned call to its end."""

Found = Callable[[str, int, str], Run | None]
"""Returns the call of a job, by its queue, its number there and its id; None: it is not here."""


def background_app(of: App | None, found: Found) -> App:
    """An app with the task of spawned jobs, on the store of an app, or in memory without one.

    Args:
        of: the app that has the store.
        found: returns the spawned call of a job.
    """
    registry = TaskRegistry()
    if of is None:
        app = App("sqlite://", registry=registry, keep=_KEEP, keep_failed=_KEEP)
    else:
        names = ("lease", "max_bytes", "log_arguments", "mask")
        like: dict[str, Any] = {name: of.settings[name].value for name in names}
        lengths = ("keep", "keep_failed", "keep_stats")
        kept: dict[str, Any] = {name: timedelta(0, of.settings[name].value) for name in lengths}
        app = App(store_of=of, registry=registry, **like, **kept)
    most: int = app.settings["max_bytes"].value

    @task(name=SPAWNED, registry=registry, result="trust")
    async def spawned(number: int, description: str | None = None, job: Job[Any] = INJECTED) -> Any:
        """Await a spawned call. It is in the process that spawned it, or nowhere."""
        del description  # for people who look at the job
        run = found(job.queue, number, job.id)
        if run is None:
            raise JobLostError("the process that was to run it has ended")
        try:
            value = await run()
        except (Retry, Snooze) as error:
            raise JobError("a spawned job runs once: make it a task, to run it again") from error
        return _storable(value, job, most)

    return app


def _storable(value: Any, job: Job[Any], most: int) -> Any:
    """Returns a result for the store: the result itself, or None with a note that says so."""
    try:
        jsontext.encode(value, max_bytes=most)
    except jsontext.NotJSONError as error:
        kind = type(value).__name__
        job.progress(1, 1, f"its result ({kind}) is kept by its process only: it {error}")
        return None
    return value


class BackgroundWorker:
    """A worker of spawned jobs, in threads of its own that cannot keep the process from ending.

    Args:
        app: the app that has the task.
        slots: how many jobs run at once.
        tidy: called at each check, to end the calls whose jobs have ended in the store.

    Raises:
        RotulusError: the worker could not start.

    Attributes:
        queue: the queue that only this worker serves.
    """

    def __init__(self, app: App, slots: int, tidy: Callable[[], None]) -> None:
        self.app = app
        self.queue = f"_spawned-{secrets.token_hex(6)}"
        self._slots = slots
        self._tidy = tidy
        self._over = threading.Event()
        self._working = threading.Event()
        self._error: BaseException | None = None
        self._worker = threading.Thread(target=self._work, name="rotulus-spawned", daemon=True)
        self._looking = threading.Thread(target=self._look_on, name="rotulus-lost", daemon=True)

    def start(self) -> None:
        """Begin. Blocks until the queue counts as served."""
        stop = self.app.events.subscribe(self._note_started, WorkerStarted)
        self._worker.start()
        self._working.wait(_ANNOUNCED_WITHIN)
        stop()
        pause, left = threading.Event(), _ANNOUNCED_WITHIN
        while self._error is None and self.queue not in self._served():
            pause.wait(0.01)
            left -= 0.01
            if left < 0:
                self.end()
                raise RotulusError("The worker of spawned jobs has not begun in ten seconds")
        if self._error is not None:
            raise self._error
        self._looking.start()

    def end(self) -> None:
        """Stop the worker, and wait for its end."""
        self._over.set()
        while self._worker.is_alive():
            self.app.stop()
            self._worker.join(1.0)
        if self._looking.is_alive():
            self._looking.join(LOOK_EVERY)

    def look(self) -> None:
        """End the jobs that wait in a queue without a live worker as lost."""
        # First the jobs: a queue is served before there are jobs in it.
        live = self.app.store.find(Filter(LIVE, task=SPAWNED), _MOST)
        lost = {job.queue for job in live} - self._served() - {self.queue}
        if lost and not self._over.is_set():
            self.app.run_worker(queues=sorted(lost), burst=True)

    def _served(self) -> set[str]:
        return {queue for worker in self.app.workers.list() for queue in worker.queues or ()}

    def _note_started(self, event: WorkerStarted) -> None:
        if event.queues == (self.queue,):
            self._working.set()

    def _work(self) -> None:
        try:
            self.app.run_worker(queues=[self.queue], slots=self._slots, drain=0.0)
        except BaseException as error:  # noqa: BLE001 - start() raises it
            self._error = error
        finally:
            self._working.set()

    def _look_on(self) -> None:
        while True:
            try:
                self._tidy()
                self.look()
            except RotulusError:  # the worker itself logs a store that fails
                pass
            if self._over.wait(LOOK_EVERY):
                return
