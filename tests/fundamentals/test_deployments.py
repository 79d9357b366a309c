"""A run finishes as it was begun, or fails visibly, whatever is deployed while it is under way."""

import itertools
import logging
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rotulus.workflow as wf
from fundamentals.reference import Seen, combine, handed_on
from rotulus import App, TaskRegistry
from rotulus.events import DefinitionChanged
from rotulus.testing import drain
from rotulus.workflow import Run

pytestmark = pytest.mark.anywhere

GIVEN = {"n": 0, "list": [0], "object": {"a": 0}}


@dataclass(frozen=True)
class Planned:
    """A step of a graph: what it needs, whether it runs in any case, and what it changes."""

    id: str
    needs: tuple
    always: bool
    key: str

    def change(self, context):
        """What it sets."""
        value = {"list": [*context.get("list", []), self.id], "n": self.id}.get(self.key)
        return {self.key: value or {**context.get("object", {}), self.id: 1}, self.id: True}


def graph(chance, size):
    """Steps in an order in which each comes after what it needs."""
    names = [f"s{number}" for number in range(size)]
    return [_planned(chance, name, names[:place]) for place, name in enumerate(names)]


def _planned(chance, name, earlier):
    needs = chance.sample(earlier, min(len(earlier), chance.choice((0, 1, 1, 2, 2, 3))))
    key = chance.choice(("n", "list", "object"))
    return Planned(name, tuple(needs), chance.random() < 0.2, key)


def deployed(chance, steps, fresh):
    """The next version of the program: some steps are inserted, removed, renamed or re-wired."""
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(steps))
        old = steps[place]
        match chance.choice(("insert", "remove", "rename", "rewire")):
            case "insert":
                new = _planned(chance, f"new{next(fresh)}", [step.id for step in steps[:place]])
                steps = [*steps[:place], new, *steps[place:]]
                later = chance.randrange(place + 1, len(steps))
                steps[later] = replace(steps[later], needs=(new.id, *steps[later].needs))
            case "remove" if len(steps) > 1:
                left = steps[:place] + steps[place + 1 :]
                steps = [replace(s, needs=tuple(n for n in s.needs if n != old.id)) for s in left]
            case "rename":
                name = f"new{next(fresh)}"
                swap = {old.id: name}
                steps = [
                    replace(
                        s, id=swap.get(s.id, s.id), needs=tuple(swap.get(n, n) for n in s.needs)
                    )
                    for s in steps
                ]
            case _:
                wired = _planned(chance, old.id, [step.id for step in steps[:place]])
                steps = [*steps[:place], replace(old, needs=wired.needs), *steps[place + 1 :]]
    return steps


class Program:
    """One version after the other, on one store; the bodies note what they were given."""

    def __init__(self, url):
        self.url, self.given, self.failing, self.left, self.app = url, {}, set(), None, None

    def deploy(self, steps):
        """End the version before, and begin this one."""
        self.close()
        registry = TaskRegistry()
        with wf.WorkflowBuilder("flow", registry=registry):
            for step in steps:
                rule = {"trigger": wf.all_done} if step.always else {}
                wf.task(id=step.id, dependencies=step.needs, **rule)(self._body(step))
        self.app = App(self.url, registry=registry, unknown_grace=0)

    def work(self, bodies=None):
        """Run so many bodies, and then stop; to the end unless that is said."""
        self.left = bodies
        self.app.run_worker(slots=1, burst=True)

    def close(self):
        """No version runs."""
        if self.app is not None:
            self.app.close()

    def _body(self, step):
        def body(context):
            self.given[step.id] = context.to_dict()
            if self.left is not None:
                self.left -= 1
                if self.left <= 0:
                    self.app.stop()
            if step.id in self.failing:
                raise ValueError(step.id)
            context.update_from_dict(step.change(context))

        return body


def check(begun, jobs, given):
    """The run against the graph that it began with."""
    assert {"", *(step.id for step in begun)} == set(jobs)
    handed = {}
    for step in begun:
        needs = [jobs[need] for need in step.needs]
        had = combine([handed[need] for need in step.needs]) if needs else Seen(GIVEN)
        handed[step.id] = had
        job = jobs[step.id]
        if job.state == "succeeded":
            assert step.always or not needs or all(n.state == "succeeded" for n in needs), step.id
            assert had.values == given[step.id], step.id
            after = {**had.values, **step.change(had.values)}
            handed[step.id] = handed_on(step.id, had, after)
    states = {str(job.state) for path, job in jobs.items() if path}
    assert ("failed" if {"dead", "failed"} & states else "succeeded") == jobs[""].state
    needed = {need for step in begun for need in step.needs}
    final = combine([handed[step.id] for step in begun if step.id not in needed])
    assert final.values == wf.Context.from_json(jobs[""].record.result or "{}").to_dict()


