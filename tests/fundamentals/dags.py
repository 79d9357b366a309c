"""Random workflows: planned, and declared with steps that note what they are given."""

from dataclasses import dataclass, replace

import rotulus.workflow as wf
from rotulus import Job

KEYS = ("a", "b", "c")
GIVEN = {"a": [1, 2, 3], "b": {"x": [1]}, "c": 1}
"""What the runs of them begin with."""


@dataclass(frozen=True)
class Plan:
    """A step: what it needs, when it runs, and what it does then.

    Attributes:
        rule: a word of `wf`, followed by its arguments; `and`, `or` and `not` by rules.
        act: how it hands its change on (`none`, `context`, `dict`, `new`), or that it does not
            (`fail`), or only at its second attempt (`flaky`).
        key: the key that it changes.
        value: how.
        each: the key that it runs for each item of.
        inner: it is a workflow of these.
    """

    id: str
    needs: tuple = ()
    rule: tuple | None = None
    act: str = "none"
    key: str = "a"
    value: object = 0
    each: str | None = None
    inner: tuple = ()
    is_async: bool = False


def changed(plan, given):
    """What a step makes of the value of its key: an array grows, an object is updated."""
    old, value = given.get(plan.key), plan.value
    if isinstance(value, list) and isinstance(old, list) and len(old) < 10:
        return old + value
    return {**old, **value} if isinstance(value, dict) and isinstance(old, dict) else value


def draw(chance, size, depth=0):
    """A random workflow of so many steps, in any order of declaration."""
    names = [f"s{number}" for number in range(size)]
    plans = [_draw_step(chance, name, names[:n], depth) for n, name in enumerate(names)]
    chance.shuffle(plans)
    return tuple(plans)


def _draw_step(chance, name, earlier, depth):
    near = earlier[-12:] if chance.random() < 0.8 else earlier
    needs = tuple(chance.sample(near, min(len(near), chance.choice((0, 1, 1, 1, 2, 2, 3, 5)))))
    rolled = chance.random()
    inner = draw(chance, chance.randint(1, 5), depth + 1) if rolled < 0.04 and depth < 2 else ()
    return Plan(
        name,
        needs,
        _draw_rule(chance, needs) if chance.random() < 0.35 else None,
        chance.choice(
            ("none", "none", "context", "context", "dict", "dict", "new", "fail", "flaky")
        ),
        chance.choice(KEYS),
        chance.choice((1, "text", None, [4], [1, 5], [[]], {"x": [2], "y": 1}, {"x": {"z": 1}})),
        chance.choice(KEYS) if 0.04 < rolled < 0.12 else None,
        inner,
        chance.random() < 0.3,
    )


def _draw_rule(chance, needs):
    words = ["all_succeeded", "all_done", "always", "any_failed", "any_succeeded", "context_value"]
    words += ["task_success", "task_failed", "task_skipped", "and", "or", "not"] if needs else []
    word = chance.choice(words)
    if word in ("and", "or"):
        return (word, _draw_rule(chance, needs), _draw_rule(chance, needs))
    if word == "not":
        return (word, _draw_rule(chance, needs))
    if word.startswith("task_"):
        return (word, chance.choice(needs))
    if word == "context_value":
        op = chance.choice(("==", "!=", ">", "contains", "not_contains", "exists", "not_exists"))
        return (word, chance.choice(KEYS), op, chance.choice((1, 0, "x", [1, 2, 3])))
    return (word,)


def healed(plans):
    """The same, where nothing fails that did."""
    return tuple(
        replace(plan, act="none" if plan.act == "fail" else plan.act, inner=healed(plan.inner))
        for plan in plans
    )


def declare(name, plans, registry, note):
    """Register a plan as a workflow; `note(word, job, context)` when a body begins and ends."""
    builder = wf.WorkflowBuilder(name, registry=registry)
    with builder:
        for plan in plans:
            options = {"id": plan.id, "dependencies": plan.needs, "for_each": plan.each}
            options["trigger"] = _rule(plan.rule)
            if plan.inner:
                declare(f"{name}_{plan.id}", plan.inner, registry, note)
                builder.add_task(f"{name}_{plan.id}", **options)
            else:
                tries = {"retry_attempts": 1, "retry_delay_ms": 0} if plan.act == "flaky" else {}
                wf.task(**options, **tries)(_body(plan, note))


def _rule(rule):
    if rule is None:
        return None
    word, *arguments = rule
    if word in ("and", "or", "not"):
        rules = [_rule(argument) for argument in arguments]
        return ~rules[0] if word == "not" else _joined(word, *rules)
    found = getattr(wf, word)
    return found(*arguments) if arguments else found


def _joined(word, one, other):
    return one & other if word == "and" else one | other


def _body(plan, note):
    def act(context, job):
        note("begin", job, context.to_dict())
        if (plan.act == "fail" and not getattr(note, "healed", False)) or (
            plan.act == "flaky" and job.attempt == 1
        ):
            context.set(plan.key, "this is not handed on")
            raise ValueError(plan.id)
        value = _acted(plan, context)
        note("end", job, None)
        return value

    def body(context, job: Job):
        return act(context, job)

    async def abody(context, job: Job):
        return act(context, job)

    return abody if plan.is_async else body


def _acted(plan, context):
    if plan.each is not None:
        return [plan.id, context["item"]]
    change = {plan.key: changed(plan, context)}
    if plan.act == "new":
        return wf.Context(change)
    if plan.act == "dict":
        return change
    context.update_from_dict(change)
    return context if plan.act == "context" else None
