"""Ticks of an app: every duty once, where there is no worker that does them."""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rotulus._engine.duties import Duty
from rotulus._forking import follow_forks
from rotulus._time.clock import Clock
from rotulus.errors import StoreError
from rotulus.events import (
    DutyFailed,
    Event,
    Events,
    JobsMended,
    JobsPruned,
    JobsPublished,
    JobsRescued,
    ScheduleFired,
)

_MOST_TICKS = 20
"""How often a duty is done in one tick at most, if it says that it has more to do."""


class Ticked(NamedTuple):
    """The work of a tick.

    Attributes:
        rescued: jobs whose worker was lost, and that were taken back.
        fired: jobs that were added for instants of schedules.
        published: jobs of the outbox whose messages were published.
        pruned: old jobs that were deleted.
        mended: blocked jobs whose count of needs was wrong.
    """

    rescued: int = 0
    fired: int = 0
    published: int = 0
    pruned: int = 0
    mended: int = 0


class Tally(Events):
    """Counts the events of duties, and passes them on.

    Args:
        events: where it is told.

    Attributes:
        done: the counts since it was set.
    """

    def __init__(self, events: Events) -> None:
        super().__init__()
        self._events = events
        self.done = Ticked()

    def wants(self, kind: type[Event]) -> bool:  # noqa: ARG002 - all kinds are
        """Everything is counted."""
        return True

    def emit(self, event: Event) -> None:
        """Count an event, and tell it on."""
        done = self.done
        match event:
            case JobsRescued():
                self.done = done._replace(rescued=done.rescued + len(event.jobs))
            case ScheduleFired():
                self.done = done._replace(fired=done.fired + 1)
            case JobsPublished():
                self.done = done._replace(published=done.published + len(event.jobs))
            case JobsPruned():
                self.done = done._replace(pruned=done.pruned + event.jobs)
            case JobsMended():
                self.done = done._replace(mended=done.mended + len(event.jobs))
            case _:
                pass
        self._events.emit(event)


class Ticks:
    """Does the duties of an app when it is told to, those of one process one after the other.

    Args:
        make_duties: makes them, given where they tell what they do.
        clock: the time.
        events: where it is told.
    """

    def __init__(
        self, make_duties: Callable[[Events], Sequence[Duty]], clock: Clock, events: Events
    ) -> None:
        self._make_duties = make_duties
        self._clock = clock
        self._tally = Tally(events)
        self._duties: Sequence[Duty] = ()
        self._forked()
        follow_forks(self._forked)

    def _forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def tick(self) -> Ticked:
        """Do every duty; returns the counts. Raises `StoreError`: some of them are left."""
        with self._lock:
            self._duties = self._duties or self._make_duties(self._tally)
            self._tally.done = Ticked()
            for duty in self._duties:
                self._do(duty)
            return self._tally.done

    def _do(self, duty: Duty) -> None:
        """Do one duty, again while it asks for that; an exception of it is emitted as an event."""
        try:
            for _ in range(_MOST_TICKS):
                if duty.tick(self._clock.now()) > 0:
                    return
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a duty that fails must not end the others
            self._tally.emit(DutyFailed(duty.name, error))
