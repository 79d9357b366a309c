"""alike: how many of some jobs have the same error, task, queue or worker."""

import pytest

from contract.workbench import ERROR
from rotulus._jobs.outcome import failed
from rotulus._jobs.states import Reason
from rotulus.errors import OptionError

NOBODY = "01020304-0000-7000-8000-000000000000"


def fail(bench, fingerprint, **fields):
    """A job that has failed with a fingerprint."""
    job = bench.running(**fields)
    error = ERROR._replace(fingerprint=fingerprint)
    bench.store.settle([failed(job.id, job.attempt, Reason.ERROR, error)])
    return bench.store.get(job.id)


def told(bench, by, jobs):
    """How many there are of each, and which is the last."""
    found = bench.store.alike([job.id for job in jobs], by)
    return {one.value: (one.jobs, one.example) for one in found}


def test_jobs_of_one_error_count_together(bench):
    """By its fingerprint; those without an error, too. The last that was added is the example."""
    one, two = fail(bench, "abc"), fail(bench, "abc")
    other, none = fail(bench, "def"), bench.add()
    fail(bench, "abc")  # nobody asks for it

    counted = {"abc": (2, two.id), "def": (1, other.id), None: (1, none.id)}
    assert counted == told(bench, "error", [none, other, two, one])
    [alike] = bench.store.alike([two.id, one.id], "error")
    assert (one.created_at, two.created_at) == (alike.first, alike.last)


def test_jobs_of_a_task_a_queue_and_a_worker_count_together(bench):
    """Whatever their states."""
    jobs = [bench.add("a", queue="q"), bench.running(task="a"), bench.ended(task="b", queue="q")]

    assert {"a": (2, jobs[1].id), "b": (1, jobs[2].id)} == told(bench, "task", jobs)
    assert (2, jobs[2].id) == told(bench, "queue", jobs)["q"]
    workers = told(bench, "worker", jobs)
    assert {None, jobs[1].worker, jobs[2].worker} == set(workers)
    assert 3 == sum(number for number, _ in workers.values())


def test_what_is_no_job_counts_nowhere(bench):
    """Nor is there another thing to count by."""
    job = bench.add()

    assert [1] == [one.jobs for one in bench.store.alike([NOBODY, "no id", job.id], "task")]
    assert [] == bench.store.alike([], "task") == bench.store.alike(["no id"], "task")
    with pytest.raises(OptionError, match="choose 'error', 'task', 'queue' or 'worker'"):
        bench.store.alike([job.id], "state")
