"""The thread that does the background duties of a worker or a supervisor, each when it is due."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from rotulus._concurrency.starting import rest, start_thread
from rotulus._engine.duties import PRUNE_EVERY, Duty
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreError
from rotulus.events import DutyFailed, Events, StoreFailed, StoreRecovered

_AFTER_FAILURE = 5.0
"""Seconds until a duty that failed is done again; until the thread is left to itself at the end."""


class DutyThread:
    """Does duties in a thread of its own, each when it is due.

    Args:
        duties: what to do.
        now: the clock.
        chance: random numbers from 0 to 1, to spread attempts after a failure.
        events: where failures are told; a duty that fails is tried again.
    """

    def __init__(
        self,
        duties: Sequence[Duty],
        now: Callable[[], datetime],
        chance: Callable[[], float],
        events: Events,
    ) -> None:
        self._duties = duties
        self._now = now
        self._chance = chance
        self._events = events
        self._failures: dict[Duty, int] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Raises `ThreadNotStartedError`."""
        self._thread = start_thread(self._tick_until_ended, "rotulus-duties")

    def end(self, patience: float | None = _AFTER_FAILURE) -> None:
        """Stop after the duty under way, and when each has been done once at least.

        Args:
            patience: seconds to wait for that; None: as long as it takes.
        """
        self._ended.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _tick_until_ended(self) -> None:
        due = {duty: self._now() for duty in self._duties}
        done: set[Duty] = set()
        while due:
            for duty, at in due.items():
                if self._ended.is_set() and duty in done:
                    continue
                done.add(duty)
                now = self._now()
                # A clock that was set back must not put a duty off for as long.
                if at <= now or at > now + timedelta(seconds=PRUNE_EVERY):
                    due[duty] = now + timedelta(seconds=self._tick(duty, now))
                    rest()
            wait = (min(due.values()) - self._now()).total_seconds()
            if self._ended.wait(max(0.0, wait)):
                return

    def _tick(self, duty: Duty, now: datetime) -> float:
        try:
            wait = duty.tick(now)
        except StoreError as error:
            return self._store_failed(duty, error)
        except Exception as error:  # noqa: BLE001 - a duty that fails must not end the others
            if not self._ended.is_set():
                self._events.emit(DutyFailed(duty.name, error))
            return _AFTER_FAILURE
        if self._failures.pop(duty, 0):
            self._events.emit(StoreRecovered(duty.name))
        return wait

    def _store_failed(self, duty: Duty, error: StoreError) -> float:
        """Tell it once; seconds until the duty is tried again."""
        failures = self._failures[duty] = self._failures.get(duty, 0) + 1
        if failures == 1 and not self._ended.is_set():
            self._events.emit(StoreFailed(duty.name, error))
        return pause_after(failures, self._chance())
