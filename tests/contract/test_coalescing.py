"""Calls that come together share a transaction, and nothing else: no failure, no wait, no thread."""

import asyncio
import json
import random
import signal
import sqlite3
import string
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

import psycopg
import pytest

from contract.workbench import OUTCOMES
from rotulus._app.adding import AsyncAdds
from rotulus._jobs.log_line import LogRow
from rotulus.errors import (
    SchemaError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
)
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import connection as sqlite_settings


@pytest.fixture
def url(migrated):
    """A server's database, on its own clock."""
    return migrated("postgres", clock=False)


def coalescer_of(store):
    """What performs the adds of a store."""
    return (store._adder if hasattr(store, "_adder") else store._commit)._coalescer


def together(coalescer, *acts):
    """Do things in threads that all come while a group is under way; what came of each."""
    held, leave = threading.Event(), threading.Event()

    def hold():
        held.set()
        leave.wait(20)

    holder = threading.Thread(target=coalescer.alone, args=(hold,))
    holder.start()
    held.wait(20)
    with ThreadPoolExecutor(len(acts)) as pool:
        told = []
        for waiting, act in enumerate(acts, 1):
            told.append(pool.submit(act))
            while len(coalescer._waiting) < waiting:
                wait(told[-1:], 0.0005)
        leave.set()
        holder.join()
        return [one.exception(20) or one.result() for one in told]


def test_calls_that_come_together_share_a_transaction(shared):
    """And each has its own answer."""
    coalescer, groups = coalescer_of(shared.store), []
    perform = coalescer._perform

    def counted(group):
        groups.append(len(group.works))
        return perform(group)

    coalescer._perform = counted
    jobs = [shared.new() for _ in range(20)]
    told = together(coalescer, *(lambda job=job: shared.store.add([job]) for job in jobs))

    assert [job.id for job in jobs] == [record.id for [record] in told]
    assert [20] == groups


@pytest.mark.parametrize("bad", [0, 3, 6])
def test_a_call_that_cannot_be_stored_fails_by_itself(shared, bad):
    """Its neighbours are stored."""
    jobs = [shared.new(queue=None if number == bad else "q") for number in range(7)]
    told = together(
        coalescer_of(shared.store), *(lambda job=job: shared.store.add([job]) for job in jobs)
    )

    assert isinstance(told.pop(bad), StoreRefusedError)
    jobs.pop(bad)
    assert [job.id for job in jobs] == [record.id for [record] in told]
    assert {job.id for job in jobs} == {job.id for job in shared.store.find()}


@pytest.mark.parametrize("bad", [0, 3, 6])
def test_a_coroutine_whose_job_cannot_be_stored_fails_by_itself(shared, bad):
    """Its neighbours, and those that come later, go on."""
    adds = AsyncAdds(lambda: shared.store)
    jobs = [shared.new(queue=None if number == bad else "q") for number in range(7)]

    async def hand_in():
        each = await asyncio.gather(*(adds.add([job]) for job in jobs), return_exceptions=True)
        return each, await adds.add([shared.new()])

    told, later = asyncio.run(hand_in())
    assert isinstance(told.pop(bad), StoreRefusedError)
    assert 6 == len([record for [record] in told])
    assert 1 == len(later)


def test_a_coroutine_needs_none_of_the_threads_of_its_loop(shared):
    """They may all wait for it."""
    adds = AsyncAdds(lambda: shared.store)

    async def go():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))

        def legacy():
            added = adds.add([shared.new(key="k"), shared.new()])
            return asyncio.run_coroutine_threadsafe(added, loop).result(20)

        return await asyncio.gather(*(asyncio.to_thread(legacy) for _ in range(8)))

    assert 8 == len(asyncio.run(go()))


