"""Why a job waits, for every state that it can be in, compared with what the oracle knows."""

from contextlib import contextmanager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from contract.oracle import ENDED, RETRYABLE
from contract.test_machine import CLIENTS, LEASE, WORKERS, TwoClients, clients_of_a_file
from contract.workbench import job_id
from rotulus._app.why import Explainer
from rotulus._jobs.states import awaited, awaiting
from rotulus._text.names import serves
from rotulus.store import Claim, Renewal, WorkerInfo
from rotulus.stores.postgres import PostgresStore, read_address
from server_clock import ServerClock

SUMMARIES = {"needs", "parts", "expires"}
"""What is said beside the reason."""

HOW_DELAYED = {"retry": "retry", "snooze": "snooze", "lost": "lost"}


class Truth:
    """What is true of the jobs of an oracle, given who has announced itself, and their tasks."""

    def __init__(self, oracle, outbox, workers, tasks):
        self._oracle = oracle
        self._outbox = outbox
        self._workers = workers
        self._tasks = tasks

    def of(self, row):
        """Every kind of reason that holds for a job itself."""
        if row.state in ENDED:
            return self._ended(row)
        if row.state == "running":
            return self._running(row)
        if row.state == "blocked":
            return {"run_paused"} if row.paused else set()
        if row.state == "delayed" and row.run_at > self._oracle.now:
            return {HOW_DELAYED.get(row.reason, "later")} | self._lasting(row)
        return self._obstacles(row) or {"due"}

    def leaves(self, row):
        """Those that a blocked job waits for in the end."""
        found, front, seen = set(), [row], set()
        while front:
            for need in front.pop().needs:
                other = self._oracle.rows[need]
                if other.state in ENDED or need in seen:
                    continue
                seen.add(need)
                front.append(other) if other.state == "blocked" else found.add(need)
        return found

    def _ended(self, row):
        head = self._oracle.rows.get(row.run, row)
        same = [
            other
            for other in self._oracle.rows.values()
            if head.key is not None and other.key == head.key
        ]
        live = [other for other in same if other.state not in ENDED]
        latest = max(live or same, key=lambda other: other.id, default=head)
        held = {"key_held"} if latest is not head and row.state in RETRYABLE else set()
        return {"skipped" if row.state == "skipped" and row.run else "ended"} | held

    def _running(self, row):
        if row.cancel:
            return {"cancelling"}
        if row.reason == "deferred":
            return {"deferred"}
        other = self._oracle.rows.get(awaited(row.reason))
        return {"awaits" if other and other.state not in ENDED else "running"}

    def _lasting(self, row):
        paused = {"queue_paused"} if row.queue in self._oracle.paused else set()
        untaken = self._untaken(row)
        if untaken and row.queue.startswith("_") and self._outbox.entry(row.id):
            return paused | {"carried"}
        return paused | untaken

    def _untaken(self, row):
        if not self._workers:
            return {"no_worker"}
        if not any(serves(w.queues, row.queue) for w in self._workers.values()):
            return {"not_served"}
        return set() if self._able(row) else {"unknown_task"}

    def _able(self, row):
        return [
            worker
            for worker in self._workers.values()
            if serves(worker.queues, row.queue)
            and (worker.names is None or self._tasks[row.id] in worker.names)
        ]

    def _obstacles(self, row):
        found = self._lasting(row)
        limit_to, rate_to, _ = self._oracle._terms(row)
        if limit_to is not None and self._oracle._running(row.limit_key) >= limit_to:
            found.add("limit")
        if rate_to is not None and self._oracle._started(row.limit_key) >= rate_to:
            found.add("rate")
        able = self._able(row)
        if able and not any(self._free(worker, row) for worker in able):
            full = all(self._used(worker) >= worker.slots for worker in able)
            found.add("slots" if full else "suspect")
        return found

    def _free(self, worker, row):
        alone = row.losses < 2 or not self._oracle._runs_a_suspect(worker.name)
        return alone and self._used(worker) < worker.slots

    def _used(self, worker):
        return sum(
            row.state == "running" and row.worker == worker.name and row.reason != "deferred"
            for row in self._oracle.rows.values()
        )


