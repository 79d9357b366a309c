"""Webhooks in a store: what is kept of them, and the fence that adds the jobs of a change once."""

import json
import random
import threading

import pytest

from rotulus._jobs.record import micros
from rotulus._tasks.masking import MaskedNames
from rotulus._text.ids import Ids
from rotulus.events import Events
from rotulus.store import Advance, Filter, WebhookEntry
from rotulus.webhooks import feeding
from rotulus.webhooks.feeding import TellWebhooks

SECRET, OTHER, THIRD = "whsec_MTIz", "whsec_NDU2", "whsec_Nzg5"

ENTRY = WebhookEntry(
    "ops", "https://example.com/a?b=c", '["job.failed","run.*"]', "mail.*", "mail", '{"a":"b"}'
)


def added(bench, name="ops", position=7):
    """A webhook of that name."""
    return bench.store.webhooks.add(ENTRY._replace(name=name), SECRET, position)


def standing(bench, name="ops"):
    """A webhook as it stands."""
    [row] = bench.store.webhooks.read([name])
    return row


def test_a_webhook_is_kept_as_it_was_added(bench):
    """At the position that was given, of version 1; and read by its name."""
    row = added(bench)
    added(bench, "billing")

    assert row == standing(bench)
    assert ENTRY == row.entry
    assert (SECRET, None, 7, None, 1) == (
        row.secret,
        row.old_secret,
        row.position,
        row.paused_at,
        row.version,
    )
    assert micros(bench.clock.now()) == row.created_at
    assert ["billing", "ops"] == [one.name for one in bench.store.webhooks.read()]
    assert [] == bench.store.webhooks.read(["no"]) == bench.store.webhooks.read([])


def test_a_name_that_is_taken_is_not_added(bench):
    """And the webhook that has it stays as it is."""
    row = added(bench)

    assert bench.store.webhooks.add(ENTRY._replace(url="https://b.com"), OTHER, 9) is None
    assert row == standing(bench)


def test_a_change_raises_the_version_and_another_version_is_not_changed(bench):
    """Whatever the change is."""
    added(bench)
    webhooks = bench.store.webhooks
    bench.clock.advance(5)
    entry = ENTRY._replace(url="https://b.com/", task=None, labels=None)

    changed = webhooks.set(entry, 1)
    assert (entry, 2, SECRET, 7) == (
        changed.entry,
        changed.version,
        changed.secret,
        changed.position,
    )
    assert changed == standing(bench)
    assert micros(bench.clock.now()) == changed.updated_at
    assert [None] * 5 == [
        webhooks.set(entry, 1),
        webhooks.pause("ops", 1),
        webhooks.resume("ops", 1, 3),
        webhooks.rotate("ops", 1, OTHER, 60.0),
        webhooks.set(entry._replace(name="no"), 1),
    ]
    assert not webhooks.remove("ops", 1)
    assert changed == standing(bench)


def test_the_numbers_of_changes_grow(bench):
    """Over all webhooks."""
    rows = [added(bench), added(bench, "b"), bench.store.webhooks.pause("ops", 1)]

    assert sorted({row.changed for row in rows}) == [row.changed for row in rows]


def test_a_webhook_that_is_paused_goes_on_where_it_is_told(bench):
    """To pause it twice, or to resume it twice, changes nothing."""
    added(bench)
    webhooks = bench.store.webhooks
    paused = webhooks.pause("ops", 1, "gone")

    assert (micros(bench.clock.now()), "gone", 2) == (
        paused.paused_at,
        paused.reason,
        paused.version,
    )
    assert paused == webhooks.pause("ops", 2)
    resumed = webhooks.resume("ops", 2, 42)
    assert (None, None, 42, 3) == (
        resumed.paused_at,
        resumed.reason,
        resumed.position,
        resumed.version,
    )
    assert resumed == webhooks.resume("ops", 3, 99) == standing(bench)


