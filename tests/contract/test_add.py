"""add: all or none, in order; a held key gives its holder; a caller's transaction is joined."""

import sqlite3
from datetime import timedelta

import pytest

from contract.workbench import OUTCOMES
from rotulus._jobs.record import micros
from rotulus.errors import OptionError, StoreError


def test_a_job_that_is_due_is_queued(bench):
    """A job without a delay can be claimed at once."""
    record = bench.add(queue="mail", priority=3, arguments='{"a":1}')

    assert ("queued", "mail", 3, '{"a":1}', 0) == (
        record.state,
        record.queue,
        record.priority,
        record.arguments,
        record.attempt,
    )
    assert micros(bench.clock.now()) == record.created_at == record.run_at


@pytest.mark.parametrize("later", [{"delay": 60.0}, {"at": "in a minute"}])
def test_a_job_that_is_due_later_is_delayed(bench, later):
    """A delay, or a moment that lies ahead, makes it delayed until then."""
    if "at" in later:
        later = {"at": bench.clock.now() + timedelta(seconds=60)}
    record = bench.add(**later)

    assert "delayed" == record.state
    assert micros(bench.clock.now()) + 60_000_000 == record.run_at


def test_a_moment_in_the_past_is_due(bench):
    """A job for yesterday is queued now."""
    assert "queued" == bench.add(at=bench.clock.now() - timedelta(days=1)).state


def test_what_add_gives_is_what_get_gives(bench):
    """The record that add gives is the one that is stored."""
    record = bench.add(
        key="k",
        window=5.0,
        limit_key="l",
        limit_to=2,
        expires=9.0,
        schedule="s",
        instant=bench.clock.now(),
        arguments='{"text":"ü \\u0000"}',
    )

    assert record == bench.store.get(record.id)._replace(history=None)


def test_jobs_are_given_in_the_order_they_were_asked(bench):
    """A batch comes back in its own order, keyed or not."""
    jobs = [bench.new(key=key) for key in ("b", None, "a", None)]

    assert [job.id for job in jobs] == [record.id for record in bench.store.add(jobs)]


def test_nothing_is_added_when_one_of_them_cannot_be(bench):
    """A batch is all or none."""
    good, bad = bench.new(), bench.new(queue=None)

    with pytest.raises(StoreError):
        bench.store.add([good, bad])

    assert [] == bench.store.find()


def test_adding_no_jobs_adds_none(bench):
    """An empty batch is fine."""
    assert [] == bench.store.add([])


def test_a_held_key_gives_its_holder(bench):
    """A job whose key a live job holds is not added."""
    first = bench.add(key="k", arguments='{"n":1}')
    second = bench.add(key="k", arguments='{"n":2}')

    assert first == second
    assert 1 == len(bench.store.find())


def test_two_equal_keys_in_one_call_make_one_job(bench):
    """Also within one batch the first one is the holder."""
    first, second = bench.store.add([bench.new(key="k"), bench.new(key="k")])

    assert first == second


@pytest.mark.parametrize("how", ["succeeded", "failed", "dead", "cancelled"])
def test_a_key_is_free_when_its_job_has_ended(bench, how):
    """A key without a window is held only while its job is live."""
    job = bench.ended(how, key="k")

    assert job.id != bench.add(key="k").id


@pytest.mark.parametrize("how", ["retried", "snoozed", "released"])
def test_a_key_is_held_while_its_job_waits_again(bench, how):
    """A job that was sent back still holds its key."""
    job = bench.running(key="k")
    bench.store.settle([OUTCOMES[how](job)])

    assert job.id == bench.add(key="k").id


def test_a_key_is_held_for_its_window_also_after_the_end(bench):
    """With a window, a second job has to wait for it, and no longer."""
    job = bench.ended("succeeded", key="k", window=60.0)
    bench.clock.advance(59)
    assert job.id == bench.add(key="k").id

    bench.clock.advance(1)
    assert job.id != bench.add(key="k").id


def test_a_key_is_held_beyond_its_window_while_its_job_is_live(bench):
    """A window that is over gives no live key away."""
    job = bench.add(key="k", window=60.0)
    bench.clock.advance(3600)

    assert job.id == bench.add(key="k").id


def test_adding_the_same_job_twice_adds_it_once(bench):
    """An add may be repeated when its answer was lost."""
    job = bench.new()
    bench.store.add([job])
    bench.store.add([job])

    assert 1 == len(bench.store.find())


def test_a_job_joins_the_transaction_of_a_connection(file, tmp_path):
    """It exists when the caller commits, and not before."""
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        connection.execute("BEGIN")
        [record] = file.store.add([file.new()], connection)
        assert file.store.get(record.id) is None
    connection.close()

    assert "queued" == file.store.get(record.id).state


def test_a_job_goes_when_the_caller_rolls_back(file, tmp_path):
    """What was rolled back was never there."""
    connection = sqlite3.connect(tmp_path / "jobs.db")
    connection.execute("CREATE TABLE mine (a)")
    connection.execute("INSERT INTO mine VALUES (1)")
    [record] = file.store.add([file.new()], connection)
    connection.rollback()
    connection.close()

    assert file.store.get(record.id) is None


def test_a_connection_to_another_file_is_refused(file, tmp_path):
    """A job cannot join a transaction of another database."""
    connection = sqlite3.connect(tmp_path / "other.db")

    with pytest.raises(OptionError, match="only a connection to the same file"):
        file.store.add([file.new()], connection)
    connection.close()


def test_something_that_is_not_a_connection_is_refused(bench):
    """The error says what a connection has to be."""
    with pytest.raises(OptionError, match=r"takes a (sqlite3\.C|c)onnection"):
        bench.store.add([bench.new()], object())


@pytest.mark.parametrize("ended", [False, True], ids=["waits", "ended"])
@pytest.mark.parametrize("how", ["plain", "keyed", "limited", "parts", "parts and key", "mixed"])
def test_the_same_add_twice_adds_once(bench, how, ended):
    """An answer may have been lost: what is here already stands as it is by now."""
    made = {
        "plain": lambda: [bench.new(), bench.new()],
        "keyed": lambda: [bench.new(key="k"), bench.new(key="l"), bench.new()],
        "limited": lambda: [bench.new(limit_key="m", limit_to=9)],
        "parts": lambda: [bench.new(parts=bench.parts({"a": [], "b": ["a"]}))],
        "parts and key": lambda: [bench.new(parts=bench.parts({"a": []}), key="k"), bench.new()],
        "mixed": lambda: [
            bench.new(),
            bench.new("u", key="k"),
            bench.new(parts=bench.parts({"a": []})),
        ],
    }
    jobs = made[how]()
    first = bench.store.add(jobs)
    there = len(bench.store.find(limit=1000))
    while ended and bench.work():
        pass
    again = bench.store.add(jobs)

    assert [job.id for job in first] == [job.id for job in again] == [job.id for job in jobs]
    assert there == len(bench.store.find(limit=1000))
    assert {ended} == {job.ended_at is not None for job in again}


def test_one_job_twice_in_one_add_is_one_job(bench):
    """Its record stands in both places."""
    for job in (bench.new(), bench.new(key="k"), bench.new(parts=bench.parts({"a": []}))):
        assert [job.id, job.id] == [record.id for record in bench.store.add([job, job])]


def test_a_job_that_gave_its_key_back_is_still_itself(bench):
    """Also when another one holds the key by now."""
    old = bench.new(key="k")
    bench.store.add([old])
    bench.work()
    other = bench.add(key="k")

    assert other.id != old.id
    assert [old.id] == [job.id for job in bench.store.add([old])]
