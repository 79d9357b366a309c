"""Failure groups: jobs that failed or died, by the fingerprint of their failure."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotulus._jobs.outcome import ErrorInfo, dead, failed, retried
from rotulus._jobs.states import Reason
from rotulus.store import FailureFilter

ALL = FailureFilter()
MANY = 1000


def error(group):
    """An error of a group."""
    return ErrorInfo("ValueError", f"no {group}", "", group)


def fail(bench, group, how=failed, **fields):
    """A job that has failed so."""
    job = bench.running(**fields)
    bench.store.settle([how(job.id, job.attempt, Reason.ERROR, error(group))])
    bench.clock.advance(1)
    return job.id


def groups(bench, wanted=ALL, limit=100, most=100):
    """The groups that there are."""
    return bench.store.failures.groups(wanted, limit, most)


def members(bench, group, **fields):
    """The ids of the jobs of a group."""
    now = bench.store.stats.moment()
    found = bench.store.failures.members(group, now, fields.pop("limit", 100), **fields)
    return [member.id for member in found]


def test_jobs_that_failed_alike_are_in_a_group(bench):
    """With how many there are, when the first and the last of them ended, and their tasks."""
    first = bench.clock.now()
    fail(bench, "aa", task="mail")
    bench.clock.advance(10)
    fail(bench, "bb", task="mail")
    last = fail(bench, "aa", dead, task="build")
    [newest, other] = groups(bench)

    assert ("aa", 2, ["build", "mail"]) == (newest.fingerprint, newest.count, newest.tasks)
    assert 12_000_000 == newest.last - newest.first
    assert first.timestamp() * 1e6 == newest.first
    assert (last, "dead") == (newest.example.id, newest.example.state)
    assert ("bb", 1) == (other.fingerprint, other.count)


def test_the_latest_failures_are_those_that_ended_last(bench):
    """Failed or dead, with an error or without, whenever they were added."""
    old = bench.add(priority=-1)
    failures = [fail(bench, "aa"), fail(bench, "bb", dead), fail(bench, "aa")]
    bench.ended()
    bench.ended("cancelled")
    [claim] = bench.claim()
    bench.store.settle([dead(claim.id, claim.attempt, Reason.CORRUPT, None)])
    latest = [job.id for job in bench.store.failures.latest(3)]

    assert [old.id, *failures[:0:-1]] == latest
    assert 4 == len(bench.store.failures.latest(100))


def test_only_what_failed_for_good_is_in_a_group(bench):
    """Not what is tried again, was cancelled, succeeded, or failed without a fingerprint."""
    job = bench.running()
    bench.store.settle([retried(job.id, job.attempt, error("aa"), 10.0)])
    bench.ended("succeeded")
    bench.ended("cancelled")
    bench.ended("failed")
    assert [] == groups(bench)

    bench.store.cancel([job.id])
    assert "cancelled" == bench.state(job)
    assert [] == groups(bench)
    assert None is bench.store.failures.group("aa", MANY)


def test_a_job_that_is_sent_back_leaves_its_group(bench):
    """Until it fails again, perhaps in another one."""
    job = fail(bench, "aa")
    bench.store.retry([job])
    assert [] == groups(bench)

    [again] = bench.claim()
    bench.store.settle([failed(again.id, again.attempt, Reason.ERROR, error("bb"))])
    assert ["bb"] == [group.fingerprint for group in groups(bench)]


def test_groups_are_those_of_a_span_and_of_a_task(bench):
    """A task is named in full, or by its beginning."""
    fail(bench, "aa", task="mail.send")
    bench.clock.advance(100)
    since = bench.store.stats.moment()
    for name in ("mail.send", "mail.receive", "mailing"):
        fail(bench, "bb", task=name)

    def found(**fields):
        return {
            g.fingerprint: (g.count, list(g.tasks)) for g in groups(bench, FailureFilter(**fields))
        }

    assert {"bb": (3, ["mail.receive", "mail.send", "mailing"])} == found(since=since)
    assert {"aa": (1, ["mail.send"]), "bb": (1, ["mail.send"])} == found(task="mail.send")
    assert {"bb": (1, ["mail.send"])} == found(task="mail.send", since=since)
    assert (2, ["mail.receive", "mail.send"]) == found(task="mail.*")["bb"]
    assert (3, ["mail.receive", "mail.send", "mailing"]) == found(task="mail*")["bb"]
    assert {} == found(task="mail.")
    assert {} == found(since=since + 1_000_000_000)


def test_a_span_counts_only_the_failures_in_it(bench):
    """The first one seen is the first of all."""
    fail(bench, "aa")
    since = bench.store.stats.moment()
    fail(bench, "aa")
    [group] = groups(bench, FailureFilter(since=since))

    assert 1 == group.count
    assert 1_000_000 == group.last - group.first


def test_groups_are_counted_up_to_a_number(bench):
    """One more says that there are more, of one task or of several."""
    for name in ("a", "b", "a"):
        fail(bench, "aa", task=name)

    assert [3, 3, 2] == [groups(bench, most=most)[0].count for most in (3, 2, 1)]


def test_the_newest_groups_come_first(bench):
    """And only so many of them."""
    for number in range(4):
        fail(bench, f"{number}")
    fail(bench, "1")

    assert ["1", "3"] == [group.fingerprint for group in groups(bench, limit=2)]
    assert [] == groups(bench, limit=0)


def test_the_members_of_a_group_come_in_pages(bench):
    """Each once, also those that ended in the same moment; those that came later are left out."""
    jobs = [bench.running(task="ab"[number % 2]) for number in range(7)]
    bench.store.settle([failed(j.id, j.attempt, Reason.ERROR, error("aa")) for j in jobs])
    fail(bench, "bb")
    until = bench.store.stats.moment()
    bench.clock.advance(5)
    fail(bench, "aa")
    found, after = [], None
    for size in itertools.cycle((1, 2)):
        page = bench.store.failures.members("aa", until, size, after)
        found += [member.id for member in page]
        if not page:
            break
        after = page[-1]

    assert sorted(job.id for job in jobs) == sorted(found)
    assert 8 == len(members(bench, "aa"))
    assert [] == members(bench, "no such group")


@pytest.mark.anywhere
@settings(max_examples=15)
@given(
    failures=st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", "z"]), st.booleans()),
        max_size=30,
    )
)
def test_groups_are_what_a_scan_of_all_jobs_finds(make_bench, failures):
    """However many groups there are, and of how many tasks each is."""
    bench = make_bench("memory")
    for group, name, is_retried in failures:
        job = fail(bench, group, task=name)
        if is_retried:
            bench.store.retry([job])
            bench.store.cancel([job])
    left = [(group, name) for group, name, is_retried in failures if not is_retried]
    expected = Counter(group for group, _ in left)

    assert expected == {group.fingerprint: group.count for group in groups(bench)}
    assert set(left) == {(g.fingerprint, name) for g in groups(bench) for name in g.tasks}


def moment(bench, seconds):
    """A moment of the store, so many seconds from now."""
    return bench.store.stats.moment() + seconds * 1_000_000


def test_a_group_is_muted_until_a_moment(bench):
    """By somebody, and with a note; then it is news again by itself."""
    fail(bench, "aa")
    fail(bench, "bb")
    now, until = bench.store.stats.moment(), moment(bench, 60)
    made = bench.store.failures.mute("aa", until, "ada", "known")
    assert ("aa", until, now, "ada", "known") == made

    def found(muted):
        return {one.fingerprint: one.mute for one in groups(bench, FailureFilter(muted=muted))}

    assert {"aa": made, "bb": None} == found(None)
    assert {"aa": made} == found(True)
    assert {"bb": None} == found(False)
    assert (made, [made]) == (
        bench.store.failures.group("aa", MANY).mute,
        bench.store.failures.mutes(),
    )
    bench.clock.advance(59)
    assert {"bb"} == set(found(False))
    bench.clock.advance(1)
    assert {"aa": None, "bb": None} == found(False) == found(None)
    assert [] == bench.store.failures.mutes()


def test_a_muted_group_does_not_take_the_place_of_another(bench):
    """Where only so many groups are wanted."""
    for name in ("aa", "bb", "cc"):
        fail(bench, name)
    bench.store.failures.mute("cc", None, None, None)

    assert ["bb"] == [one.fingerprint for one in groups(bench, FailureFilter(muted=False), limit=1)]


def test_a_group_is_muted_for_good_and_unmuted(bench):
    """Also anew, and before any job has failed so; what is not muted cannot be unmuted."""
    mute, unmute = bench.store.failures.mute, bench.store.failures.unmute
    mute("aa", moment(bench, 60), "ada", "for now")
    again = mute("aa", None, None, None)
    assert (None, None, None) == (again.until, again.muted_by, again.note)
    bench.clock.advance(1_000_000)
    assert [again] == bench.store.failures.mutes()
    assert [True, False, False] == [unmute("aa"), unmute("aa"), unmute("bb")]
    assert [] == bench.store.failures.mutes()


def test_a_mute_that_is_over_is_none(bench):
    """Neither one that is over at once, which leaves an earlier one, nor one of yesterday."""
    mute = bench.store.failures.mute
    kept = mute("aa", moment(bench, 60), None, None)
    assert None is mute("aa", moment(bench, 0), None, None)
    assert [kept] == bench.store.failures.mutes()
    bench.clock.advance(60)
    assert not bench.store.failures.unmute("aa")
    mute("aa", moment(bench, 60), None, None)
    bench.clock.advance(60)
    mute("bb", None, None, None)
    [kept] = [one for one in bench.store.size().tables if one.name == "rotulus_mutes"]
    assert 1 == kept.rows or not kept.exact


def test_a_retried_job_that_fails_again_is_muted_still(bench):
    """A mute is of the cause, and not of the jobs that there are."""
    job = fail(bench, "aa")
    bench.store.failures.mute("aa", None, None, None)
    bench.store.retry([job])
    assert [] == groups(bench, FailureFilter(muted=True))
    [again] = bench.claim()
    bench.store.settle([failed(again.id, again.attempt, Reason.ERROR, error("aa"))])
    assert ["aa"] == [one.fingerprint for one in groups(bench, FailureFilter(muted=True))]
