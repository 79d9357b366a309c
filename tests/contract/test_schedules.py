"""schedules: remembers scheduled tasks, and since when each stands as it does."""

from rotulus.store import ScheduleEntry


def test_a_new_schedule_stands_since_now(bench):
    """And from then on since that moment, however often it is told."""
    since = bench.clock.now()
    entry = ScheduleEntry("tidy", "* * * * *", "UTC")
    assert {"tidy": since} == bench.store.schedules([entry])

    bench.clock.advance(3600)
    assert {"tidy": since} == bench.store.schedules([entry])


def test_a_changed_schedule_stands_since_the_change(bench):
    """No instant fires under both."""
    bench.store.schedules([ScheduleEntry("tidy", "* * * * *", "UTC")])
    bench.clock.advance(60)
    for cron, zone in (("*/5 * * * *", "UTC"), ("*/5 * * * *", "Europe/London")):
        now = bench.clock.now()
        assert {"tidy": now} == bench.store.schedules([ScheduleEntry("tidy", cron, zone)])
        bench.clock.advance(60)


def test_only_what_is_asked_for_is_told(bench):
    """Other programs may share the store."""
    bench.store.schedules([ScheduleEntry("a", "* * * * *", "UTC")])

    assert {"b"} == set(bench.store.schedules([ScheduleEntry("b", "* * * * *", "UTC")]))
    assert {} == bench.store.schedules([])