class Explained(TwoClients):
    """Two clients, workers that announce themselves, and bodies that wait for something."""

    def __init__(self, open_clients):
        super().__init__(open_clients)
        self.announced = {}

    @rule(data=st.data(), client=CLIENTS)
    def workers_tell(self, data, client):
        step = data.draw(st.sampled_from([self.announce, self.claim, self.claim, self.wait]))
        step(data, self.stores[client])

    @initialize(data=st.data())
    def begin(self, data):
        for _ in range(data.draw(st.integers(0, 2))):
            self.announce(data, self.stores[0])
        super().begin(data)

    def announce(self, data, store):
        """A worker is as it was when it announced itself for the first time, or says that it ends."""
        name, lease = data.draw(WORKERS), data.draw(st.sampled_from([LEASE, LEASE, 0.0]))
        if name not in self.announced:
            queues = data.draw(st.sampled_from([None, None, None, ("a",), ("b",)]))
            names = data.draw(st.sampled_from([None, None, None, ("t", "r"), ("p",)]))
            slots, since = data.draw(st.integers(1, 2)), self.clock.now()
            info = WorkerInfo(name, "h", 1, queues, slots, since, names=names)
        else:
            _, info = self.announced[name]
        store.extend([], lease, info)
        self.announced[name] = self.oracle.now + lease, info

    def wait(self, data, store):
        """The body of an attempt defers, waits for the end of some job, or goes on."""
        claim = data.draw(st.sampled_from(self.claims[-3:] or [Claim(job_id(0), 1)]))
        other = data.draw(st.sampled_from(self.jobs))
        reason = data.draw(st.sampled_from(["deferred", awaiting(other), awaiting(other), None]))
        store.extend([Renewal(*claim, None, reason)], LEASE)
        self.note(claim, reason)

    def extend(self, data, store):
        held = data.draw(st.sampled_from(self.claims or [Claim(job_id(0), 1)]))
        store.extend([Renewal(*held)], LEASE)
        self.note(held, None)

    def note(self, claim, reason):
        if self.oracle.extend(*claim, LEASE) != "lost":
            self.oracle.rows[claim.id].reason = reason

    @invariant()
    def every_reason_is_true_and_none_is_missing(self):
        now, [store, _] = self.oracle.now, self.stores
        alive = {name: info for name, (until, info) in self.announced.items() if until > now}
        tasks = {job.id: job.task for job in store.find(limit=10_000)}
        truth = Truth(self.oracle, self.outbox, alive, tasks)
        explainer = Explainer(store, lambda name: True, self.clock.now)
        for row in self.oracle.rows.values():
            found = explainer.explain(store.get(row.id))
            of_itself = [one for one in found if one.about == row.id and one.kind not in SUMMARIES]
            assert truth.of(row) == {one.kind for one in of_itself}
            assert found[0] in of_itself or row.state == "blocked"
            if row.state == "blocked":
                self.check_leaves(truth, row, [one for one in found if one not in of_itself])

    def check_leaves(self, truth, row, found):
        heads = [
            one for one in found if one.text.startswith("It waits for") and one.about != row.id
        ]
        leaves = truth.leaves(row)
        assert min(len(leaves), 3) == len(heads)
        assert {one.about for one in heads} <= leaves
        for one in heads:
            assert one.kind in truth.of(self.oracle.rows[one.about])


@pytest.mark.anywhere
def test_every_reason_given_on_a_file_is_the_true_one(examples):
    """Whatever has happened before."""
    how = settings(max_examples=20 * examples, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(lambda: Explained(clients_of_a_file), settings=how)


@pytest.mark.anywhere
def test_every_reason_given_on_a_server_is_the_true_one(migrated, examples):
    """The same as on a file."""
    url = migrated("postgres")
    stores = [PostgresStore(read_address(url)) for _ in range(2)]

    @contextmanager
    def clients_of_a_server():
        yield stores, ServerClock(url)

    how = settings(max_examples=5 * examples, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(lambda: Explained(clients_of_a_server), settings=how)
    for store in stores:
        store.close()
