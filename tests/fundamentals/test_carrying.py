"""Jobs that are carried to an endpoint: published after they are stored, and run by their ids."""

import asyncio

import pytest

from rotulus import App, Published, State
from rotulus.errors import JobNotFoundError, OptionError
from rotulus.events import JobsPublished, PublishFailed


class Carrier:
    """Keeps the messages that it is given, or refuses them."""

    queue = "_out"

    def __init__(self, *names):
        self.names = names
        self.sent = []
        self.refuses = None

    def carries(self, task_name):
        return task_name in self.names

    def publish(self, jobs):
        if isinstance(self.refuses, Exception):
            raise self.refuses
        out = [job.id for job in jobs if not (self.refuses and self.refuses(job))]
        self.sent += out
        return Published(out, None if len(out) == len(jobs) else OSError("some were refused"))


@pytest.fixture
def carrier(registry):
    """A carrier of the task `t`."""

    @registry.register("t")
    def t(value=1):
        return value

    @registry.register("plain")
    def plain():
        return None

    return Carrier("t")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def carrying(request, registry, carrier, tmp_path):
    """An app on either store that has the carrier."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    if request.param == "postgres":
        url = request.getfixturevalue("database")
    made = App(url, registry=registry)
    made.store.migrate()
    made.carry(carrier)
    yield made
    made.close()


def test_a_carried_job_is_published_when_it_is_stored(carrying, carrier):
    """In the queue of the carrier; other tasks are not its business."""
    job, other = carrying.enqueue("t"), carrying.enqueue("plain")

    assert [job.id] == carrier.sent
    assert ("_out", "default") == (job.queue, other.queue)
    assert 0 == carrying.relay()


def test_so_it_is_from_coroutines(carrying, carrier):
    """Without blocking the event loop."""

    async def main():
        job = await carrying.aenqueue("t", value=3)
        result = await carrying.jobs.arun(job.id)
        assert [job.id] == carrier.sent
        assert (True, State.SUCCEEDED) == (result.ran, result.job.state)
        assert 0 == await carrying.arelay()

    asyncio.run(main())


def test_an_attempt_is_made_once(carrying, carrier):
    """A message that is delivered again finds it ended."""
    job = carrying.enqueue("t", value=7)
    first, again = carrying.jobs.run(job.id), carrying.jobs.run(job.id)

    assert (True, State.SUCCEEDED, 7) == (first.ran, first.job.state, first.job.result())
    assert (False, State.SUCCEEDED) == (again.ran, again.job.state)
    assert 1 == again.job.attempt


def test_an_enqueue_succeeds_though_nothing_can_be_published(carrying, carrier):
    """What waits is published by a later call."""
    told = []
    carrying.events.subscribe(told.append, PublishFailed, JobsPublished)
    carrier.refuses = OSError("no route")
    job = carrying.enqueue("t")
    [failed] = told

    assert ([job.id], "no route") == ([one.id for one in failed.jobs], str(failed.error))
    assert [] == carrier.sent
    assert carrying.store.outbox.entry(job.id).published_at is None


def test_an_unknown_job_is_an_error(carrying):
    """There is nothing to make an attempt of."""
    with pytest.raises(JobNotFoundError, match="No job"):
        carrying.jobs.run("00000000-0000-7000-8000-000000000001")


def test_an_app_has_one_carrier(carrying, carrier):
    """And its queue is private."""
    carrying.carry(carrier)
    with pytest.raises(OptionError, match="has a carrier already"):
        carrying.carry(Carrier())


def test_a_tick_does_every_duty(carrying, carrier):
    """It publishes what is due, among others."""
    carrier.refuses = OSError("no route")
    job = carrying.enqueue("t")
    entry = carrying.store.outbox.entry(job.id)
    assert entry.due_at > job.created_at
    carrying.store.outbox.republish([job.id])
    carrier.refuses = None

    assert 1 == carrying.tick().published
    assert [job.id] == carrier.sent
    assert 0 == carrying.tick().published
