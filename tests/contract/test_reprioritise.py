"""reprioritise: jobs that wait get another priority."""

from contract.workbench import job_id


def test_what_waits_has_the_new_priority(bench):
    """What runs or has ended keeps its own; what is not there is left out."""
    running, ended = bench.running(priority=1), None
    waiting = [bench.add(priority=1), bench.add(priority=1, delay=9.0)]
    ended = bench.ended(priority=2_000_000 - 1_000_000)
    others = bench.add(priority=1)
    ids = [job.id for job in (running, ended, *waiting)]
    changed = bench.store.reprioritise([*ids, job_id(999), "nobody"], 5)

    assert [job.id for job in waiting] == [job.id for job in changed]
    assert {5} == {job.priority for job in changed}
    assert (1, 1_000_000, 1) == tuple(
        bench.store.get(job.id).priority for job in (running, ended, others)
    )


def test_jobs_are_claimed_by_their_new_priority(bench):
    """At once."""
    first, second = bench.add_many(2)
    bench.store.reprioritise([second.id], 7)

    assert [second.id, first.id] == [job.id for job in bench.claim()]


def test_a_run_goes_with_its_parts(bench):
    """Those that wait."""
    ids = bench.add_run({"one": [], "two": ["one"]}, of={"priority": 0})
    changed = bench.store.reprioritise([ids[""]], 3)

    assert [ids[""]] == [job.id for job in changed]
    assert {3} == {bench.store.get(job).priority for job in ids.values()}