def test_the_old_secret_is_kept_for_a_while_and_only_one_is(bench):
    """The last one."""
    added(bench)
    first = bench.store.webhooks.rotate("ops", 1, OTHER, 60.0)
    assert (OTHER, SECRET, micros(bench.clock.now()) + 60_000_000) == (
        first.secret,
        first.old_secret,
        first.old_until,
    )

    second = bench.store.webhooks.rotate("ops", 2, THIRD, 60.0)
    assert (THIRD, OTHER) == (second.secret, second.old_secret)


def test_a_webhook_that_is_removed_is_gone(bench):
    """And its name is free."""
    added(bench)

    assert bench.store.webhooks.remove("ops", 1)
    assert [] == bench.store.webhooks.read()
    assert not bench.store.webhooks.remove("ops", 1)
    assert 1 == added(bench).version


def test_the_jobs_of_changes_are_added_with_the_position(bench):
    """Those of each webhook that stands where it was seen; and of no other."""
    added(bench)
    added(bench, "behind")
    added(bench, "paused")
    bench.store.webhooks.pause("paused", 1)
    names = ("ops", "behind", "paused", "no")
    jobs = {name: [bench.new(key=f"{name}:{number}") for number in (1, 2)] for name in names}
    seen = {"ops": 7, "behind": 6, "paused": 7, "no": 7}

    told = bench.store.webhooks.advance([Advance(name, seen[name], 9) for name in names], jobs)

    assert {"ops": [job.id for job in jobs["ops"]]} == {
        name: [record.id for record in records] for name, records in told.items()
    }
    assert {"ops": 9, "behind": 7, "paused": 7} == {
        row.name: row.position for row in bench.store.webhooks.read()
    }
    assert {job.id for job in jobs["ops"]} == {job.id for job in bench.store.find(limit=99)}
    assert 1 == standing(bench).version
    assert standing(bench).missed_at is None


def test_a_position_may_be_told_without_jobs_and_may_go_back(bench):
    """Where changes are missing, that is noted, and stays noted."""
    added(bench)
    webhooks = bench.store.webhooks
    assert {"ops": []} == webhooks.advance([Advance("ops", 7, 3, missed=True)], {})
    at = micros(bench.clock.now())
    bench.clock.advance(1)
    assert {"ops": []} == webhooks.advance([Advance("ops", 3, 4)], {})

    assert (4, at) == (standing(bench).position, standing(bench).missed_at)
    assert {} == webhooks.advance([], {})


