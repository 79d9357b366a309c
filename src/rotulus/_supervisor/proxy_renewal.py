"""Extends the leases of worker processes that are alive and cannot do it themselves.

A worker renews its leases from a thread. A task may hold the interpreter for longer than a lease -
in a C extension, in a regular expression - and that thread does not run: then the supervisor
renews. While the threads of a process run this is not done: the process knows best which jobs it
still has, and a job that it has lost track of has to be rescued when its lease is over.
"""

import threading
from collections.abc import Callable, Collection

from rotulus._concurrency.starting import start_thread
from rotulus._jobs.states import State
from rotulus._supervisor.parent_channel import beat_every
from rotulus._supervisor.worker_process import WorkerProcess
from rotulus.events import Events, ProcessSilent, StoreFailed, StoreRecovered
from rotulus.store import Filter, Renewal, Store

_MOST = 100_000
"""More jobs than a worker ever holds."""


def is_silent(heard: float | None, now: float, lease: float) -> bool:
    """Returns whether a process is silent, as its threads do not run.

    When it fell silent it had renewed within the last two thirds of a lease, so there is still a
    third: half of that is given to a machine that is only busy.
    """
    return heard is not None and now - heard >= lease / 6


class ProxyRenewer:
    """Renews the leases of processes that are silent, from a thread.

    Args:
        store: where the leases are.
        processes: the processes as they are now.
        lease: the length of their leases, in seconds.
        monotonic: the clock, in seconds.
        events: where it is told.
    """

    def __init__(
        self,
        store: Store,
        processes: Callable[[], Collection[WorkerProcess]],
        lease: float,
        monotonic: Callable[[], float],
        events: Events,
    ) -> None:
        self._store = store
        self._processes = processes
        self._lease = lease
        self._monotonic = monotonic
        self._events = events
        self._renewed: dict[str, float] = {}
        self._failing = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Raises `ThreadNotStartedError`."""
        self._thread = start_thread(self._extend_until_ended, "rotulus-proxy-renewal")

    def end(self) -> None:
        """Stop after the renewal under way."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _extend_until_ended(self) -> None:
        while not self._ended.wait(beat_every(self._lease)):
            try:
                self._extend_silent()
            except Exception as error:  # noqa: BLE001 - the next look may go well
                self._failed(error)

    def _extend_silent(self) -> None:
        now = self._monotonic()
        silent = [c for c in self._processes() if is_silent(c.heard_at, now, self._lease)]
        self._renewed = {c.name: self._renewed.get(c.name, float("-inf")) for c in silent}
        for process in silent:
            # The leases of a stopped process run out: its jobs have to go on somewhere else.
            if now - self._renewed[process.name] >= self._lease / 3 and process.is_running:
                self._extend(process)
                self._renewed[process.name] = now

    def _extend(self, process: WorkerProcess) -> None:
        running = self._store.find(Filter(states=[State.RUNNING], worker=process.name), _MOST)
        if running:
            workers = {worker.name: worker for worker in self._store.fleet().workers}
            renewals = [Renewal(job.id, job.attempt) for job in running]
            self._store.extend(renewals, self._lease, workers.get(process.name))
            self._events.emit(ProcessSilent(process.name, process.pid, running))
        if self._failing:
            self._failing = False
            self._events.emit(StoreRecovered("extend"))

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            self._events.emit(StoreFailed("extend", error))
