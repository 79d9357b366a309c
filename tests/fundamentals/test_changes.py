"""app.changes: what happens, as it happens, for as many as listen."""

import asyncio
import gc
import sqlite3
import threading
import time

import psycopg
import pytest

from rotulus import App, task
from rotulus._app import change_feed, change_stream
from rotulus.errors import EventLoopError, StoreError
from rotulus.events import DutyFailed, StoreFailed, StoreRecovered
from rotulus.testing import drain
from statement_counter import StatementCounter


@pytest.fixture
def mail(app):
    """A task."""

    def mail(number: int) -> int:
        return number

    return task("mail", queue="post", registry=app.registry)(mail)


def take(stream, count):
    """So many changes."""
    return [next(stream) for _ in range(count)]


def until(stream, name, what):
    """The changes up to one."""
    heard = []
    while not heard or heard[-1].name != name or heard[-1].what != what:
        heard.append(next(stream))
    return heard


def test_a_thread_hears_what_becomes_of_jobs(app, mail):
    """From when it has begun to listen, in order."""
    mail.enqueue(0)
    with app.changes() as changes:
        job = mail.enqueue(1)
        [change] = take(changes, 1)
        drain(app)
        later = until(changes, job.id, "succeeded")

    assert ("job", job.id, "queued", "mail", "post") == change[2:]
    assert ["running", "succeeded"] == [
        one.what for one in later if one.kind == "job" and one.name == job.id
    ]


def test_a_coroutine_hears_the_same(app, mail):
    """`async for`."""

    async def listen(job):
        heard = []
        async with app.changes(jobs=[job.id]) as changes:
            mail.enqueue(2)
            await asyncio.to_thread(drain, app)
            async for change in changes:
                heard.append((change.name, change.what))
                if change.what == "succeeded":
                    break
        return heard

    job = mail.enqueue(1)
    heard = asyncio.run(listen(job))
    assert [(job.id, "running"), (job.id, "succeeded")] == heard


def test_a_coroutine_takes_what_there_is(app, mail):
    """All that waits at once, nothing after a time in which nothing comes, and None at the end."""

    async def listen():
        async with app.changes(queues=["a", "b"]) as changes:
            nothing = await changes.take(0.01)
            await asyncio.to_thread(app.store.pause, ["a", "b"], True)
            found = await changes.take(30)
            await asyncio.to_thread(mail.enqueue, 1)
        return nothing, found, await changes.take(30)

    nothing, found, end = asyncio.run(listen())
    assert ([], ["a", "b"], None) == (nothing, [change.name for change in found], end)


def test_only_what_is_wanted_is_heard(app, mail, registry):
    """Some queues, some jobs, or both."""
    other = task("other", queue="other", registry=registry)(lambda: None)
    with app.changes(queues=["other"]) as changes:
        mail.enqueue(1)
        app.queues.pause("post")
        app.queues.pause("other")
        job = other.enqueue()
        heard = take(changes, 2)

    assert [("other", "paused"), (job.id, "queued")] == [(one.name, one.what) for one in heard]


def test_a_listener_goes_on_where_another_one_ended(app, mail):
    """At its position, though nobody has listened in between."""
    with app.changes() as changes:
        mail.enqueue(1)
        take(changes, 1)
    missed = mail.enqueue(2)
    with app.changes(after=changes.position) as changes:
        [first] = take(changes, 1)
        now = mail.enqueue(3)
        [second] = take(changes, 1)

    assert [missed.id, now.id] == [first.name, second.name]
    assert second.position == changes.position


def test_a_position_that_is_not_known_begins_with_a_reset(app, mail):
    """One that is too old, or of another store; then it goes on."""
    with app.changes(after=1_000_000) as changes:
        [reset] = take(changes, 1)
        job = mail.enqueue(1)
        [change] = take(changes, 1)

    assert ("reset", "reset") == (reset.kind, reset.what)
    assert job.id == change.name


def test_a_listener_that_is_too_slow_is_told_so_and_keeps_little(app, mail, monkeypatch):
    """It has missed changes; what comes after is told again."""
    monkeypatch.setattr(change_stream, "_MOST_WAITING", 10)
    with app.changes() as slow, app.changes() as quick:
        mail.enqueue_many([(number,) for number in range(25)])
        app.queues.pause("end")
        until(quick, "end", "paused")
        assert len(slow._waiting) <= 10
        reset = next(slow)
        heard = until(slow, "end", "paused")

    assert "reset" == reset.kind
    assert all(one.position > reset.position for one in heard)


def test_a_reader_that_is_behind_goes_on_at_the_newest_position(app, mail, monkeypatch):
    """It is told one reset for all that it would be too slow to read, and then what comes next."""
    monkeypatch.setattr(change_feed, "_AT_ONCE", 10)
    with app.changes() as changes:
        start = changes.position
        mail.enqueue_many([(number,) for number in range(35)])
        reset = next(changes)
        job = mail.enqueue(1)
        change = next(changes)

    assert ("reset", start + 35) == (reset.kind, reset.position)
    assert (job.id, start + 36) == (change.name, change.position)