def test_of_several_who_tell_the_same_one_adds_the_jobs(shared):
    """At the same moment, from several clients."""
    added(shared)
    clients = [shared.store, *(shared.open_another() for _ in range(3))]
    told, start = [], threading.Barrier(len(clients))

    def tell(store):
        for position in range(7, 27):
            start.wait()
            job = shared.new(key=f"ops:{position}")
            told.append(
                store.webhooks.advance([Advance("ops", position, position + 1)], {"ops": [job]})
            )

    threads = [threading.Thread(target=tell, args=[store]) for store in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 27 == standing(shared).position
    assert 20 == len([one for one in told if one])
    assert sorted(f"ops:{position}" for position in range(7, 27)) == sorted(
        job.key for job in shared.store.find(limit=99)
    )


def test_several_who_tell_several_do_not_wait_for_each_other(shared):
    """In whatever order they name the webhooks, and whoever pauses one meanwhile."""
    for name in ("a", "b"):
        added(shared, name, 0)
    stores = [shared.store, shared.open_another()]

    def tell(store, names):
        for position in range(20):
            store.webhooks.advance([Advance(name, position, position + 1) for name in names], {})
            row = store.webhooks.read([names[0]])[0]
            store.webhooks.pause(names[0], row.version)
            row = store.webhooks.read([names[0]])[0]
            store.webhooks.resume(names[0], row.version, position + 1)
            store.webhooks.slow(names[1], 1.0)

    threads = [
        threading.Thread(target=tell, args=[store, names])
        for store, names in zip(stores, ("ab", "ba"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not any(thread.is_alive() for thread in threads)


def test_the_longest_time_to_wait_counts(bench):
    """A shorter one that comes later does not end it; and its version stays."""
    added(bench)
    bench.store.webhooks.slow("ops", 60.0)
    until = standing(bench).slow_until
    bench.store.webhooks.slow("ops", 1.0)
    bench.store.webhooks.slow("no", 1.0)

    assert micros(bench.clock.now()) + 60_000_000 == until == standing(bench).slow_until
    assert 1 == standing(bench).version


@pytest.mark.parametrize("text", ["é\u2028'\"\\", "x" * 2000])
def test_every_text_comes_back(bench, text):
    """As it is."""
    bench.store.webhooks.add(ENTRY._replace(url=text, labels=text), text, 2**62)

    assert (text, text, text, 2**62) == (
        standing(bench).url,
        standing(bench).labels,
        standing(bench).secret,
        standing(bench).position,
    )


def test_several_who_look_at_the_same_moment_tell_each_event_once(shared):
    """Each from its own place, with whatever the others do between."""
    shared.store.webhooks.add(
        WebhookEntry("ops", "https://example.com", '["job.*"]'),
        SECRET,
        shared.store.changes.listen(),
    )
    stores = [shared.store, *(shared.open_another() for _ in range(3))]
    ids = Ids(shared.clock.now, random.SystemRandom())
    now = shared.clock.now()
    over, start = threading.Event(), threading.Barrier(len(stores) + 1)

    def tell(store):
        start.wait()
        while not over.is_set():
            TellWebhooks(store, ids, lambda: 0.5, Events(), MaskedNames()).tick(now)
        TellWebhooks(store, ids, lambda: 0.5, Events(), MaskedNames()).tick(now)

    threads = [threading.Thread(target=tell, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    start.wait()
    jobs = []
    for _ in range(15):
        jobs += [shared.add(delay=9999) for _ in range(3)]
        shared.store.cancel([job.id for job in jobs[-3:]])
    over.set()
    for thread in threads:
        thread.join()
    # Of those who looked last each may have left it to the others: whoever looks next does it.
    TellWebhooks(shared.store, ids, lambda: 0.5, Events(), MaskedNames()).tick(now)

    told = [json.loads(job.labels)["subject"] for job in deliveries(shared)]
    assert sorted(job.id for job in jobs) == sorted(told)
    keys = [job.key for job in deliveries(shared)]
    assert all(key.startswith("webhook:ops:") for key in keys)


def deliveries(bench):
    """The jobs that deliver messages."""
    return bench.store.find(Filter(task="rotulus.deliver_webhook"), 10_000)


def test_more_changes_than_fit_into_one_portion_are_told(bench, monkeypatch):
    """In several transactions, all within one look."""
    monkeypatch.setattr(feeding, "_AT_ONCE", 7)
    entry = WebhookEntry("ops", "https://example.com", '["job.cancelled"]')
    start = bench.store.changes.listen()
    bench.store.webhooks.add(entry, SECRET, start)
    jobs = bench.add_many(20, delay=9999)
    bench.store.cancel([job.id for job in jobs])
    ids = Ids(bench.clock.now, random.SystemRandom())
    TellWebhooks(bench.store, ids, lambda: 0.5, Events(), MaskedNames()).tick(bench.clock.now())

    assert 20 == len(deliveries(bench))
    assert 40 <= standing(bench).position - start <= 60  # some of the deliveries are among them


def test_a_process_leaves_it_to_another_one_that_tells(shared):
    """As long as that goes on, and not longer."""
    shared.store.webhooks.add(
        WebhookEntry("ops", "https://example.com", '["job.*"]'),
        SECRET,
        shared.store.changes.listen(),
    )
    ids = Ids(shared.clock.now, random.SystemRandom())
    first, second = (
        TellWebhooks(store, ids, lambda: 0.5, Events(), MaskedNames())
        for store in (shared.store, shared.open_another())
    )

    def happens(*duties):
        job = shared.add(delay=9999)
        shared.store.cancel([job.id])
        before = len(deliveries(shared))
        pauses = [duty.tick(shared.clock.now()) for duty in duties]
        return len(deliveries(shared)) - before, pauses

    second.tick(shared.clock.now())
    assert (1, [0.5]) == happens(first)
    assert (0, [2.0]) == happens(second)
    assert (2, [0.5]) == happens(second)
    shared.clock.advance(60)
    assert (1, [0.5]) == happens(first)
