"""schedules: what programs declare and people add, changed while others fire it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from rotulus._jobs.record import micros
from rotulus.store import Filter, ScheduleEntry

TIDY = ScheduleEntry("tidy", "* * * * *", "UTC")
NIGHTLY = ScheduleEntry("nightly", "0 3 * * *", "UTC", task="report", arguments='{"day": 7}')


def declared(bench, *entries, patience=0.0):
    """How these schedules stand once they are declared."""
    bench.store.schedules.declare(entries, patience)
    return bench.store.schedules.read([entry.name for entry in entries])


def firing(bench, row, *minutes, **fields):
    """Jobs of a schedule for instants so many minutes from now."""
    at = [bench.clock.now() + timedelta(minutes=number) for number in minutes]
    return [
        bench.new(
            row.task or row.name, key=f"{row.name}@{one}", instant=one, schedule=row.name, **fields
        )
        for one in at
    ]


def fire(bench, row, *minutes, until=0):
    """What becomes of firing these instants, dealt with up to so many minutes from now."""
    now = micros(bench.clock.now() + timedelta(minutes=until))
    return bench.store.schedules.fire(row, now, firing(bench, row, *minutes))


def test_a_declared_schedule_stands_since_now(bench):
    """And from then on since that moment, however often it is told."""
    since = micros(bench.clock.now())
    [row] = declared(bench, TIDY)
    assert (TIDY, "code", since, since, since, None, 0) == (
        row.entry,
        row.origin,
        row.since,
        row.created_at,
        row.declared_at,
        row.paused_at,
        row.fired_to,
    )

    bench.clock.advance(3600)
    [again] = declared(bench, TIDY)
    assert row._replace(declared_at=micros(bench.clock.now())) == again


def test_a_changed_declaration_stands_since_the_change(bench):
    """No instant fires under both; what does not concern the instants moves nothing."""
    [first] = declared(bench, TIDY)
    bench.clock.advance(60)
    for changes in ({"cron": "*/5 * * * *"}, {"timezone": "Europe/London"}, {"end_at": 9}):
        [row] = declared(bench, TIDY._replace(**changes))
        assert micros(bench.clock.now()) == row.since
        bench.clock.advance(60)
        assert row.changed > first.changed
    bench.clock.advance(60)
    [other] = declared(bench, row.entry._replace(overlap="skip", arguments='{"a": 1}'))
    assert (row.since, row.version + 1) == (other.since, other.version)


def test_the_declaration_of_another_program_stands_while_it_is_told(bench):
    """Two versions of one program run side by side; the one that is left has its way."""
    declared(bench, TIDY)
    other = TIDY._replace(cron="*/5 * * * *")
    declared(bench, other)
    for _ in range(5):
        bench.clock.advance(60)
        assert [other] == [row.entry for row in declared(bench, TIDY, patience=180)]
        declared(bench, other, patience=180)
    bench.clock.advance(180)

    assert [TIDY] == [row.entry for row in declared(bench, TIDY, patience=180)]


def test_a_schedule_is_added_once(bench):
    """Its name is its own."""
    row = bench.store.schedules.add(NIGHTLY)
    assert (NIGHTLY, "added", None, 1) == (row.entry, row.origin, row.declared_at, row.version)
    assert bench.store.schedules.add(NIGHTLY._replace(cron="0 4 * * *")) is None
    assert [row] == bench.store.schedules.read() == bench.store.schedules.read(["nightly", "x"])
    assert [] == bench.store.schedules.read([])


def test_a_declaration_takes_an_added_name(bench):
    """As the code is what is known of its tasks; a pause stays."""
    bench.store.schedules.add(TIDY)
    paused = bench.store.schedules.pause("tidy", True)
    [row] = declared(bench, TIDY)

    assert ("code", paused.paused_at) == (row.origin, row.paused_at)
    assert row.version > paused.version


def test_who_changes_a_schedule_has_seen_it(bench):
    """Of two who have seen one version, one changes it."""
    row = bench.store.schedules.add(NIGHTLY)
    bench.clock.advance(60)
    changed = bench.store.schedules.set(NIGHTLY._replace(cron="0 4 * * *"), row.version)
    assert (2, micros(bench.clock.now())) == (changed.version, changed.since)
    assert bench.store.schedules.set(NIGHTLY._replace(cron="0 5 * * *"), row.version) is None
    assert bench.store.schedules.set(TIDY, 1) is None
    assert not bench.store.schedules.remove("nightly", row.version)
    assert bench.store.schedules.remove("nightly", changed.version)
    assert not bench.store.schedules.remove("nightly", changed.version)
    assert [] == bench.store.schedules.read()


def test_a_pause_is_over_when_it_is_resumed(bench):
    """It stands since then; done twice, neither changes anything."""
    bench.store.schedules.add(NIGHTLY)
    paused = bench.store.schedules.pause("nightly", True)
    assert micros(bench.clock.now()) == paused.paused_at
    bench.clock.advance(60)
    assert paused == bench.store.schedules.pause("nightly", True)
    resumed = bench.store.schedules.pause("nightly", False)
    assert (None, micros(bench.clock.now())) == (resumed.paused_at, resumed.since)
    bench.clock.advance(60)
    assert resumed == bench.store.schedules.pause("nightly", False)
    assert bench.store.schedules.pause("none", True) is None


def test_changes_are_found_by_their_number(bench):
    """Each change once, in the order of their commits, without looking at the others."""
    [tidy] = declared(bench, TIDY)
    assert [tidy] == bench.store.schedules.changed(-1)
    assert [] == bench.store.schedules.changed(tidy.changed)
    row = bench.store.schedules.add(NIGHTLY)
    assert [row] == bench.store.schedules.changed(tidy.changed)
    paused = bench.store.schedules.pause("tidy", True)
    assert [row, paused] == bench.store.schedules.changed(tidy.changed)
    assert [paused] == bench.store.schedules.changed(row.changed)
    declared(bench, TIDY)
    assert [] == bench.store.schedules.changed(paused.changed)


def test_one_of_several_fires(bench):
    """Who has seen what another one has fired since is refused, and told how it stands."""
    [row] = declared(bench, TIDY)
    bench.clock.advance(60)
    fired = fire(bench, row, 0)
    [job] = fired.jobs
    assert ("queued", "tidy@" in job.key) == (job.state, True)
    assert (micros(bench.clock.now()), [job.id]) == (
        fired.row.fired_to,
        json.loads(fired.row.last_jobs),
    )
    assert [fired.row] == bench.store.schedules.read()

    late = fire(bench, row, 0)
    assert (fired.row, None) == late
    assert [job.id] == [one.id for one in bench.store.find()]
    assert [fired.row] == bench.store.schedules.changed(-1)
    assert row.changed == fired.row.changed


def test_what_has_changed_is_not_fired(bench):
    """Edited, paused, resumed, declared otherwise, removed, or another one of the same name."""
    schedules = bench.store.schedules
    changes = [
        lambda row: schedules.set(row.entry._replace(cron="0 5 * * *"), row.version),
        lambda row: schedules.set(row.entry._replace(arguments="{}"), row.version),
        lambda row: schedules.pause("nightly", True),
        lambda row: schedules.pause("nightly", False),
        lambda row: schedules.declare([row.entry]),
        lambda row: schedules.remove("nightly", row.version),
        lambda row: bench.clock.advance(1) or schedules.add(NIGHTLY),
    ]
    row = schedules.add(NIGHTLY)
    for change in changes:
        seen = row
        change(row)
        [row] = schedules.read() or [seen]
        assert (*schedules.read(), None)[0] == fire(bench, seen, 0).row
        assert fire(bench, seen, 0).jobs is None
    assert [] == bench.store.find()


def test_an_instant_whose_key_is_held_is_no_second_job(bench):
    """As when a client of the version before has fired it."""
    [row] = declared(bench, TIDY)
    [job] = bench.store.add(firing(bench, row, 0))
    fired = fire(bench, row, 0)

    assert [job.id] == [one.id for one in fired.jobs] == [one.id for one in bench.store.find()]
    assert "[]" == fired.row.last_jobs


def test_what_overlaps_is_skipped(bench):
    """While a job that it has fired has not ended, also one that was fired by hand."""
    row = bench.store.schedules.add(NIGHTLY._replace(overlap="skip"))
    fired = fire(bench, row, 1, until=1)
    skipped = fire(bench, fired.row, 2, until=2)
    assert [] == skipped.jobs
    assert skipped.row.fired_to > fired.row.fired_to
    by_hand = bench.store.schedules.run("nightly", bench.new("report", schedule="nightly"))
    for job in [fired.jobs[0], by_hand]:
        [row] = bench.store.schedules.read()
        assert [] == fire(bench, row, 3, until=3 + job.attempt).jobs
        bench.store.cancel([job.id])
    [row] = bench.store.schedules.read()

    assert 1 == len(fire(bench, row, 4, until=5).jobs)
    assert bench.store.schedules.run("none", bench.new()) is None


@pytest.mark.parametrize("how", ["sent back", "added beside", "fired when all might"])
def test_any_job_of_a_schedule_that_has_not_ended_is_one_that_overlaps(bench, how):
    """Also one that the schedule has not noted as its last."""
    schedules = bench.store.schedules
    row = schedules.add(NIGHTLY._replace(overlap="allow" if "all" in how else "skip"))
    first = fire(bench, row, 1, until=1)
    job, row = first.jobs[0], first.row
    if how != "fired when all might":
        bench.store.cancel([job.id])
    row = fire(bench, row, 2, until=2).row
    for one in bench.store.find(Filter(states=["queued"])):
        if one.id != job.id:
            bench.store.cancel([one.id])
    if how == "sent back":
        bench.store.retry([job.id])
    elif how == "added beside":
        [job] = bench.store.add([bench.new("report", schedule="nightly")])
    else:
        row = schedules.set(row.entry._replace(overlap="skip"), row.version)
    skipped = fire(bench, row, 3, until=3)
    assert [] == skipped.jobs
    bench.store.cancel([job.id])

    assert 1 == len(fire(bench, skipped.row, 4, until=4).jobs)


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.mark.anywhere
def test_who_confirms_schedules_holds_none_while_another_one_changes_them(make_bench, migrated):
    """Or else each could wait for a schedule that the other one has."""
    bench, url = make_bench("postgres"), migrated("postgres")
    declared(bench, TIDY, NIGHTLY)
    bench.clock.advance(60)
    with psycopg.connect(url) as slow, psycopg.connect(url, autocommit=True) as other:
        slow.execute("UPDATE rotulus_revisions SET revision = revision + 1")
        slow.execute("UPDATE rotulus_schedules SET spread = spread WHERE name = 'tidy'")
        with ThreadPoolExecutor(1) as pool:
            declaring = pool.submit(bench.store.schedules.declare, [TIDY, NIGHTLY])
            try:
                while other.execute(WAITING).fetchone() == (0,):
                    assert not declaring.done()
                free = other.execute("SELECT name FROM rotulus_schedules FOR UPDATE SKIP LOCKED")
                assert [("nightly",)] == free.fetchall()
            finally:
                slow.rollback()
            declaring.result(30)

    assert {micros(bench.clock.now())} == {row.declared_at for row in bench.store.schedules.read()}
