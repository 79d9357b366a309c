"""`app.failures`: what failed, in groups; retried and deleted as a group."""

from datetime import UTC, datetime, timedelta

import pytest

from rotulus import Retry, task
from rotulus.errors import JobNotFoundError, OptionError
from rotulus.testing import drain


@pytest.fixture
def tasks(still_app):
    """Tasks that fail in two ways, and one that goes well when it is told to."""
    well = []

    @task(registry=still_app.registry, name="mail.send")
    def send(number: int):
        if not well:
            raise ValueError(f"no address {number}")

    @task(registry=still_app.registry, retry=Retry(attempts=2, delay=60, jitter=False))
    def build():
        raise KeyError("no")

    return send, build, well


def test_failures_are_groups_of_one_cause(still_app, clock, tasks):
    """Whatever their messages are: with an example, and without what is tried again."""
    send, build, _ = tasks
    jobs = [send.enqueue(number) for number in range(3)]
    build.enqueue()
    drain(still_app)
    [group] = still_app.failures.groups()

    assert (3, "3", ("mail.send",)) == (group.count, str(group.count), group.tasks)
    assert ("ValueError", "no address") == (group.error.type, group.error.message[:10])
    assert group.example in jobs
    assert group.fingerprint == jobs[0].refresh().error.fingerprint
    assert clock.now() == group.last_seen
    assert group.fingerprint == still_app.failures.get(group.fingerprint).fingerprint
    assert {"count": 3, "exact": True}.items() <= group.to_dict().items()

    clock.advance(60)
    drain(still_app)
    assert ["build", "mail.send"] == [g.tasks[0] for g in still_app.failures.groups()]
    assert ["build"] == [g.tasks[0] for g in still_app.failures.groups(since=30)]
    assert ["mail.send"] == [g.tasks[0] for g in still_app.failures.groups(task="mail.*")]
    assert 1 == len(still_app.failures.groups(limit=1))


def test_the_latest_failures(still_app, clock, tasks):
    """The one that ended last first; what is sent back is none any more."""
    send, build, _ = tasks
    first, later = build.enqueue(), send.enqueue(1)
    drain(still_app)
    clock.advance(60)
    drain(still_app)

    assert [first, later] == still_app.failures.latest()
    assert [first] == still_app.failures.latest(limit=1)
    still_app.jobs.retry(first.id)
    assert [later] == still_app.failures.latest()
    with pytest.raises(OptionError, match="limit=-1"):
        still_app.failures.latest(limit=-1)


def test_a_group_is_retried(still_app, tasks):
    """All of it, however many pages that are; a dry run counts."""
    send, _, well = tasks
    send.enqueue_many(range(501))
    drain(still_app)
    [group] = still_app.failures.groups()
    assert 501 == still_app.failures.retry(group.fingerprint, dry_run=True)
    assert 501 == still_app.failures.get(group.fingerprint).count

    well.append(True)
    assert 501 == still_app.failures.retry(group.fingerprint)
    assert 0 == still_app.failures.retry(group.fingerprint)
    drain(still_app)
    assert [] == still_app.failures.groups()
    assert 501 == still_app.jobs.count(state="succeeded")


def test_a_group_is_deleted(still_app, tasks):
    """With its jobs; a dry run counts."""
    send, build, _ = tasks
    send.enqueue(1)
    build.enqueue()
    drain(still_app)
    still_app._clock.advance(60)
    drain(still_app)
    group = next(g for g in still_app.failures.groups() if g.tasks == ("build",))

    assert 1 == still_app.failures.delete(group.fingerprint, dry_run=True)
    assert 1 == still_app.failures.delete(group.fingerprint)
    assert [("mail.send",)] == [g.tasks for g in still_app.failures.groups()]
    with pytest.raises(JobNotFoundError, match="retried or deleted"):
        still_app.failures.get(group.fingerprint)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda failures: failures.get("nonsense"),
        lambda failures: failures.get(7),
        lambda failures: failures.retry("0123456789AB"),
        lambda failures: failures.delete(""),
        lambda failures: failures.groups(limit=-1),
        lambda failures: failures.groups(since=-1),
        lambda failures: failures.groups(since=datetime(2026, 1, 1)),
        lambda failures: failures.groups(task=7),
        lambda failures: failures.groups(task="a\0b"),
    ],
)
def test_what_is_no_group_is_refused(still_app, wrong):
    """With what it has to be."""
    with pytest.raises(OptionError):
        wrong(still_app.failures)
    assert [] == still_app.failures.groups(since=datetime.now(UTC) - timedelta(days=1))
