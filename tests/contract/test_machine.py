"""Two clients of one store, doing anything in any order, against an oracle in plain Python."""

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contract.oracle import ENDED, Oracle, step_of
from contract.outbox_oracle import NEVER, OutboxOracle
from contract.workbench import ERROR, job_id
from rotulus._jobs.outcome import Outcome, opened
from rotulus._jobs.states import ENDED as ENDED_STATES
from rotulus._jobs.states import MOVES, State
from rotulus.store import Claim, ClaimFilter, Debounce, Edit, Filter, NewJob, Renewal, Terms
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.stores.sqlite import SqliteStore, claiming
from rotulus.testing import SettableClock
from server_clock import ServerClock

MOST_JOBS = 4
"""Few enough that the same job is claimed, lost and settled again and again."""

LEASE = 20.0

PUBLISHING, PATIENCE = 3.0, 9.0

CLIENTS = st.sampled_from([0, 1])
WORKERS = st.sampled_from(["w1", "w2"])
QUEUES = st.sampled_from(["a", "b", "_own"])
NEW_JOBS = st.tuples(
    QUEUES,
    st.integers(-1, 1),
    st.sampled_from([0.0, 0.0, 0.0, 5.0]),
    st.sampled_from([None, None, "k", "l"]),
    st.sampled_from([None, 10.0]),
    st.sampled_from(
        [
            (None, None, None, None),
            (None, None, None, None),
            ("m", 1, None, None),
            ("n", 2, None, None),
            ("o", None, 1, 6.0),
            ("p", 2, 2, 12.0),
        ]
    ),
)
"""Queue, priority, delay, key, window, and limit: the key, the limit, and the rate."""

TERMS = st.sampled_from(
    [
        (0, None, None),
        (1, None, None),
        (2, None, None),
        (3, 1, 4.0),
        (None, 2, 8.0),
        (None, 3, 20.0),
        (1, 2, 4.0),
    ]
)
"""A limit, and a rate with its window."""

KEYS = st.sampled_from("kl")

SCHEDULES = st.sampled_from([None, None, "s"])

SETTLEMENTS = st.sampled_from(
    [
        ("succeeded", None, 0.0, False, False),
        ("succeeded", None, 0.0, False, False),
        ("failed", "error", 0.0, True, False),
        ("dead", "corrupt", 0.0, False, False),
        ("cancelled", "cancelled", 0.0, False, False),
        ("queued", "retry", 0.0, True, False),
        ("queued", "retry", 7.0, True, False),
        ("queued", "snooze", 7.0, False, False),
        ("queued", "shutdown", 0.0, False, False),
        ("queued", "lost", 0.0, False, True),
        ("queued", "lost", 4.0, False, True),
        ("dead", "crash_loop", 0.0, False, True),
    ]
)
"""State, reason, delay, and whether it is a failure."""


SHAPES = st.sampled_from([[[]], [[], [0]], [[], []], [[], [0], [0]], [[], [], [0, 1]]])
"""Parts, by the places of those that each needs."""


def filters(jobs, steps):
    """What may be asked for; of jobs and steps, these."""
    ids = st.sampled_from(jobs)
    fields = {
        "states": st.sets(st.sampled_from(State)),
        "task": st.sampled_from(["t", "r", "p", "", "\0", "\ud800"]),
        "queue": QUEUES,
        "key": st.sampled_from("kl"),
        "limit_key": st.sampled_from("mnop"),
        "schedule": st.sampled_from("su"),
        "worker": WORKERS,
        "run": ids,
        "step": st.sampled_from(steps),
        "needed_by": st.lists(ids, max_size=3),
        "prefix": st.builds(lambda job, end: job[:end], ids, st.sampled_from([1, 35, 36])),
    }
    names = st.sets(st.sampled_from(sorted(fields)), max_size=3)
    chosen = names.flatmap(lambda some: st.fixed_dictionaries({n: fields[n] for n in some}))
    return chosen.map(lambda given: Filter(**given))


