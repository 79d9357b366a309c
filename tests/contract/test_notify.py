"""What tells idle workers on PostgreSQL to look: work that came, or that comes at a new moment."""

import contextlib

import psycopg
import pytest

from contract.conftest import postgres
from contract.workbench import OUTCOMES
from rotulus._jobs.outcome import opened

_OVER = "over"

BRINGS_WORK = {
    "add": lambda bench: bench.add,
    "add for later": lambda bench: lambda: bench.add(delay=60.0),
    "retry": lambda bench: acting(bench.store.retry, [bench.ended("failed").id]),
    "resume": lambda bench: acting(bench.store.pause, ["x"], paused=False),
    "release": lambda bench: acting(bench.store.rescue, worker=bench.running().worker),
    "rescue": lambda bench: acting(expire(bench).store.rescue, 10),
    "retried now": lambda bench: settling(bench, "retried now"),
    "released": lambda bench: settling(bench, "released"),
    "retried later": lambda bench: settling(bench, "retried"),
    "snoozed": lambda bench: settling(bench, "snoozed"),
    "end of a need": lambda bench: acting(bench.store.settle, [first_part(bench)]),
    "cancelled need": lambda bench: acting(bench.store.cancel, [waiting_part(bench)]),
    "parts": lambda bench: lambda: bench.add_run({"a": []}),
    "opening": lambda bench: acting(bench.store.settle, [opening(bench)]),
    "resumed run": lambda bench: acting(bench.store.pause, [], paused=False, runs=["x"]),
    "room": lambda bench: settling(bench, "succeeded", limit_key="k", limit_to=1),
}
"""Each makes what an event needs, and gives the event."""

BRINGS_NONE = {
    "success": lambda bench: settling(bench, "succeeded"),
    "failure": lambda bench: settling(bench, "failed"),
    "pause": lambda bench: acting(bench.store.pause, ["x"], paused=True),
    "cancel": lambda bench: acting(bench.store.cancel, [bench.add().id]),
}


def acting(act, *arguments, **options):
    """A call to make later."""
    return lambda: act(*arguments, **options)


def first_part(bench):
    """The success of what a job waits for."""
    bench.add_run({"a": [], "b": ["a"]})
    [part] = bench.claim()
    return OUTCOMES["succeeded"](part)


def waiting_part(bench):
    """What a job waits for, before anybody has taken it."""
    return bench.add_run({"a": [], "b": ["a"]})["a"]


def opening(bench):
    """The outcome of a running job that adds a part."""
    job = bench.running()
    return opened(job.id, job.attempt, bench.parts({"a": []}))


def settling(bench, how, **fields):
    """A running job that is going to come to something."""
    return acting(bench.store.settle, [OUTCOMES[how](bench.running(**fields))])


def expire(bench):
    """The bench, with a job whose lease is over."""
    bench.running()
    bench.clock.advance(31)
    return bench


@pytest.fixture(params=[postgres])
def bench(request, make_bench):
    """A store on a server."""
    return make_bench(request.param)


def told(url, act):
    """What the server tells those who listen, from the beginning of an act to its end."""
    with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("LISTEN rotulus")
        act()
        connection.execute("SELECT pg_notify('rotulus', %s)", [_OVER])
        payloads = iter(notice.payload for notice in connection.notifies(timeout=30.0))
        return list(iter(lambda: next(payloads), _OVER))


@pytest.mark.parametrize("event", BRINGS_WORK)
def test_whatever_brings_work_is_told(bench, migrated, event):
    """Also work for later: an idle worker may mean to sleep longer than until then."""
    act = BRINGS_WORK[event](bench)

    assert "" in told(migrated(), act)


@pytest.mark.parametrize("event", BRINGS_NONE)
def test_what_brings_no_work_is_not_told(bench, migrated, event):
    """Thousands of jobs a second end, and wake nobody."""
    act = BRINGS_NONE[event](bench)

    assert "" not in told(migrated(), act)
