"""Groups: jobs that are added one by one, and the job that waits for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.test_races import CLIENTS, race
from contract.workbench import OUTCOMES, job_id
from rotulus._jobs.outcome import opened
from rotulus._jobs.states import State
from rotulus.store import ClaimFilter, Filter


def new_head(bench, key="group:g", **fields):
    """The head of a group to add."""
    return bench.new("report", key=key, **fields)


def begin(bench, members=0, **fields):
    """The head of an open group with so many members."""
    head = bench.store.groups.open(new_head(bench, **fields))
    if members:
        add(bench, head, members)
    return head


def add(bench, head, count=1, **fields):
    """So many members that have been added; None if they cannot be."""
    return bench.store.groups.add(head.id, [bench.new(**fields) for _ in range(count)])


def waits(bench, head):
    """The state of a head, and how many it waits for."""
    record = bench.store.get(head.id)
    return record.state, record.waits_for


def test_a_head_waits_until_the_group_is_closed_and_all_members_have_ended(bench):
    """Members run at once; a group whose members have ended waits for others while it is open."""
    head = begin(bench, 2)
    assert ("blocked", 3) == waits(bench, head)
    assert ["000000001", "000000002"] == bench.work()
    assert ("blocked", 1) == waits(bench, head)
    assert [] == bench.claim()

    [third] = add(bench, head)
    assert ("000000003", "queued", head.id) == (third.step, third.state, third.run)
    assert bench.store.groups.close(head.id)
    assert ("blocked", 1) == waits(bench, head)
    assert [["000000003"], [""]] == [bench.work(), bench.work()]
    assert "succeeded" == bench.state(head)


def test_a_head_is_due_when_its_group_is_closed_after_all_have_ended(bench):
    """Also a group that has no members. It was not late before."""
    head = begin(bench, 1)
    bench.work()
    bench.clock.advance(3600)
    assert bench.store.groups.close(head.id)
    empty = begin(bench, key="group:empty")
    assert bench.store.groups.close(empty.id)

    assert [("queued", 0)] * 2 == [waits(bench, one) for one in (head, empty)]
    assert 3600_000_000 == bench.store.get(head.id).run_at - head.run_at
    assert ["", ""] == bench.work()


@pytest.mark.parametrize("how", ["failed", "dead", "skipped", "cancelled"])
def test_it_is_due_however_its_members_ended(bench, how):
    """Its callback decides."""
    head = begin(bench, 1)
    bench.store.groups.close(head.id)
    bench.work(how)

    assert "queued" == bench.state(head)


def test_a_closed_group_takes_no_members(bench):
    """Nor one that has ended, was cancelled, or never was; nor a workflow."""
    groups, head = bench.store.groups, begin(bench, 1)
    assert groups.is_open(head.id)
    assert [True, False] == [groups.close(head.id), groups.close(head.id)]
    cancelled = begin(bench, key="group:c")
    bench.store.cancel([cancelled.id])
    plain, workflow = bench.add(), bench.add_run({"a": []})

    ids = [head.id, cancelled.id, plain.id, *workflow.values(), job_id(999_999), "no id"]
    jobs = len(bench.store.find())
    assert [False] * 7 == [groups.is_open(one) for one in ids]
    assert [None] * 7 == [groups.add(one, [bench.new()]) for one in ids]
    assert [False] * 6 == [groups.close(one) for one in (head.id, *ids[2:])]
    assert (jobs, ("blocked", 1)) == (len(bench.store.find()), waits(bench, head))


def test_a_call_may_be_repeated(bench):
    """Nothing is added, or counted, twice."""
    head, groups = new_head(bench), bench.store.groups
    first = groups.open(head)
    assert first == groups.open(head)
    jobs = [bench.new(), bench.new()]
    added = groups.add(first.id, jobs)
    assert added == groups.add(first.id, jobs)
    more = [jobs[1], bench.new()]
    assert added[1] == groups.add(first.id, more)[0]

    assert ("blocked", 4) == waits(bench, first)
    assert [] == bench.store.recount().jobs
    groups.close(first.id)
    assert 3 == len(bench.work())
    assert [""] == bench.work()


def test_a_group_is_found_by_its_key_until_it_has_ended(bench):
    """Then the key makes a new one; where another job holds the key, that is given."""
    head = begin(bench)
    assert head == bench.store.groups.open(new_head(bench))
    bench.store.groups.close(head.id)
    assert head.id == bench.store.groups.open(new_head(bench)).id
    bench.work()
    assert head.id != bench.store.groups.open(new_head(bench)).id
    other = bench.add(key="group:other")
    assert other == bench.store.groups.open(new_head(bench, key="group:other"))


def test_members_keep_what_they_were_added_with(bench):
    """But for a key: none is held. Labels find them."""
    head = begin(bench)
    [job] = add(bench, head, key="k", delay=60.0, labels='{"line":"1"}', limit_key="l", limit_to=1)

    assert (None, "delayed", "l") == (job.key, job.state, job.limit_key)
    assert [job] == bench.store.find(Filter(labels=["line=1"]))
    assert bench.store.get(job.id).key is None
    assert bench.add(key="k").key == "k"


def test_a_cancelled_group_ends_with_its_members_and_is_open_again_when_retried(bench):
    """It goes on as it was."""
    head = begin(bench, 2)
    bench.store.cancel([head.id])
    assert {"cancelled"} == set(bench.steps(head.id).values())
    bench.store.retry([head.id])

    assert bench.store.groups.is_open(head.id)
    assert ("blocked", 3) == waits(bench, head)
    assert ["000000001", "000000002"] == bench.work()
    add(bench, head)
    bench.store.groups.close(head.id)
    assert [["000000003"], [""]] == [bench.work(), bench.work()]


def test_a_member_that_is_retried_has_its_head_run_again(bench):
    """When it has ended; the other members stay, and so do all arguments."""
    head = begin(bench, 1)
    [bad] = add(bench, head, arguments='{"n":1}')
    bench.store.groups.close(head.id)
    bench.work(**{"000000002": "failed"})
    bench.work()
    assert "succeeded" == bench.state(head)
    bench.store.retry([bad.id])

    assert ("blocked", 1) == waits(bench, head)
    assert ["000000002"] == bench.work()
    assert '{"n":1}' == bench.store.get(bad.id).arguments
    assert [""] == bench.work()
    assert 2 == bench.store.get(head.id).attempt


def test_a_paused_group_begins_nothing(bench):
    """Members that are added meanwhile wait, and closing it makes nothing due."""
    head = begin(bench, 1)
    bench.store.pause([], paused=True, runs=[head.id])
    [late] = add(bench, head)
    assert ("blocked", []) == (late.state, bench.claim())
    bench.store.cancel([late.id])
    bench.store.groups.close(head.id)
    bench.store.pause([], paused=False, runs=[head.id])

    assert [["000000001"], [""]] == [bench.work(), bench.work()]


def test_a_paused_group_is_not_due_when_it_is_closed(bench):
    """But when it is resumed."""
    head = begin(bench)
    bench.store.pause([], paused=True, runs=[head.id])
    assert bench.store.groups.close(head.id)
    assert ("blocked", 0) == waits(bench, head)
    bench.store.pause([], paused=False, runs=[head.id])

    assert [""] == bench.work()


def test_an_open_group_is_counted_right(bench):
    """A recount finds nothing to mend, open or closed."""
    head = begin(bench, 3)
    assert [] == bench.store.recount().jobs
    bench.store.groups.close(head.id)
    assert [] == bench.store.recount().jobs
    assert ("blocked", 3) == waits(bench, head)


def test_a_group_is_deleted_whole(bench):
    """An open one that was cancelled, too: nothing is left of it."""
    head = begin(bench, 2)
    bench.store.cancel([head.id])

    assert [head.id] == [job.id for job in bench.store.delete([head.id])]
    assert [] == bench.store.find()
    again = begin(bench, 1)
    assert ("blocked", 2) == waits(bench, again)


def test_a_member_that_opens_parts_is_waited_for(bench):
    """With all of them; others are numbered after it."""
    head = begin(bench, 1)
    [job] = bench.claim()
    [part] = bench.parts({"a": []})
    inner = part._replace(step="000000001/a")
    assert [] == bench.store.settle([opened(job.id, job.attempt, [inner])])

    assert [["000000001/a"], ["000000001"]] == [bench.work() for _ in range(2)]
    [late] = add(bench, head)
    assert "000000002" == late.step
    bench.store.groups.close(head.id)
    assert [["000000002"], [""]] == [bench.work(), bench.work()]


ACTS = ["add", "add", "claim", "succeeded", "failed", "lost", "close", "cancel", "retry", "pause"]


@given(st.lists(st.sampled_from([*ACTS, "resume"]), max_size=25))
def test_a_head_is_due_when_it_waits_for_nothing_and_only_then(make_bench, acts):
    """Whatever happens to its group, in any order: what it waits for is always counted right."""
    bench = make_bench("memory")
    head, running = begin(bench), []
    for act in acts:
        if act == "add":
            is_open = bench.store.groups.is_open(head.id)
            assert is_open == (add(bench, head) is not None)
        elif act == "claim":
            running += bench.claim(1, names=["t"])
        elif act in OUTCOMES:
            bench.store.settle([OUTCOMES[act](job) for job in running[:1]])
            running = running[1:]
        elif act == "close":
            is_open = bench.store.groups.is_open(head.id)
            assert is_open == bench.store.groups.close(head.id)
        elif act in ("pause", "resume"):
            bench.store.pause([], paused=act == "pause", runs=[head.id])
        else:
            getattr(bench.store, act)([head.id])
        jobs = bench.store.find(Filter(run=head.id), 1000)
        live = sum(job.ended_at is None for job in jobs if job.id != head.id)
        now = next(job for job in jobs if job.id == head.id)
        waits_for = live + bench.store.groups.is_open(head.id)
        if now.ended_at is None:
            assert waits_for == now.waits_for
            assert ("blocked" if waits_for or now.paused else "queued") == now.state
        else:
            assert "cancelled" == now.state
    assert [] == bench.store.recount().jobs


def test_clients_open_one_group_of_a_name(shared):
    """All of them at once."""
    heads = [new_head(shared) for _ in range(CLIENTS)]
    opened_by = race(shared, lambda n, store: store.groups.open(heads[n]).id)

    assert 1 == len(set(opened_by))
    assert 1 == len(shared.store.find())


def test_no_member_is_lost_or_added_too_late_while_others_add_end_and_close(shared):
    """The head is due once, after every member that was taken; those after the end are refused."""
    head = begin(shared, 1)
    jobs = [[shared.new() for _ in range(20)] for _ in range(CLIENTS)]

    def act(number, store):
        if number == 0:
            _work(store, 30)
            return [store.groups.close(head.id)]
        taken = []
        for job in jobs[number]:
            taken += [one.id for one in store.groups.add(head.id, [job]) or []]
            _work(store, 1)
        return taken

    closed, *added = race(shared, act)
    assert [True] == closed
    while shared.work():
        pass
    members = {job.id for job in shared.store.find(Filter(run=head.id), 1000)} - {head.id}
    assert {one for some in added for one in some} == members - {job_id(2)}
    assert ("succeeded", 0) == waits(shared, head)
    ends = [shared.store.get(one).ended_at for one in members]
    assert max(ends) <= shared.store.get(head.id).ended_at
    assert 1 == shared.store.get(head.id).attempt


def _work(store, times):
    """Claim and settle members, but not heads, a few times."""
    for _ in range(times):
        jobs = store.claim(ClaimFilter("w", names=["t"]), 3, 30.0)
        store.settle([OUTCOMES["succeeded"](job) for job in jobs])


def test_what_happens_is_told(bench):
    """To those who listen: members that are added, and a head that is due."""
    changes = bench.store.changes
    last = changes.listen()
    head = begin(bench, 1)
    bench.work()
    bench.store.groups.close(head.id)
    told = [(one.name, one.what) for one in changes.read(last, 100) if one.kind == "job"]

    assert (head.id, str(State.BLOCKED)) == told[0]
    assert (head.id, str(State.QUEUED)) == told[-1]
