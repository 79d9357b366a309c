"""Who takes the place of a process that ended, and when; and when one is taken for hung."""

import asyncio
import os

import pytest

from rotulus._engine.memory import resident
from rotulus._supervisor.parent_channel import beat_every
from rotulus._supervisor.proc import is_running
from rotulus._supervisor.proxy_renewal import is_silent
from rotulus._supervisor.restart_policy import LONGEST_PAUSE, YOUNG, RestartPolicy
from rotulus._supervisor.supervisor import Supervisor, SupervisorOptions
from rotulus.errors import ConfigurationError, SchemaError
from rotulus.events import Events, ProcessDelayed, ProcessNotStarted
from rotulus.stores.sqlite import SqliteStore


def test_the_first_death_costs_no_time():
    """Something has killed it, and the next one may live."""
    assert [0.0] == [RestartPolicy(burst=False).after(-9, 0.1)]


def test_processes_that_die_young_follow_ever_more_slowly():
    """To a limit."""
    restart_policy = RestartPolicy(burst=False)
    pauses = [restart_policy.after(1, 0.1) for _ in range(9)]

    assert [0, 1, 2, 4, 8, 16, 30, 30, 30] == pauses
    assert LONGEST_PAUSE == max(pauses)


def test_one_that_lived_makes_up_for_those_before():
    """It has shown that it can."""
    restart_policy = RestartPolicy(burst=False)
    for _ in range(5):
        restart_policy.after(-9, 0.1)

    assert [0.0, 0.0, 1.0] == [restart_policy.after(-9, lived) for lived in (YOUNG, 0.1, 0.1)]


def test_a_process_that_ends_well_is_followed_too():
    """Somebody has stopped it; only in a burst it was the last one."""
    assert 0.0 == RestartPolicy(burst=False).after(0, 60)
    assert RestartPolicy(burst=True).after(0, 60) is None
    assert 0.0 == RestartPolicy(burst=True).after(1, 60)


@pytest.mark.parametrize(("code", "error"), [(3, ConfigurationError), (7, SchemaError)])
def test_nobody_follows_where_it_is_hopeless(code, error):
    """The error has the same exit code."""
    with pytest.raises(error, match=f"exit code {code}, and another one would do the same"):
        RestartPolicy(burst=False).after(code, 60)


def test_the_system_that_refuses_to_start_a_process_is_asked_again():
    """Later and later; the supervisor can be stopped meanwhile."""
    store, events, told = SqliteStore(":memory:"), Events(), []
    options = SupervisorOptions(["/nowhere/python"], "x", processes=1, lease=30, drain=0)
    supervisor = Supervisor(store, options, lambda: 0.0, lambda bits: bits, events)

    def note(event):
        told.append(event)
        if isinstance(event, ProcessDelayed):
            supervisor.stop()

    events.subscribe(note, ProcessNotStarted, ProcessDelayed)
    asyncio.run(supervisor.run())
    store.close()

    assert [ProcessNotStarted, ProcessNotStarted, ProcessDelayed] == list(map(type, told))
    assert isinstance(told[0].error, FileNotFoundError)


def test_a_process_is_silent_before_its_leases_are_over():
    """With time left to renew them; and never before it was heard once."""
    lease = 30.0
    assert not is_silent(None, 1000.0, lease)
    assert not is_silent(1000.0, 1000.0 + 2 * beat_every(lease), lease)
    assert is_silent(1000.0, 1000.0 + lease / 6, lease)


@pytest.mark.parametrize("lease", [0.1, 1.0, 30.0, 3600.0])
def test_silence_is_noticed_in_the_third_of_a_lease_that_is_left(lease):
    """A worker renews after a third, or a little later; the supervisor looks once in a beat."""
    a_worker_renews_after = lease / 3 + min(1.0, lease / 3)
    noticed_after = lease / 6 + beat_every(lease)

    assert a_worker_renews_after + noticed_after < lease


def test_memory_and_state_are_read_from_the_system():
    """Of a process that is there, and of one that is not."""
    assert resident(os.getpid()) > 10_000_000
    assert is_running(os.getpid())
    assert 0 == resident(2**22 + 1)
    assert not is_running(2**22 + 1)
