"""A key that somebody's open transaction holds keeps up the adds of that key, and no others."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus._app.adding import AsyncAdds
from rotulus._concurrency.coalescer import Coalescer
from rotulus._concurrency.keyed import KeyedCoalescers
from rotulus.errors import StoreBusyError, StoreUnavailableError
from rotulus.stores.postgres import PostgresStore, read_address

DEADLINE = 3
"""How long a call of the store may take, in seconds."""

LATE = 1.2 * DEADLINE
"""When the last one is told, and there is something for a machine that is busy."""


@pytest.fixture
def server(make_bench):
    """Makes jobs."""
    return make_bench("postgres")


@pytest.fixture
def hasty(database):
    """A store on a server that gives up a call after a few seconds."""
    store = PostgresStore(read_address(f"{database}?deadline={DEADLINE}"))
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def held(hasty, database, server):
    """Holds keys in a transaction that is open until the end of the test, or its commit."""
    with psycopg.connect(database) as request:

        def hold(*keys):
            hasty.add([server.new(key=key) for key in keys], request)
            return request

        yield hold
        request.rollback()


async def timed(coroutine):
    """How long something took, and what it came to."""
    began = time.monotonic()
    [came] = await asyncio.gather(coroutine, return_exceptions=True)
    return time.monotonic() - began, came


def keyed_threads():
    """How many threads of this process there are for calls with keys."""
    return sum(thread.name.startswith("rotulus-keyed") for thread in threading.enumerate())


@pytest.mark.anywhere
def test_coroutines_with_other_keys_do_not_wait_for_a_held_key(hasty, held, server):
    """And those that want it are told by their deadline, however many they are."""
    held("taken")
    adds = AsyncAdds(lambda: hasty)

    async def go():
        waiting = [
            asyncio.create_task(timed(adds.add([server.new(key="taken")]))) for _ in range(40)
        ]
        await asyncio.sleep(0)
        free = [timed(adds.add([server.new(key=f"free {n}")])) for n in range(40)]
        others = await asyncio.gather(*free)
        assert not any(task.done() for task in waiting)
        return others, await asyncio.gather(*waiting)

    others, waiting = asyncio.run(go())
    assert all(isinstance(came, list) for _, came in others)
    assert {StoreBusyError} == {type(came) for _, came in waiting}
    assert max(took for took, _ in waiting) < LATE
    assert keyed_threads() <= 8


@pytest.mark.anywhere
def test_threads_with_other_keys_do_not_wait_for_a_held_key(hasty, held, server):
    """Though there are more of them than connections for keys."""
    request = held("taken")
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(hasty.add, [server.new(key="taken")]) for _ in range(20)]
        began = time.monotonic()
        for number in range(20):
            assert 1 == len(hasty.add([server.new(key=f"other {number}")]))
        assert time.monotonic() - began < DEADLINE / 2
        assert not any(one.done() for one in waiting)
        request.commit()
        told = {record.id for one in waiting for record in one.result(20)}

    assert 1 == len(told)


@pytest.mark.anywhere
def test_no_coroutine_waits_for_a_thread_beyond_its_deadline(hasty, held, server):
    """When more keys are held than there are threads; as soon as they are free, all goes on."""
    keys = [f"key {number}" for number in range(30)]
    request = held(*keys)
    adds = AsyncAdds(lambda: hasty)

    async def go(names):
        wanted = [timed(adds.add([server.new(key=key)])) for key in names]
        return await asyncio.gather(*wanted)

    told = asyncio.run(go([*keys, "free"]))
    assert {StoreBusyError, StoreUnavailableError} >= {type(came) for _, came in told[:-1]}
    assert max(took for took, _ in told) < LATE
    request.rollback()
    assert all(isinstance(came, list) for _, came in asyncio.run(go(keys)))


@pytest.mark.anywhere
def test_calls_with_one_key_get_one_job(hasty, server):
    """From threads and from coroutines, together and one after the other."""
    adds = AsyncAdds(lambda: hasty)

    async def go():
        each = [adds.add([server.new(key="one"), server.new()]) for _ in range(30)]
        return await asyncio.gather(*each)

    with ThreadPoolExecutor(10) as pool:
        threads = [pool.submit(hasty.add, [server.new(key="one")]) for _ in range(10)]
        told = asyncio.run(go()) + [one.result(20) for one in threads]

    assert 1 == len({records[0].id for records in told})
    assert 30 == len({records[1].id for records in told if len(records) > 1})


def test_coroutines_with_keys_share_a_turn_where_no_key_is_waited_for(make_bench):
    """In a file they cost as much as those without."""
    bench = make_bench("file")
    adds = AsyncAdds(lambda: bench.store)
    groups, perform = [], adds._coalescer._perform

    def counted(group):
        groups.append(len(group.works))
        return perform(group)

    adds._coalescer._perform = counted

    async def go():
        await adds.add([bench.new(key="first")])
        each = [adds.add([bench.new(key=f"key {n % 50}")]) for n in range(100)]
        return await asyncio.gather(*each)

    assert 50 == len({record.id for [record] in asyncio.run(go())})
    assert 101 == sum(groups)
    assert len(groups) < 20


@given(st.lists(st.sets(st.sampled_from("abc"), min_size=1), max_size=12))
def test_calls_of_the_same_keys_meet_and_others_do_not(calls):
    """In whatever order their keys come, as long as one of them is under way."""
    made = KeyedCoalescers(lambda: Coalescer(list, list, float, "here"))
    met = [(frozenset(keys), made.of(keys)) for keys in calls]

    assert all((keys == other) == (one is same) for keys, one in met for other, same in met)
    del met
    assert not made._of