def live(url, chance, size):
    """Begin a run, deploy while it is under way, and once more before a retry."""
    fresh, program, begun = itertools.count(), Program(url), graph(chance, size)
    program.failing = {step.id for step in begun if chance.random() < 0.15}
    program.deploy(begun)
    run = program.app.enqueue("flow", **GIVEN).id
    program.work(chance.randint(1, size))
    steps = begun
    for _ in range(chance.randint(1, 2)):
        steps = deployed(chance, steps, fresh)
        program.deploy(steps)
        program.work(chance.randint(1, size))
    program.work()
    check(begun, stored(program, run), program.given)
    if program.app.get(run).state == "failed":
        program.failing = set()
        program.deploy(chance.choice([begun, deployed(chance, steps, fresh)]))
        Run(program.app, run).retry()
        program.work()
        check(begun, stored(program, run), program.given)
    program.close()


def stored(program, run):
    """The jobs of a run by their paths."""
    return {job.step: job for job in program.app.jobs(run=run, limit=1000)}


@settings(max_examples=60)
@given(chance=st.randoms(use_true_random=True), size=st.integers(2, 9))
def test_a_run_finishes_as_it_was_begun(tmp_path_factory, chance, size):
    """No step runs before what its job waits for; contexts are of that; what dies is seen."""
    live(f"sqlite:///{tmp_path_factory.mktemp('deployed')}/jobs.db", chance, size)


@pytest.mark.anywhere
@settings(max_examples=15)
@given(chance=st.randoms(use_true_random=True), size=st.integers(2, 9))
def test_on_postgresql_too(migrated, chance, size):
    """The same."""
    url = migrated(clock=False)
    live(url, chance, size)


def versions(url, *needs):
    """A program of steps `a`, `b` and `c`, that need these."""
    program = Program(url)
    program.deploy(
        [Planned(step, tuple(n), False, "n") for step, n in zip("abc", needs, strict=True)]
    )
    return program


def test_a_step_that_needs_something_else_by_now_is_told_of(tmp_path, caplog):
    """In one line, and as an event; it is given what it waited for."""
    program = versions(f"sqlite:///{tmp_path}/jobs.db", "", "a", "b")
    program.app.enqueue("flow", **GIVEN)
    program.work(1)
    program.deploy(
        [
            Planned("a", (), False, "n"),
            Planned("b", (), False, "n"),
            Planned("c", ("a",), False, "n"),
        ]
    )
    told = []
    program.app.events.subscribe(told.append, DefinitionChanged)
    with caplog.at_level(logging.WARNING, "rotulus"):
        program.work()

    assert [("b", ("a",), ()), ("c", ("b",), ("a",))] == [
        (event.job.step, event.stored, event.declared) for event in told
    ]
    lines = [line for line in caplog.messages if "goes on as it began" in line]
    assert 2 == len(lines)
    assert "step 'c' of flow" in lines[1]
    assert "waited for 'b', and is declared to need 'a' by now" in lines[1]
    program.close()


def test_a_branch_that_was_begun_as_one_ends_as_one(tmp_path):
    """Though the step runs for no item any more."""
    url, registries = f"sqlite:///{tmp_path}/jobs.db", [TaskRegistry(), TaskRegistry()]
    apps = [App(url, registry=registry, unknown_grace=0) for registry in registries]
    for app, options in zip(apps, ({"for_each": "items"}, {}), strict=True):
        with wf.WorkflowBuilder("flow", registry=app.registry):

            @wf.task(id="each", **options)
            def each(context):
                apps[0].stop()
                return context["item"]

    job = apps[0].enqueue("flow", items=[1, 2])
    apps[0].run_worker(slots=1)
    drain(apps[1])

    result = apps[1].get(job.id).result(0)
    assert {"items": [1, 2], "each": [1, 2]} == result
    for app in apps:
        app.close()
