"""Extends the leases of single attempts, and enforces their timeouts, in a thread of its own."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from rotulus._concurrency.starting import rest, start_thread
from rotulus._engine.execution import Execution
from rotulus._engine.leases import CHECK_EVERY, LeaseKeeper
from rotulus._engine.log_writer import LogWriter
from rotulus.errors import ThreadNotStartedError
from rotulus.events import Events
from rotulus.store import Store

_IDLE = 10.0
"""Seconds without any attempt after which the thread ends."""


class Held(NamedTuple):
    """An attempt whose lease is renewed, or whose time is kept.

    Attributes:
        execution: the attempt.
        timeout: seconds until its time is over; None: that is not watched here.
        time_out: called when it is, in a thread of ours.
        renews: whether its lease can be renewed by such a thread.
    """

    execution: Execution
    timeout: float | None = None
    time_out: Callable[[], object] = int
    renews: bool = True


class SingleLeases:
    """Keeps the leases and the time of the single attempts of this process.

    Args:
        store: where the leases are.
        logs: writes what the attempts log.
        lease: their length, in seconds.
        monotonic: the clock, in seconds.
        events: where losses are told.
    """

    def __init__(
        self,
        store: Store,
        logs: LogWriter,
        lease: float,
        monotonic: Callable[[], float],
        events: Events,
    ) -> None:
        self._leases = LeaseKeeper(store, None, lease, monotonic, events)
        self._logs = logs
        self._writing: threading.Thread | None = None
        self._pause = min(CHECK_EVERY, lease / 3)
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._held: dict[Held, float] = {}
        self._renewing = False

    @contextmanager
    def hold(self, held: Held) -> Generator[None, None, None]:
        """Keep the lease and the time of an attempt for the length of a block."""
        if held.timeout is None and not held.renews:
            yield
            return
        ends_at = float("inf") if held.timeout is None else self._monotonic() + held.timeout
        if held.renews:
            self._leases.hold([held.execution])
        with self._changed:
            self._held[held] = ends_at
            if not self._renewing:
                start_thread(self._extend_until_idle, "rotulus-leases")
                self._renewing = True
            elif held.timeout is not None and held.timeout < self._pause:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._held.pop(held, None)
            self._leases.drop([held.execution])

    def _extend_until_idle(self) -> None:
        idle_since, extend_at = self._monotonic(), self._monotonic() + self._pause
        while True:
            with self._changed:
                next_end = min(self._held.values(), default=extend_at)
                self._changed.wait(max(0.0, min(next_end, extend_at) - self._monotonic()))
                now = self._monotonic()
                late = [held for held, ends_at in self._held.items() if ends_at <= now]
                for held in late:
                    self._held[held] = float("inf")
                if self._held:
                    idle_since = now
                elif now - idle_since > _IDLE:
                    self._renewing = False
                    return
            for held in late:  # each apart: no lease waits for it
                self._time_out(held)
            if now >= extend_at:
                extend_at = now + self._pause
                self._leases.extend_due()
                self._leases.give_up_expired()
                self._write_logs()
                rest(idle=not self._held)

    def _write_logs(self) -> None:
        """Write what the attempts have logged, in a thread of its own: no lease waits for it."""
        with self._changed:
            talking = [held.execution for held in self._held if held.renews]
        if any(execution.logs for execution in talking) and not (
            self._writing and self._writing.is_alive()
        ):
            with suppress(ThreadNotStartedError):
                write = partial(self._logs.write, talking)
                self._writing = start_thread(write, "rotulus-logs")

    def _time_out(self, held: Held) -> None:
        try:
            start_thread(held.time_out, "rotulus-timeout")
        except ThreadNotStartedError:
            held.time_out()
