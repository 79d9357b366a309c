"""backlog: how many jobs wait and run in each queue, and since when."""

from rotulus._jobs.record import micros


def told(bench, **most):
    """What waits, without the moments."""
    return {
        (one.queue, str(one.state)): (one.jobs, one.exact) for one in bench.store.backlog(**most)
    }


def oldest(bench):
    """For how many seconds the oldest has waited, by queue."""
    now = micros(bench.clock.now())
    found = bench.store.backlog()
    return {one.queue: (now - one.oldest) / 1e6 for one in found if one.oldest is not None}


def test_jobs_are_counted_by_queue_and_state(bench):
    """Those that have not ended."""
    bench.ended(queue="x")
    bench.running(queue="x")
    bench.add(queue="x")
    bench.add(queue="x", limit_key="l", limit_to=1)
    bench.add(queue="y", delay=9.0)
    bench.add_run({"one": [], "two": ["one"]}, of={"queue": "z"}, queue="z")

    assert {
        ("x", "queued"): (2, True),
        ("x", "running"): (1, True),
        ("y", "delayed"): (1, True),
        ("z", "queued"): (1, True),
        ("z", "blocked"): (2, True),
    } == told(bench)


def test_nothing_waits_in_an_empty_store(bench):
    """Nor where all has ended."""
    assert [] == bench.store.backlog()
    bench.ended()
    assert [] == bench.store.backlog()


def test_counting_ends(bench):
    """In each queue, and for each other kind; what may be more is not exact."""
    for queue in ("x", "y"):
        bench.add_many(5, queue=queue)
    bench.add_many(2, queue="few")
    bench.add_many(4, queue="x", delay=9.0)

    assert {
        ("few", "queued"): (2, True),
        ("x", "delayed"): (4, False),
        ("x", "queued"): (4, False),
        ("y", "queued"): (4, False),
    } == told(bench, most=3)


def test_the_oldest_waits_since_it_was_due(bench):
    """Whatever its priority and its limits are, and however many came after it."""
    bench.add(queue="x")
    bench.add(queue="y", limit_key="l", limit_to=1)
    bench.clock.advance(10)
    bench.add_many(20, queue="x", priority=5)
    bench.add(queue="z", delay=4.0)
    bench.clock.advance(10)

    assert {"x": 20.0, "y": 20.0, "z": 6.0} == oldest(bench)
    bench.claim(queues=["none"])  # what has come due is queued by the next claim
    assert {"x": 20.0, "y": 20.0, "z": 6.0} == oldest(bench)


def test_what_is_due_and_what_soon_will_be_is_told(bench):
    """Also while no claim has made it queued: with no worker there is no claim."""
    bench.add(queue="x")
    for delay in (5.0, 9.0, 60.0, 70.0, 70.1, 900.0):
        bench.add(queue="x", delay=delay)
    bench.running(queue="x")
    bench.add(queue="y", delay=70.0)
    bench.clock.advance(10)

    def told():
        return {(one.queue, str(one.state)): one[5:] for one in bench.store.backlog()}

    still = {("x", "running"): (0, 0), ("y", "delayed"): (0, 1)}
    assert {("x", "queued"): (1, 0), ("x", "delayed"): (2, 2), **still} == told()
    bench.claim(queues=["none"])
    assert {("x", "queued"): (3, 0), ("x", "delayed"): (0, 2), **still} == told()


def test_running_jobs_are_counted_by_worker(bench):
    """So many of them; workers that run none are left out."""
    assert {} == bench.store.running()
    bench.add_many(5)
    bench.ended()
    for worker, jobs in (("w1", 3), ("w2", 2)):
        bench.claim(jobs, worker=worker)

    assert {"w1": 3, "w2": 2} == bench.store.running()
    assert 4 == sum(bench.store.running(4).values())


def test_the_last_runs_of_tasks_are_found(bench):
    """The last job of each that is no step of a run, among the last ones; a run or not one yet."""
    old, _ = bench.add("run"), bench.add("other")
    run = bench.add_run({"one": []}, of={"task": "other"})
    waiting = bench.add("late", delay=9.0)
    last = bench.add_run({"one": []})

    def found(*tasks, **most):
        return {job.task: job.id for job in bench.store.last_runs(tasks, **most)}

    assert last[""] == found("run")["run"] != run[""]
    assert old.id != last[""]
    assert {"late": waiting.id} == found("late", "none", "\0")
    assert {} == found("late", most=2)
    assert {"run", "other", "late"} == set(found("run", "other", "late"))
