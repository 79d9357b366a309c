"""A supervisor: keeps so many worker processes running, and rescues the jobs of those that die."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from rotulus._engine.threads import Threads
from rotulus._jobs.states import State
from rotulus._supervisor.proxy_renewal import ProxyRenewer
from rotulus._supervisor.restart_policy import RestartPolicy
from rotulus._supervisor.worker_process import WorkerProcess
from rotulus._time.backoff import pause_after
from rotulus.errors import RotulusError, StoreError, ThreadNotStartedError
from rotulus.events import (
    Events,
    JobsRescued,
    ProcessDelayed,
    ProcessEnded,
    ProcessNotStarted,
    ProcessStarted,
    ProcessStuck,
    StoreFailed,
    StoreRecovered,
)
from rotulus.store import Store

_GRACE = 10.0
"""Seconds for a process to end after its time to drain."""

_LAST_WRITE = 5.0
"""Seconds to go on trying to rescue jobs, when the store fails at the very end."""


@dataclass(frozen=True, slots=True)
class SupervisorOptions:
    """How a supervisor runs its processes.

    Attributes:
        command: the words of the command that runs a worker.
        name: what the names of the workers begin with.
        processes: how many run at once.
        lease: the length of their leases, in seconds.
        drain: seconds for which their jobs may run on after a stop.
        burst: whether they end by themselves when nothing is left to do.
    """

    command: Sequence[str]
    name: str
    processes: int
    lease: float
    drain: float
    burst: bool = False


class Supervisor:
    """Starts worker processes, starts others when they end, and rescues the jobs they held.

    Args:
        store: where their jobs are.
        options: what it runs.
        monotonic: the clock, in seconds.
        random_bits: random numbers of so many bits, for names that no worker ever had.
        events: where it tells of what happens.
    """

    def __init__(
        self,
        store: Store,
        options: SupervisorOptions,
        monotonic: Callable[[], float],
        random_bits: Callable[[int], int],
        events: Events,
    ) -> None:
        self._store = store
        self._options = options
        self._monotonic = monotonic
        self._random_bits = random_bits
        self._events = events
        self._processes: dict[str, WorkerProcess] = {}
        self._started = 0
        self._stops = 0
        self._wake: Callable[[], object] | None = None
        self._stopping = asyncio.Event()
        self._rescues: set[asyncio.Task[None]] = set()
        self._failure: RotulusError | None = None

    def stop(self, times: int | None = None) -> None:
        """Let the processes finish what they run, and end; called a second time, at once.

        May be called from any thread, and from a signal handler.

        Args:
            times: how often it has been told by now, where a caller counts that.
        """
        self._stops = self._stops + 1 if times is None else max(times, self._stops)
        if self._wake is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._wake()

    async def run(self, end_duties: Callable[[], object] = lambda: None) -> None:
        """Keep the processes running until stopped.

        Args:
            end_duties: in a burst, called in a thread when the processes have ended: others run
                the jobs of schedules that have fired until then.

        Raises:
            ConfigurationError: a process ended because it is wired wrongly.
            SchemaError: a process ended because the tables do not fit.
        """
        loop = asyncio.get_running_loop()
        threads = Threads(loop, "rotulus-store", keep=1)
        proxy_renewer = ProxyRenewer(
            self._store, self._current, self._options.lease, self._monotonic, self._events
        )
        self._wake = partial(loop.call_soon_threadsafe, self._forward_stop)
        self._forward_stop()
        proxy_renewer.start()
        try:
            await self._keep_all_running(threads)
            if self._options.burst and not self._stops:
                await threads.run(end_duties)
                if await threads.run(self._is_any_due):
                    await self._keep_all_running(threads)
        finally:
            proxy_renewer.end()
            threads.close()
            for process in self._current():  # only when something went wrong here
                process.close()
        if self._failure is not None:
            raise self._failure

    def _current(self) -> list[WorkerProcess]:
        return list(self._processes.values())

    def _forward_stop(self) -> None:
        """Forward the number of stop requests to the processes, and kill them after their time."""
        if not self._stops:
            return
        self._stopping.set()
        for process in self._current():
            process.tell_stop(self._stops)
        patience = _GRACE + (self._options.drain if self._stops == 1 else 0.0)
        asyncio.get_running_loop().call_later(patience, self._kill)

    def _kill(self) -> None:
        for process in self._current():
            self._events.emit(ProcessStuck(process.name, process.pid))
            process.kill()

    async def _keep_all_running(self, threads: Threads) -> None:
        numbers = range(self._options.processes)
        await asyncio.gather(*(self._keep_one_running(threads) for _ in numbers))
        await asyncio.gather(*self._rescues)

    def _is_any_due(self) -> bool:
        """Returns whether a process may find something to do; in doubt, True. In a thread."""
        try:
            return any(found.state is State.QUEUED for found in self._store.backlog(1))
        except StoreError:
            return True

    async def _keep_one_running(self, threads: Threads) -> None:
        """Keep one process running: when it ends, or retires, start another one."""
        restart_policy = RestartPolicy(burst=self._options.burst)
        while not self._stopping.is_set():
            pause = await self._run_one(restart_policy, threads)
            if pause is None:
                return
            if pause and not self._stopping.is_set():
                self._events.emit(ProcessDelayed(restart_policy.deaths, pause))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)

    async def _run_one(self, restart_policy: RestartPolicy, threads: Threads) -> float | None:
        """Run one process until it is replaceable; returns seconds until another one starts."""
        try:
            process = self._start_process()
        except (OSError, ThreadNotStartedError) as error:
            self._events.emit(ProcessNotStarted(error))
            return restart_policy.after(None, 0.0)
        rescue = asyncio.create_task(self._rescue_at_end(process, threads))
        self._rescues.add(rescue)
        rescue.add_done_callback(self._rescues.discard)
        await process.replaceable.wait()
        if process.code is None:
            return 0.0
        if process.drained:
            return None
        try:
            return restart_policy.after(process.code, process.age)
        except RotulusError as error:
            if not self._stops:
                self._failure = error
                self.stop()
            return None

    def _start_process(self) -> WorkerProcess:
        self._started += 1
        name = f"{self._options.name}.{self._started}.{self._random_bits(32):08x}"
        process = WorkerProcess(self._options.command, name, self._monotonic)
        self._processes[name] = process
        self._events.emit(ProcessStarted(name, process.pid))
        return process

    async def _rescue_at_end(self, process: WorkerProcess, threads: Threads) -> None:
        """Wait for a process to end, and rescue the jobs that it held."""
        await process.ended.wait()
        del self._processes[process.name]
        self._events.emit(ProcessEnded(process.name, process.pid, process.code or 0, process.age))
        ended_at, failures = self._monotonic(), 0
        while True:
            try:
                await threads.run(partial(self._rescue_jobs_of, process.name))
            except StoreError as error:
                failures += 1
                if failures == 1:
                    self._events.emit(StoreFailed("release", error))
                if self._stops and self._monotonic() - ended_at > _LAST_WRITE:
                    return  # its lease will run out
                await asyncio.sleep(pause_after(failures, self._chance()))
            else:
                break
        if failures:
            self._events.emit(StoreRecovered("release"))

    def _chance(self) -> float:
        return self._random_bits(16) / 2**16

    def _rescue_jobs_of(self, name: str) -> None:
        """Rescue the jobs of a dead worker, and announce that it is gone. In a thread."""
        jobs = self._store.rescue(worker=name)
        if jobs:
            self._events.emit(JobsRescued(jobs))
        for worker in self._store.fleet().workers:
            if worker.name == name:
                self._store.extend([], 0.0, worker)