class TwoClients(RuleBasedStateMachine):
    """Every step does the same to the store and to the oracle, and compares the answers."""

    def __init__(self, open_clients):
        super().__init__()
        self.clients = open_clients()
        self.stores, self.clock = self.clients.__enter__()
        self.oracle = Oracle()
        self.outbox = OutboxOracle(self.oracle)
        self.jobs = []
        self.claims = []
        self.seen = {}
        self.position = None
        self.told = {}

    def teardown(self):
        self.clients.__exit__(None, None, None)

    @initialize(data=st.data())
    def begin(self, data):
        if data.draw(st.booleans(), label="somebody listens"):
            self.position = self.stores[1].changes.listen()
        for _ in range(MOST_JOBS):
            self.add(data, self.stores[0])

    # Hypothesis leaves out some rules in each run, so what belongs together is one rule.

    @rule(data=st.data(), client=CLIENTS)
    def workers_work(self, data, client):
        steps = [self.claim, self.claim, self.settle, self.settle, self.open, self.extend]
        steps += [self.claim_ids]
        step = data.draw(st.sampled_from(steps))
        step(data, self.stores[client])

    @rule(data=st.data(), client=CLIENTS)
    def workers_die(self, data, client):
        step = data.draw(st.sampled_from([self.release, self.release, self.advance, self.rescue]))
        step(data, self.stores[client])

    @rule(data=st.data(), client=CLIENTS)
    def people_act(self, data, client):
        steps = [
            self.add,
            self.add,
            self.add_debounced,
            self.add_run,
            self.cancel,
            self.retry,
            self.retry,
            self.skip,
            self.skip,
        ]
        steps += [self.pause, self.pause_run, self.prune, self.delete, self.advance, self.edit]
        steps += [self.set_limit, self.set_limit, self.unset_limit]
        data.draw(st.sampled_from(steps))(data, self.stores[client])

    @rule(data=st.data(), client=CLIENTS)
    def producers_fill_groups(self, data, client):
        steps = [self.open_group, self.add_members, self.add_members, self.close_group]
        data.draw(st.sampled_from(steps))(data, self.stores[client])

    @rule(data=st.data(), client=CLIENTS)
    def carriers_publish(self, data, client):
        steps = [self.take_entries, self.take_left_entries, self.publish, self.republish]
        data.draw(st.sampled_from(steps))(data, self.stores[client])

    @rule(data=st.data(), client=CLIENTS)
    def deliveries_come(self, data, client):
        """Of one job, again and again, whose entry is looked at in between."""
        store = self.stores[client]
        job = data.draw(st.sampled_from(self.jobs[-MOST_JOBS:]))
        for _ in range(3):
            taken = store.claim(ClaimFilter("w1", ids=[job]), 1, LEASE)
            assert self.oracle.claim_ids([job], 1, "w1", LEASE) == [one.id for one in taken]
            if taken:
                self.claims.append(Claim(job, taken[0].attempt))
                self.only_legal_moves_happen()
                self.settle_these(data, store, self.claims[-1:])
                self.only_legal_moves_happen()
            row = self.oracle.rows.get(job)
            if row is not None and data.draw(st.booleans()):
                self.advance(data, store)
                taken = store.outbox.take(row.queue, 1000, PUBLISHING, PATIENCE)
                expected = self.outbox.take(row.queue, PUBLISHING, PATIENCE)
                assert expected == {one.id for one in taken}
                store.outbox.published([job], PATIENCE)
                self.outbox.published([job], PATIENCE)

    @rule(data=st.data(), client=CLIENTS)
    def people_look(self, data, client):
        """For what they may have seen, and for what has gone since."""
        known = [*self.jobs, job_id(0), job_id(10_000), "", "nobody"]
        steps = [step_of("", job) for job in known]
        where = data.draw(filters(known, steps + [row.step for row in self.oracle.rows.values()]))
        limit = data.draw(st.sampled_from([1000, 1000, 2, 1, 0]))
        before = data.draw(st.none() | st.sampled_from(known))
        found = self.stores[client].find(where, limit, before)
        assert self.oracle.find(where, limit, before) == [job.id for job in found]

    def add(self, data, store):
        if self.oracle.live() >= MOST_JOBS:
            return
        queue, priority, delay, key, window, limit = data.draw(NEW_JOBS)
        limit_key, limit_to, rate_to, rate_per = limit
        schedule = data.draw(SCHEDULES)
        terms = Terms("t", queue, priority, delay, None, None, window, limit_to, rate_to, rate_per)
        terms = terms._replace(schedule=schedule, carried=data.draw(st.booleans()))
        job = NewJob(job_id(1 + len(self.jobs)), "{}", terms, key, limit_key)
        [record] = store.add([job])
        assert record.id == self.oracle.add(job.id, queue, priority, delay, key, window, *limit)
        if record.id == job.id:
            self.oracle.rows[job.id].schedule = schedule
            self.outbox.republish([job.id] if terms.carried else [])
        self.jobs.append(job.id)

    def add_debounced(self, data, store):
        if self.oracle.live() >= MOST_JOBS:
            return
        queue, key = data.draw(QUEUES), data.draw(st.sampled_from("kl"))
        wait, most = data.draw(st.sampled_from([0.0, 5.0])), data.draw(st.sampled_from([8.0, 1e6]))
        window = data.draw(st.sampled_from([None, 10.0]))
        terms = Terms("t", queue, delay=wait, window=window, debounce=Debounce(wait, most))
        job = NewJob(job_id(1 + len(self.jobs)), "{}", terms, key)
        [record] = store.add([job])
        assert record.id == self.oracle.add_debounced(job.id, queue, wait, most, key, window)
        if record.id != job.id and record.task == "t":
            self.outbox.sent_back({record.id})
        self.jobs.append(job.id)

    def add_run(self, data, store):
        if self.oracle.live() >= MOST_JOBS:
            return
        key, shape, queue = data.draw(st.sampled_from([None, "k"])), data.draw(SHAPES), "a"
        job = NewJob(job_id(1 + len(self.jobs)), "{}", Terms("r", queue), key)
        self.jobs.append(job.id)
        parts = self.new_parts(shape, queue, "")
        [record] = store.add([job._replace(parts=parts)])
        assert record.id == self.oracle.add(job.id, queue, 0, 0.0, key, None, None)
        if record.id == job.id:
            self.oracle.rows[job.id].task = "r"
            self.oracle.add_parts(job.id, {part.id: part.needs for part in parts}, queue)

    def set_limit(self, data, store):
        """What waits, what runs and what is added later goes by it, and claims look at once."""
        key, terms = data.draw(st.sampled_from("mnop")), data.draw(TERMS)
        told = store.limit_terms.set(key, *terms, by="ada")
        self.oracle.set_terms(key, *terms)
        assert (key, *terms[:2], "ada") == (told.key, told.limit_to, told.rate_to, told.set_by)

    def unset_limit(self, data, store):
        key = data.draw(st.sampled_from("mnop"))
        assert self.oracle.unset_terms(key) == store.limit_terms.unset(key)

    def edit(self, data, store):
        """A job as it is, or as it was seen before somebody else changed it."""
        seen = store.get(data.draw(st.sampled_from(self.jobs)))
        if seen is None:
            return
        if data.draw(st.booleans(), label="was changed meanwhile"):
            seen = seen._replace(priority=seen.priority + 5)
        priority, delay = (
            data.draw(st.sampled_from([None, 2])),
            data.draw(st.sampled_from([None, 0.0, 4.0])),
        )
        changed = store.edit(seen, Edit(None, priority, None, delay))
        assert self.oracle.edit(seen.id, seen.priority, priority, delay) == (changed is not None)
        if changed is not None:
            self.outbox.sent_back({seen.id})

    def open_group(self, data, store):
        if self.oracle.live() >= MOST_JOBS:
            return
        job = NewJob(job_id(1 + len(self.jobs)), "{}", Terms("r", "a"), data.draw(KEYS))
        self.jobs.append(job.id)
        record = store.groups.open(job)
        assert record.id == self.oracle.open_group(job.id, "a", job.key)

    def add_members(self, data, store):
        if self.oracle.live() >= MOST_JOBS:
            return
        head = data.draw(self.heads())
        ids = [job_id(1 + len(self.jobs) + n) for n in range(data.draw(st.integers(1, 2)))]
        self.jobs += ids
        members = store.groups.add(head, [NewJob(one, "{}", Terms("t", "b")) for one in ids])
        taken = self.oracle.add_members(head, ids, "b")
        assert (ids if taken else None) == (members and [member.id for member in members])

    def close_group(self, data, store):
        head = data.draw(self.heads())
        assert self.oracle.is_open(head) == store.groups.is_open(head)
        assert self.oracle.close_group(head) == store.groups.close(head)

    def heads(self):
        """The jobs that are a run, or any job there ever was."""
        runs = [row.id for row in self.oracle.rows.values() if row.run == row.id]
        return st.sampled_from(runs or self.jobs)

    def new_parts(self, shape, queue, where):
        ids = [job_id(1 + len(self.jobs) + place) for place in range(len(shape))]
        self.jobs += ids
        return [
            NewJob(
                part,
                "{}",
                Terms("p", queue),
                step=step_of(where, part),
                needs=[ids[n] for n in needs],
            )
            for part, needs in zip(ids, shape, strict=True)
        ]

    def open(self, data, store):
        known = st.sampled_from(self.claims[-3:] or [Claim(job_id(0), 1)])
        claim, shape, queue = data.draw(known), data.draw(SHAPES | st.just([])), "b"
        row = self.oracle.rows.get(claim.id)
        parts = self.new_parts(shape, queue, row.step if row else "")
        refused = store.settle([opened(*claim, parts)])
        told = {part.id: part.needs for part in parts}
        assert self.oracle.open(*claim, told, queue) == (not refused)

    def claim(self, data, store):
        queues = data.draw(
            st.sampled_from([None, None, ["a"], ["b", "a"], ["_own"], ["a", "_own"]])
        )
        limit, worker = data.draw(st.integers(1, 3)), data.draw(WORKERS)
        taken = store.claim(ClaimFilter(worker, queues), limit, LEASE)
        assert self.oracle.claim(queues, limit, worker, LEASE) == [job.id for job in taken]
        self.claims += [Claim(job.id, job.attempt) for job in taken]

    def claim_ids(self, data, store):
        ids = data.draw(st.lists(st.sampled_from(self.jobs), max_size=4))
        limit, worker = data.draw(st.integers(1, 3)), data.draw(WORKERS)
        taken = store.claim(ClaimFilter(worker, ids=ids), limit, LEASE)
        assert self.oracle.claim_ids(ids, limit, worker, LEASE) == [job.id for job in taken]
        self.claims += [Claim(job.id, job.attempt) for job in taken]

    def take_entries(self, data, store):
        queue = data.draw(QUEUES)
        taken = store.outbox.take(queue, 1000, PUBLISHING, PATIENCE)
        assert self.outbox.take(queue, PUBLISHING, PATIENCE) == {job.id for job in taken}

    def take_left_entries(self, data, store):
        queue, names = data.draw(QUEUES), data.draw(st.sampled_from([[], ["t"], ["p", "r"]]))
        taken = store.outbox.take_left(queue, 1000, PATIENCE, names)
        assert self.outbox.take_left(queue, PATIENCE, names) == {job.id for job in taken}

    def publish(self, data, store):
        ids = data.draw(st.lists(st.sampled_from(self.jobs), max_size=3))
        store.outbox.published(ids, PATIENCE)
        self.outbox.published(ids, PATIENCE)

    def republish(self, data, store):
        ids = data.draw(st.lists(st.sampled_from(self.jobs), max_size=3, unique=True))
        store.outbox.republish(ids)
        self.outbox.republish(ids)

    def extend(self, data, store):
        held = data.draw(
            st.lists(st.sampled_from(self.claims or [Claim(job_id(0), 1)]), unique=True)
        )
        renewed = store.extend([Renewal(*claim) for claim in held], LEASE)
        answers = {claim: self.oracle.extend(*claim, LEASE) for claim in held}
        assert [claim for claim in held if answers[claim] == "lost"] == renewed.lost
        assert [claim for claim in held if answers[claim] == "cancelling"] == renewed.cancelling

    def settle(self, data, store):
        """Of any attempt there ever was, mostly of the last few."""
        known = st.sampled_from(self.claims or [Claim(job_id(0), 1)])
        recent = st.sampled_from(self.claims[-3:] or [Claim(job_id(0), 1)])
        held = data.draw(st.lists(known | recent, min_size=1, max_size=3, unique=True))
        self.settle_these(data, store, held)

    def settle_these(self, data, store, held):
        state, reason, delay, failed, lost = data.draw(SETTLEMENTS)
        refused = store.settle(
            [
                Outcome(
                    *claim,
                    State(state),
                    reason,
                    result="1" if state == "succeeded" else None,
                    error=ERROR if failed else None,
                    delay=delay,
                    failed=failed,
                    lost=lost,
                )
                for claim in held
            ]
        )
        how = state, reason, delay, failed, lost
        taken = {claim: self.oracle.settle(*claim, *how) for claim in held}
        assert [claim for claim in held if not taken[claim]] == refused

    def release(self, data, store):
        worker = data.draw(WORKERS)
        store.rescue(worker=worker)
        self.oracle.release(worker)

    def rescue(self, _data, store):
        store.rescue(1000)
        self.oracle.rescue()

    def cancel(self, data, store):
        job = data.draw(st.sampled_from(self.jobs))
        store.cancel([job])
        if job in self.oracle.rows:
            self.oracle.cancel(job)

    def retry(self, data, store):
        job = data.draw(st.sampled_from(self.jobs))
        arguments = data.draw(st.sampled_from([None, None, '"anew"']))
        back = store.retry([job], arguments)
        done = job in self.oracle.rows and self.oracle.retry(job, arguments is not None)
        assert done == bool(back)
        if done:
            self.outbox.sent_back(set(self.oracle.sent_back))
            self.seen.pop(job, None)

    def skip(self, data, store):
        parts = [row.id for row in self.oracle.rows.values() if row.run not in (None, row.id)]
        job = data.draw(st.sampled_from(parts or self.jobs))
        if data.draw(st.booleans(), label="dry run first"):
            told = store.skip(job, dry_run=True)
        else:
            told = None
        again = [record.id for record in store.skip(job)]
        assert self.oracle.skip(job) == again
        assert told is None or [record.id for record in told] == again
        if again:
            self.outbox.sent_back(set(self.oracle.sent_back))
            for one in again:
                self.seen.pop(one, None)

    def pause(self, data, store):
        queue, paused = data.draw(QUEUES), data.draw(st.booleans())
        store.pause([queue], paused=paused)
        (self.oracle.paused.add if paused else self.oracle.paused.discard)(queue)

    def pause_run(self, data, store):
        run, paused = data.draw(st.sampled_from(self.jobs)), data.draw(st.booleans())
        store.pause([], paused, [run])
        resumed = self.oracle.pause(run, paused)
        self.outbox.sent_back(resumed)

    def prune(self, _data, store):
        store.prune(self.clock.now() - timedelta(seconds=4), ENDED_STATES, 1000)
        self.oracle.prune(self.oracle.now - 4)

    def delete(self, data, store):
        """Some that may be there, and some that are not."""
        jobs = st.sampled_from([*self.jobs, job_id(0), "nobody"])
        chosen = data.draw(st.lists(jobs, min_size=1, max_size=3, unique=True))
        gone = [job.id for job in store.delete(chosen)]
        assert sorted(self.oracle.delete(chosen)) == sorted(gone)

    def advance(self, data, _store):
        seconds = data.draw(st.sampled_from([1.0, 6.0, LEASE + 1]))
        self.clock.advance(seconds)
        self.oracle.now += seconds

    @invariant()
    def both_clients_see_what_the_oracle_holds(self):
        expected = sorted((row.shown for row in self.oracle.rows.values()), key=str)
        for store in self.stores:
            assert expected == sorted(map(_shown, store.find(limit=10_000)), key=str)

    @invariant()
    def entries_are_what_the_oracle_holds(self):
        began = self.clock.now() - timedelta(seconds=self.oracle.now)
        for job in self.jobs:
            entry = self.stores[0].outbox.entry(job)
            shown = entry and (_since(began, entry[0]), _since(began, entry[1]), entry[2])
            assert self.outbox.entry(job) == shown

    @invariant()
    def who_waits_is_blocked_and_who_does_not_is_not(self):
        for job in self.stores[0].find(limit=10_000):
            needs = self.stores[0].find(Filter(needed_by=[job.id]))
            waits = 0 if job.ended_at else sum(need.ended_at is None for need in needs)
            assert waits == job.waits_for
            if not (job.ended_at or job.state == "running"):
                assert bool(waits or job.paused) == (job.state == "blocked")

    @invariant()
    def only_legal_moves_happen(self):
        now = {job.id: job for job in self.stores[0].find(limit=10_000)}
        for known, before in self.seen.items():
            after = now.get(known)
            if after is None:
                assert before.state in ENDED or before.step
            else:
                assert before.attempt <= after.attempt <= before.attempt + 1
                assert after.state == before.state or _reachable(before.state, after.state)
        self.seen = now

    @invariant()
    def the_last_change_of_a_job_is_how_it_stands(self):
        if self.position is None:
            return
        for change in self.stores[0].changes.read(self.position, 10_000):
            self.position = change.position
            if change.kind == "job":
                self.told[change.name] = change.what
        for job in self.stores[0].find(limit=10_000):
            told = self.told.pop(job.id)
            assert told == _state(job) or (told, job.state) == ("delayed", "queued")
        assert set(self.told.values()) <= {"deleted"}
        self.told |= {job.id: _state(job) for job in self.stores[0].find(limit=10_000)}


