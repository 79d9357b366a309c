"""A worker that is drained is told so when it is announced."""


def test_a_drained_worker_is_told_when_it_is_announced(bench):
    """Each time from then on, with claims or without; no other worker is."""
    bench.store.extend([], 30.0, bench.worker("w1"))
    bench.store.extend([], 30.0, bench.worker("w2"))
    [drained] = bench.store.drain_workers(["w1"])

    assert ("w1", bench.clock.now()) == (drained.name, drained.draining_at)
    assert bench.store.extend([], 30.0, bench.worker("w1")).draining
    assert bench.store.extend([], 30.0, bench.worker("w1")).draining
    assert not bench.store.extend([], 30.0, bench.worker("w2")).draining
    assert not bench.store.extend([], 30.0).draining
    told = {worker.name: worker.draining_at for worker in bench.store.fleet().workers}
    assert {"w1": drained.draining_at, "w2": None} == told


def test_a_worker_is_drained_once(bench):
    """The moment stays at which it was told first."""
    bench.store.extend([], 30.0, bench.worker("w1"))
    [first] = bench.store.drain_workers(["w1"])
    bench.clock.advance(5)
    [second] = bench.store.drain_workers(["w1", "w1"])

    assert first.draining_at == second.draining_at


def test_a_worker_that_is_not_alive_is_not_drained(bench):
    """Nobody hears it, and a later one of that name is another one."""
    bench.store.extend([], 30.0, bench.worker("w1"))
    bench.clock.advance(31)

    assert [] == bench.store.drain_workers(["w1", "nobody"])
    assert [] == bench.store.drain_workers([])
    assert not bench.store.extend([], 30.0, bench.worker("w1")).draining
