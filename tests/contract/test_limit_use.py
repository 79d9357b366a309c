"""Who holds the keys of limits, and how many wait for them."""

MINUTE = 60_000_000
"""In microseconds."""


def test_keys_tell_their_holders_and_who_waits(bench):
    """With the limit that their jobs say; jobs without one are not among them."""
    bench.add()
    jobs = [
        bench.add("send", queue="mail", limit_key="tenant:7", limit_to=2, priority=3 - number)
        for number in range(3)
    ]
    bench.add("call", limit_key="api", rate_to=9, rate_per=60.0)
    claimed = bench.claim(queues=["mail"])
    api, tenant = bench.store.limits()

    assert {jobs[0].id, jobs[1].id} == {job.id for job in claimed}
    assert ("tenant:7", ["mail"], ["send"]) == (tenant.key, tenant.queues, tenant.tasks)
    assert (2, None, None, 1) == (
        *(tenant.limit_to, tenant.rate_to, tenant.rate_per, tenant.waiting),
    )
    assert {jobs[0].id, jobs[1].id} == set(tenant.holders)
    assert ("api", None, 9, MINUTE, [], 1) == (
        *(api.key, api.limit_to, api.rate_to, api.rate_per, api.holders, api.waiting),
    )


def test_jobs_of_several_queues_share_a_key(bench):
    """All of their queues and tasks are told, and the largest limit."""
    bench.add("a", queue="one", limit_key="k", limit_to=1)
    bench.add("b", queue="two", limit_key="k", limit_to=3)
    [limit] = bench.store.limits()

    assert (["one", "two"], ["a", "b"], 3, 2) == (
        *(limit.queues, limit.tasks, limit.limit_to, limit.waiting),
    )


def test_what_has_ended_holds_nothing(bench):
    """Nor does what is to be run later."""
    bench.ended(limit_key="k", limit_to=1)
    bench.add(limit_key="k", limit_to=1, delay=60.0)

    assert [] == bench.store.limits()


def test_so_many_are_looked_at(bench):
    """Of those that run and of those that wait."""
    bench.add_many(5, limit_key="k", limit_to=2)
    bench.claim(2)
    [limit] = bench.store.limits(1)

    assert (1, 1) == (len(limit.holders), limit.waiting)