def test_a_coroutine_that_is_cancelled_fails_nobody(shared):
    """The others have their answers, also those of another event loop."""
    adds = AsyncAdds(lambda: shared.store)

    async def hand_in():
        tasks = [asyncio.create_task(adds.add([shared.new()])) for _ in range(6)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    for told in (asyncio.run(hand_in()), asyncio.run(hand_in())):
        assert 3 == sum(isinstance(one, list) for one in told)
        assert {list, asyncio.CancelledError} == {type(one) for one in told}


def deny(*actions):
    """An authorizer that lets none of some ends of transactions be prepared."""

    def authorize(action, what, *_):
        denied = action == sqlite3.SQLITE_TRANSACTION and what in actions
        return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK

    return authorize


@pytest.mark.parametrize("actions", [["COMMIT"], ["COMMIT", "ROLLBACK"], ["BEGIN", "ROLLBACK"]])
def test_nobody_is_told_that_it_is_stored_when_the_commit_fails(file, actions):
    """Not even when it cannot be rolled back; what comes later is stored."""
    file.add()

    def refuse():
        file.store._connections.writer().set_authorizer(deny(*actions))

    def allow():
        file.store._connections.writer().set_authorizer(None)

    file.store._commit.alone(refuse)
    jobs = [file.new() for _ in range(4)]
    told = together(
        coalescer_of(file.store), *(lambda job=job: file.store.add([job]) for job in jobs)
    )
    file.store._commit.alone(allow)

    assert {StoreUnavailableError} == {type(one) for one in told}
    assert file.add().id in {job.id for job in file.store.find()}
    assert 2 == len(file.store.find())


@pytest.fixture
def hasty(url):
    """A store on a server that gives up a call after two seconds."""
    store = PostgresStore(read_address(f"{url}?deadline=2"))
    yield store
    store.close()


SECONDS = 2
"""How long a call of that store may take."""


def timed(act):
    """How long something took, and what it came to."""
    began = time.monotonic()
    try:
        came = act()
    except StoreError as error:
        came = error
    return time.monotonic() - began, came


@pytest.mark.anywhere
def test_no_caller_of_a_server_waits_for_longer_than_its_deadline(hasty, url, server):
    """Waiting for the group before is part of it."""
    adds = AsyncAdds(lambda: hasty)
    jobs = [server.new() for _ in range(24)]

    async def hand_in():
        began = time.monotonic()
        told = await asyncio.gather(*(adds.add([j]) for j in jobs[12:]), return_exceptions=True)
        return [(time.monotonic() - began, one) for one in told]

    with psycopg.connect(url) as holder, ThreadPoolExecutor(13) as pool:
        holder.execute("LOCK TABLE rotulus_jobs IN ACCESS EXCLUSIVE MODE")
        coroutines = pool.submit(asyncio.run, hand_in())
        threads = list(pool.map(lambda job: timed(lambda: hasty.add([job])), jobs[:12]))
        told = [*threads, *coroutines.result(20)]
        holder.rollback()

    assert max(took for took, _ in told) < 1.75 * SECONDS
    assert {StoreBusyError, StoreUnavailableError} >= {type(came) for _, came in told}


def test_no_caller_of_a_file_waits_for_longer_than_its_deadline(file, tmp_path, monkeypatch):
    """And is told how its own transaction could take the job along."""
    monkeypatch.setattr(sqlite_settings, "BUSY_TIMEOUT", 0.5)
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as own:
        own.execute("BEGIN IMMEDIATE")
        jobs = [file.new() for _ in range(12)]
        with ThreadPoolExecutor(12) as pool:
            told = list(pool.map(lambda job: timed(lambda: file.store.add([job])), jobs))

    assert max(took for took, _ in told) < 1.0
    assert {StoreBusyError} == {type(came) for _, came in told}
    assert all("using(connection=...)" in str(came) for _, came in told)


def test_a_long_write_of_a_process_fails_none_of_its_other_writes(file, monkeypatch):
    """Neither those that share its transaction nor those behind it: only other processes count."""
    monkeypatch.setattr(sqlite_settings, "BUSY_TIMEOUT", 0.05)
    begun, leave = threading.Event(), threading.Event()

    def long(_):
        begun.set()
        leave.wait(0.5)

    def add():
        return len(file.store.add([file.new()]))

    with ThreadPoolExecutor(6) as pool:
        sharing = pool.submit(
            together, coalescer_of(file.store), lambda: file.store._commit.run(long), add, add
        )
        begun.wait(20)
        behind = [pool.submit(add) for _ in range(4)]

        assert [None, 1, 1] == sharing.result(20)
        assert [1, 1, 1, 1] == [one.result(20) for one in behind]


def counted(adds):
    """The lengths of the groups of adds, as they come."""
    groups, perform = [], adds._coalescer._perform

    def count(group):
        groups.append(len(group.works))
        return perform(group)

    adds._coalescer._perform = count
    return groups


def hand_in(adds, jobs):
    """Add jobs at the same time, each for itself; what comes of each."""

    async def gather():
        return await asyncio.gather(*(adds.add([job]) for job in jobs), return_exceptions=True)

    return asyncio.run(gather())


def test_what_no_call_is_to_blame_for_is_told_to_all_that_wait(file):
    """The store is not asked again for each of them."""
    adds = AsyncAdds(lambda: file.store)
    groups = counted(adds)
    file.store._connections.writer().execute("PRAGMA query_only = 1")
    told = hand_in(adds, [file.new() for _ in range(64)])

    assert {StoreReadOnlyError} == {type(one) for one in told}
    assert len(groups) < 8


@pytest.mark.parametrize("wrong", ["no tables", "closed"])
def test_what_is_wrong_with_a_whole_file_is_told_to_all_that_wait(file, tmp_path, wrong):
    """No call is to blame where there are no tables of jobs, or the connection is closed."""
    adds = AsyncAdds(lambda: file.store)
    groups = counted(adds)
    if wrong == "closed":
        file.store._connections.writer().close()
    else:
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as other:
            other.execute("ALTER TABLE rotulus_jobs RENAME TO elsewhere")
    told = hand_in(adds, [file.new() for _ in range(64)])

    assert {SchemaError if wrong == "no tables" else StoreClosedError} == {
        type(one) for one in told
    }
    assert len(groups) < 8


@pytest.mark.anywhere
def test_a_call_that_is_too_long_for_an_index_fails_by_itself(server):
    """A database without such a limit takes it."""
    long = server.new(queue="".join(random.choices(string.printable, k=20_000)))
    few = [server.new() for _ in range(3)]
    jobs = [*few[:2], long, few[2]]
    told = together(
        coalescer_of(server.store), *(lambda job=job: server.store.add([job]) for job in jobs)
    )

    assert isinstance(told.pop(2), StoreRefusedError)
    assert [job.id for job in few] == [record.id for [record] in told]


@pytest.mark.parametrize("wrong", ["table", "statement", "parameter"])
def test_a_call_whose_statement_is_wrong_fails_by_itself(file, tmp_path, wrong):
    """A claim, a settlement and an add that share its transaction are done."""
    ended, due, new = file.running(), file.add(), file.new()
    line = LogRow(ended.id, 1, 1, 1_000_000, 20, "", "text")
    statements = {"statement": ("SELECT nothing FROM nowhere",), "parameter": ("SELECT ?", [{}])}

    def fail():
        if wrong == "table":
            file.store.logs.add([line])
        else:
            file.store._commit.run(lambda connection: connection.execute(*statements[wrong]))

    if wrong == "table":
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as other:
            other.execute("ALTER TABLE rotulus_logs RENAME TO elsewhere")
    claimed, failed, settled, again, added = together(
        coalescer_of(file.store),
        file.claim,
        fail,
        lambda: file.store.settle([OUTCOMES["succeeded"](ended)]),
        fail,
        lambda: file.store.add([new]),
    )

    assert isinstance(failed, StoreError)
    assert isinstance(again, StoreError)
    assert [due.id] == [job.id for job in claimed]
    assert [new.id] == [job.id for job in added]
    assert not isinstance(settled, Exception)
    assert "succeeded" == file.state(ended)


def test_a_call_that_needs_more_room_than_there_is_fails_alone(file):
    """Those that fit are stored, though they were handed in with it."""
    writer = file.store._connections.writer()
    [(pages,)] = writer.execute("PRAGMA page_count").fetchall()
    writer.execute(f"PRAGMA max_page_count = {pages + 16}")
    large = file.new(arguments=json.dumps({"args": ["x" * 500_000]}))
    small = [file.new() for _ in range(6)]
    told = hand_in(AsyncAdds(lambda: file.store), [*small[:3], large, *small[3:]])

    assert isinstance(told.pop(3), StoreFullError)
    assert [job.id for job in small] == [record.id for [record] in told]


@pytest.fixture
def server(make_bench):
    """A store on a server."""
    return make_bench("postgres")


@pytest.mark.anywhere
def test_a_key_that_somebody_holds_keeps_nobody_else_waiting(server, migrated):
    """However many wait for it: threads, coroutines, and the one who holds it go on."""
    adds = AsyncAdds(lambda: server.store)
    store, waiting = server.store, 20

    async def hand_in():
        keyed = [asyncio.create_task(adds.add([server.new(key="k")])) for _ in range(waiting)]
        await asyncio.wait_for(asyncio.gather(*(adds.add([server.new()]) for _ in range(50))), 5)
        return keyed

    def blocked():
        seen = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(migrated("postgres"), autocommit=True) as look:
            while not look.execute(seen).fetchone()[0]:
                wait(keyed, 0.01)

    with psycopg.connect(migrated("postgres")) as request, ThreadPoolExecutor(waiting) as pool:
        [held] = store.add([server.new(key="k")], request)
        keyed = [pool.submit(store.add, [server.new(key="k")]) for _ in range(waiting)]
        blocked()
        took, _ = timed(lambda: [store.add([server.new()]) for _ in range(50)])
        assert took < 5
        assert not any(one.done() for one in keyed)

        async def both():
            tasks = await hand_in()
            assert not any(task.done() for task in tasks)
            request.commit()
            return await asyncio.gather(*tasks)

        told = asyncio.run(both()) + [one.result(20) for one in keyed]

    assert {held.id} == {record.id for [record] in told}


class Ringing(Exception):
    """What a handler raises."""


@pytest.fixture
def on_alarm():
    """Sets what to do at the next alarm."""
    before = signal.getsignal(signal.SIGALRM)

    def set_handler(handler):
        signal.signal(signal.SIGALRM, lambda *_: handler())

    yield set_handler
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signal_handler_enqueues_while_the_main_thread_does(shared, on_alarm):
    """Again and again: everything is stored that was said to be, by both."""
    told = []

    def handler():
        told.append(shared.add().id)
        signal.setitimer(signal.ITIMER_REAL, 0.0041)

    on_alarm(handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0041)
    own = [shared.add().id for _ in range(300)]
    signal.setitimer(signal.ITIMER_REAL, 0)
    shared.add()

    assert told
    assert {*own, *told} <= {job.id for job in shared.store.find(limit=10_000)}


def test_what_a_signal_handler_raises_reaches_whom_it_interrupted(shared):
    """Though its call is performed together with others', which are stored."""
    coalescer = coalescer_of(shared.store)
    perform, raised = coalescer._perform, []

    def ring(group):
        if len(group.works) > 1 and not raised:
            raised.append(True)
            raise Ringing
        return perform(group)

    coalescer._perform = ring
    jobs = [shared.new() for _ in range(4)]
    told = together(coalescer, *(lambda job=job: shared.store.add([job]) for job in jobs))

    assert 1 == sum(isinstance(one, Ringing) for one in told)
    assert {job.id for job in jobs} == {job.id for job in shared.store.find()}