def _state(job):
    return "cancelling" if job.cancel_requested else str(job.state)


def _since(began, moment):
    if moment is None or moment == datetime.max.replace(tzinfo=UTC):
        return moment and NEVER
    return (moment - began).total_seconds()


def _shown(job):
    return (
        job.id,
        job.state,
        job.queue,
        job.attempt,
        job.failures,
        job.losses,
        job.releases,
        job.worker,
        bool(job.cancel_requested),
        job.reason,
        job.run,
        job.step,
        job.waits_for,
        bool(job.opened),
        bool(job.paused),
    )


def _reachable(before, after):
    """A claim makes delayed jobs queued and takes them in one call: that is two moves."""
    return State(after) in MOVES[State(before)] or (before, after) == ("delayed", "running")


@contextmanager
def clients_of_a_file():
    """Two clients of an empty file."""
    with tempfile.TemporaryDirectory() as folder:
        clock, path = SettableClock(), str(Path(folder) / "jobs.db")
        stores = [SqliteStore(path, clock=clock, synchronous="NORMAL") for _ in range(2)]
        stores[0].migrate()
        yield stores, clock
        for store in stores:
            store.close()


@pytest.mark.anywhere
@pytest.mark.parametrize("few_keys", [8, 0])
def test_two_clients_of_a_file_do_what_the_oracle_does(monkeypatch, few_keys, examples):
    """Whatever they do, in whatever order; also once many keys with a limit have had jobs waiting."""
    monkeypatch.setattr(claiming, "_FEW_KEYS", few_keys)
    monkeypatch.setattr(claiming, "_LASTS", 0.0)
    how = settings(max_examples=30 * examples, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(lambda: TwoClients(clients_of_a_file), settings=how)


@pytest.mark.anywhere
def test_two_clients_of_a_server_do_what_the_oracle_does(migrated, examples):
    """The same as on a file."""
    url = migrated("postgres")
    stores = [PostgresStore(read_address(url)) for _ in range(2)]

    @contextmanager
    def clients_of_a_server():
        clock = ServerClock(url)
        yield stores, clock
        clock.close()

    how = settings(max_examples=15 * examples, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(lambda: TwoClients(clients_of_a_server), settings=how)
    for store in stores:
        store.close()
