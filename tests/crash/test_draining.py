"""Workers are drained from elsewhere: they finish what they run, end, and are not replaced."""

import pytest

from crash.stores import on_both


@on_both
@pytest.mark.parametrize("task", ["work", "awork"])
def test_a_drained_worker_finishes_what_it_runs_and_ends(factory, task):
    """However long that takes, with exit code 0; it takes no more jobs."""
    factory.add(task, 6, seconds=5)
    worker = factory.start("--slots", "2", "--drain", "0", lease=4)
    factory.began(2)
    [drained] = factory.app.workers.drain(factory.app.workers.list()[0].name)
    assert drained.draining_at is not None
    code, states = worker.wait(30), factory.states()

    assert (0, 2, 4) == (code, states["succeeded"], states["queued"])
    assert 2 == sum(line[0] == "end" for line in factory.ledger())
    assert [] == factory.app.workers.list()
    assert [] == factory.books()


def test_an_idle_worker_that_is_drained_ends(factory):
    """It has claimed nothing yet."""
    worker = factory.start(lease=4)
    factory.until(factory.app.workers.list)
    factory.app.workers.drain(factory.app.workers.list()[0].name)

    assert 0 == worker.wait(30)
    assert 1 == len(factory.told("worker_retiring"))


def test_a_process_that_is_drained_is_not_replaced(factory):
    """The others of its supervisor go on."""
    factory.add("awork", 2, seconds=1)
    worker = factory.start("--processes", "2", "--slots", "1", "--name", "west", lease=4)
    drained, kept = factory.processes(2)
    factory.began(2)
    factory.app.workers.drain(drained)
    factory.until(lambda: [kept] == [one.name for one in factory.app.workers.list()])
    factory.add("awork", 3, seconds=0)
    factory.all_ended()
    factory.until(lambda: factory.told("process_ended"))

    assert worker.poll() is None
    assert [drained] == [record["worker"] for record in factory.told("process_ended")]
    assert 2 == len(factory.told("process_started"))
    assert [] == factory.books()


@on_both
def test_a_supervisor_whose_processes_are_drained_ends(factory):
    """By its own name all of them are; exit code 0."""
    factory.add("work", 4, seconds=5)
    worker = factory.start("--processes", "2", "--slots", "1", "--name", "west", lease=4)
    names = set(factory.processes(2))
    factory.began(2)
    assert names == {one.name for one in factory.app.workers.drain("west")}
    assert 0 == worker.wait(30)

    assert {"succeeded": 2, "queued": 2} == factory.states()
    assert 2 == len(factory.told("process_ended"))
    assert [] == factory.books()
