"""What failed is tried again, ever later and never late, for as long as it takes."""

import threading
from datetime import UTC, datetime

import pytest

from rotulus._engine.duty_thread import DutyThread
from rotulus._supervisor.restart_policy import LONGEST_PAUSE, RestartPolicy
from rotulus._time.backoff import LONGEST, pause_after
from rotulus.errors import StoreUnavailableError
from rotulus.events import DutyFailed, Events, StoreFailed, StoreRecovered


def test_pauses_double_up_to_the_longest():
    """Without chance: a tenth of a second at first."""
    pauses = [pause_after(failures, 0.5) for failures in range(1, 9)]

    assert [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST, LONGEST] == pytest.approx(pauses)


@pytest.mark.parametrize("failures", [1, 3, 1025, 10**9])
def test_chance_spreads_them(failures):
    """From half to one and a half, also after a day of failures."""
    usual = pause_after(failures, 0.5)

    assert usual * 0.5 == pytest.approx(pause_after(failures, 0.0))
    assert usual * 1.5 == pytest.approx(pause_after(failures, 1.0))
    assert usual <= LONGEST


def test_processes_that_die_for_days_are_still_replaced():
    """With the longest pause."""
    restart_policy = RestartPolicy(burst=False)
    pauses = [restart_policy.after(-9, 0.1) for _ in range(3000)]

    assert LONGEST_PAUSE == pauses[-1]


class Fickle:
    """A duty whose store is away for some rounds."""

    name = "fickle"

    def __init__(self, away):
        self._away = away
        self.done = threading.Event()

    def tick(self, now):
        self._away -= 1
        if self._away >= 0:
            raise StoreUnavailableError("away")
        self.done.set()
        return 60.0


def test_a_duty_tells_once_that_the_store_is_away():
    """And once that it is back."""
    told, events = [], Events()
    events.subscribe(told.append, StoreFailed, StoreRecovered, DutyFailed)
    duty = Fickle(4)
    duties = DutyThread([duty], lambda: datetime.now(UTC), lambda: -0.45, events)
    duties.start()
    assert duty.done.wait(20)
    duties.end()

    assert [(StoreFailed, "fickle"), (StoreRecovered, "fickle")] == [
        (type(event), event.doing) for event in told
    ]
