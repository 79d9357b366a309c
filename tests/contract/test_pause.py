"""pause: queues whose jobs can be added and not claimed, until they are resumed."""


def test_a_resumed_queue_is_claimed_again(bench):
    """What was added meanwhile is there."""
    bench.store.pause(["x"], paused=True)
    job = bench.add(queue="x")
    assert [] == bench.claim()

    bench.store.pause(["x"], paused=False)
    assert [job.id] == [claimed.id for claimed in bench.claim()]


def test_running_jobs_of_a_paused_queue_run_on(bench):
    """Pausing stops claims, nothing else."""
    job = bench.running(queue="x")
    bench.store.pause(["x"], paused=True)

    assert "running" == bench.state(job)


def test_pausing_twice_keeps_the_first_moment(bench):
    """The queue is paused since then."""
    since = bench.clock.now()
    bench.store.pause(["x"], paused=True)
    bench.clock.advance(60)
    bench.store.pause(["x", "y"], paused=True)

    assert since == bench.store.fleet().paused["x"]


def test_resuming_what_is_not_paused_does_nothing(bench):
    """Also twice."""
    bench.store.pause(["x"], paused=False)
    bench.store.pause(["x"], paused=False)

    assert {} == bench.store.fleet().paused


def test_a_queue_can_be_paused_before_it_has_a_job(bench):
    """Pausing is about the name."""
    bench.store.pause(["later"], paused=True)
    bench.add(queue="later")

    assert [] == bench.claim()