def test_fifty_listeners_ask_once_a_second_in_all(app, mail, monkeypatch):
    """However much happens."""
    counter = StatementCounter(monkeypatch)
    streams = [app.changes() for _ in range(50)]
    for stream in streams:
        stream.__enter__()
    over = threading.Event()

    def work():
        while not over.wait(0.01):
            mail.enqueue(1)

    worker = threading.Thread(target=work)
    worker.start()
    counter.until(is_read)
    begun, at = len(list(filter(is_read, counter.said))), time.monotonic()
    counter.until(lambda _: len(list(filter(is_read, counter.said))) >= begun + 3)
    took = time.monotonic() - at
    over.set()
    worker.join()
    heard = [next(stream).name for stream in streams]
    for stream in streams:
        stream.close()

    assert took > 1.9
    assert 1 == len(set(heard))


def test_a_look_is_one_statement_also_where_it_finds_something(app, mail, monkeypatch):
    """So whoever looks once a second hears of a change within a second."""
    counter = StatementCounter(monkeypatch)
    position = app.store.changes.listen()
    mail.enqueue_many([(1,), (2,)])
    for expected in (2, 0):
        counter.said.clear()
        found = app.store.changes.read(position, 10)
        assert (expected, 1) == (len(found), len(list(filter(is_read, counter.said))))
        position += len(found)


def is_read(said):
    """Whether a statement reads changes, or gives them positions."""
    return (
        "-- The changes after a position" in said or "-- Changes that have been committed" in said
    )


def test_a_listener_that_waits_hears_that_the_app_is_closed(registry):
    """Its loop ends."""
    app = App("sqlite://", registry=registry)
    changes = app.changes()
    changes.__enter__()
    listener = threading.Thread(target=lambda: list(changes))
    listener.start()
    app.close()
    listener.join(30)

    assert not listener.is_alive()


def test_close_ends_the_loop_of_another_thread(app):
    """At once."""
    changes = app.changes()
    changes.__enter__()
    listener = threading.Thread(target=lambda: list(changes))
    listener.start()
    changes.close()
    listener.join(30)

    assert not listener.is_alive()


def test_nobody_reads_when_nobody_listens_any_more(app, mail):
    """Whether a stream was closed, or forgotten."""
    for forget in (False, True):
        before = set(threading.enumerate())
        stream = app.changes()
        stream.__enter__()
        [reader] = set(threading.enumerate()) - before
        if not forget:
            stream.close()
        del stream
        gc.collect()
        reader.join(30)
        assert not reader.is_alive()


def test_a_plain_for_on_an_event_loop_is_told_what_to_write(app):
    """It would block the loop, with all that runs on it."""

    async def listen():
        with pytest.raises(EventLoopError, match="async for change in app.changes()"):
            for _ in app.changes():
                pass
        async with app.changes() as changes:
            with pytest.raises(EventLoopError, match="async for"):
                next(changes)

    asyncio.run(listen())


class Failing:
    """Listens to an app whose reads of changes fail in a way, and takes notes of what is told."""

    def __init__(self, app):
        self.told, self._said = [], threading.Semaphore(0)
        app.events.subscribe(self._note, StoreFailed, DutyFailed, StoreRecovered)

    def _note(self, event):
        self.told.append(event)
        self._said.release()

    def wait(self):
        """Until something more is told."""
        assert self._said.acquire(timeout=30)


def goes_on(app, harm, mend):
    """The events of a listener that reads, cannot read for a while, and then misses nothing."""
    failing, mail = Failing(app), task("mail", registry=app.registry)(lambda: None)
    with app.changes() as changes:
        first = mail.enqueue()
        assert first.id == next(changes).name
        harm()
        failing.wait()
        mend()
        failing.wait()
        second = mail.enqueue()
        assert second.id == next(changes).name
    return failing.told


@pytest.mark.anywhere
def test_a_store_that_is_away_is_told_once_and_so_is_that_it_is_back(registry):
    """Listeners wait meanwhile."""
    app = App("sqlite:///jobs.db", registry=registry)
    other = sqlite3.connect("jobs.db", isolation_level=None)
    failed, recovered = goes_on(
        app,
        lambda: other.execute("ALTER TABLE rotulus_changes RENAME TO elsewhere"),
        lambda: other.execute("ALTER TABLE elsewhere RENAME TO rotulus_changes"),
    )
    other.close()
    app.close()

    assert isinstance(failed.error, StoreError)
    assert (StoreFailed, "changes") == (type(failed), failed.doing)
    assert (StoreRecovered, "changes") == (type(recovered), recovered.doing)


@pytest.mark.anywhere
def test_whatever_else_goes_wrong_listeners_do_not_wait_for_ever(migrated, registry, monkeypatch):
    """Such as a driver that has no room for what it reads: it is told, and tried again."""
    broken, execute = threading.Event(), psycopg.Cursor.execute

    def without_room(cursor, query, *args, **kwargs):
        text = query if isinstance(query, str) else query.decode()
        if broken.is_set() and is_read(text):
            raise MemoryError("no room")
        return execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", without_room)
    app = App(migrated(clock=False), registry=registry)
    failed, recovered = goes_on(app, broken.set, broken.clear)
    app.close()

    assert isinstance(failed.error, MemoryError)
    assert (DutyFailed, "changes") == (type(failed), failed.duty)
    assert (StoreRecovered, "changes") == (type(recovered), recovered.doing)
