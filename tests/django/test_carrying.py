"""Jobs that are published once the transaction of Django is committed that they are added in."""

from functools import partial

import pytest
from django.db import connections, transaction

from rotulus import Published


def test_a_function_waits_for_a_commit_once(jobs):
    """However often it is told to, unless what it waits with may be rolled back by itself."""
    called = []

    def note():
        called.append("note")

    wait = partial(jobs.store.outbox.on_commit, note)
    with transaction.atomic(using="jobs"):
        wait()
        wait()
        with transaction.atomic(using="jobs"):
            wait()
        assert [] == called
    assert ["note"] == called

    called.clear()
    with transaction.atomic(using="jobs"):
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
            wait()
            1 / 0
        wait()
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
            wait()
            1 / 0
    assert ["note"] == called

    called.clear()
    with transaction.atomic(using="jobs"), transaction.atomic(using="jobs"):
        wait()
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        wait()
        1 / 0
    wait()
    assert ["note", "note"] == called


class Carrier:
    """Keeps what it is given to publish."""

    queue = "_out"

    def __init__(self):
        self.sent = []

    def carries(self, task_name):
        return task_name == "t"

    def retry(self, _task_name):
        return None

    def publish(self, jobs):
        self.sent.append({job.id for job in jobs})
        return Published([job.id for job in jobs])


def test_what_a_block_enqueues_is_published_together(jobs):
    """One relay waits for its commit, however many jobs there are; none if it rolls back."""
    jobs.registry.register("t")(lambda: None)
    carrier = Carrier()
    jobs.carry(carrier)

    with transaction.atomic(using="jobs"):
        added = {jobs.enqueue("t").id}
        waiting = len(connections["jobs"].run_on_commit)
        added |= {jobs.enqueue("t").id for _ in range(5)}
        assert waiting == len(connections["jobs"].run_on_commit)
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="jobs"):
        jobs.enqueue("t")
        1 / 0
    assert [added] == carrier.sent
