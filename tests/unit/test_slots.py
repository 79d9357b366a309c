"""Slots, as the event loop and threads take jobs from them: a model that forgets nothing."""

from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from rotulus._engine.execution import Execution
from rotulus._engine.slots import Slots
from rotulus._jobs.record import JobRecord


def run(number, *, in_thread=False, claimed_at=0.0):
    """A run that has been claimed."""
    record = JobRecord(str(number), "{}", *(None,) * 5, "t", "q", 0, "running", 0, 0)
    made = Execution(record)
    made.in_thread = in_thread
    made.claimed_at = claimed_at
    return made


class Machine(RuleBasedStateMachine):
    """The loop and the threads look at the line only when they have been told to, and until they
    find nothing for them; whatever can be started has been started then."""

    running = Bundle("running")

    @initialize(count=st.integers(1, 4))
    def begin(self, count):
        self.count = count
        self.more = 0
        self.told = set()
        self.slots = Slots(count, self.told.add)
        self.line = []
        self.started = []
        self.holding = set()
        self.away = set()
        self.returning = []
        self.back = Counter()

    @rule(kinds=st.lists(st.booleans(), max_size=6), target=running)
    def take(self, kinds):
        """Jobs are claimed."""
        runs = [run(len(self.line) + n, in_thread=kind) for n, kind in enumerate(kinds)]
        self.line += runs
        self.slots.add(runs)
        return multiple(*self.look())

    @rule(of=consumes(running), target=running)
    def end(self, of):
        """A job ends; the one who ran it looks for the next."""
        self.holding.discard(of)
        if of in self.away:
            self.away.remove(of)
            self.returning = [pair for pair in self.returning if pair is not of]
        self.slots.vacate(of)
        assert self.slots.drop(of)
        assert not self.slots.drop(of)
        self.give()
        return multiple(*self.look())

    @rule(of=running, target=running)
    def leave(self, of):
        """A job waits for something outside; it may have said so before."""
        if of in self.holding:
            self.holding.remove(of)
            self.away.add(of)
        self.slots.leave(of)
        self.give()
        return multiple(*self.look())

    @rule(of=running, target=running)
    def come_back(self, of):
        """A job wants its slot again; it may have it, or have asked before."""
        asked = self.back[of]
        if of in self.away and of not in self.returning:
            self.returning.append(of)
        self.give()
        self.slots.come_back(of, lambda: self.back.update([of]))
        if of in self.holding:
            assert self.back[of] > asked
        return multiple(*self.look())

    @rule(count=st.integers(1, 6), target=running)
    def resize(self, count):
        """There are more slots from now on, or fewer; what runs goes on."""
        self.count = count
        self.give()
        self.more = max(0, len(self.holding) - count)
        self.slots.resize(count)
        return multiple(*self.look())

    def give(self):
        """Free slots go to those that want to come back, in turn."""
        while self.returning and len(self.holding) < self.count:
            of = self.returning.pop(0)
            self.away.remove(of)
            self.holding.add(of)

    def look(self):
        """Both look until there is nothing for them, and then only if they have been told to."""
        begun = []
        self.told |= {True, False}
        while self.told:
            in_thread = self.told.pop()
            while (found := self.slots.take(in_thread=in_thread)) is not None:
                assert found is self.line[len(self.started)]
                assert found.in_thread is in_thread
                self.started.append(found)
                self.holding.add(found)
                begun.append(found)
        return begun

    @invariant()
    def holds(self):
        if not hasattr(self, "slots"):
            return
        self.more = min(self.more, max(0, len(self.holding) - self.count))
        assert len(self.holding) <= self.count + self.more
        waiting = len(self.line) - len(self.started)
        assert not waiting or len(self.holding) >= self.count
        assert len(self.away) == self.slots.away
        assert len(self.holding) + len(self.away) == self.slots.running
        assert self.slots.held == self.slots.running + waiting


TestMachine = Machine.TestCase


def test_who_makes_a_job_of_the_other_kind_the_next_one_tells():
    """So it is started although nobody else looks: not when there is no slot for it."""
    told = []
    slots = Slots(2, told.append)
    slots.add([run(1, in_thread=True), run(2), run(3, in_thread=True)])

    slots.take(in_thread=True)
    assert [False] == told
    slots.take(in_thread=False)
    assert [False] == told


@pytest.mark.parametrize("full", [False, True])
def test_two_who_wait_in_one_body_are_both_told(full):
    """Each `come_back` is answered, also when the body has its slot already."""
    slots = Slots(1, lambda _: None)
    one, other = run(1), run(2)
    slots.add([one, other])
    told = []
    slots.take(in_thread=False)
    slots.leave(one)
    slots.leave(one)
    if full:
        slots.take(in_thread=False)
    slots.come_back(one, lambda: told.append("first"))
    slots.come_back(one, lambda: told.append("second"))
    if full:
        assert told == []
        slots.vacate(other)

    assert ["first", "second"] == told
    assert 0 == slots.away


def test_what_has_waited_for_too_long_is_withdrawn():
    """In the order of the claims, and nothing that was claimed later."""
    slots = Slots(1, lambda _: None)
    runs = [run(n, claimed_at=float(n)) for n in range(5)]
    slots.add(runs)

    assert runs[:3] == slots.withdraw(2.5)
    assert runs[3:] == slots.withdraw()
    assert 0 == slots.held
