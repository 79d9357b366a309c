"""What a run comes to by the book: the sentences of the guide, and no thought of how it is done."""

import json
from typing import NamedTuple

from fundamentals.dags import changed


class Seen(NamedTuple):
    """A context, and which steps have changed what in it: sets of them, by the path of a value."""

    values: dict
    by: dict = {}  # noqa: RUF012 - nobody changes it


class End(NamedTuple):
    """How a step ended, what it was given, and what it hands on."""

    state: str
    reason: str | None
    given: dict
    handed: Seen

    @property
    def context(self):
        return self.handed.values

    @property
    def spoils(self):
        return self.state == "failed" or self.reason == "need_failed"


def interpret(plans, given, within=""):
    """How each step ends, by path; whether the run fails; and its final context."""
    ends, told = {}, {}
    for plan in _sorted(plans):
        had = combine([ends[need].handed for need in plan.needs]) if plan.needs else Seen(given)
        reason = _skipped(plan, ends, had.values)
        path = f"{within}{plan.id}"
        inner = (
            None
            if reason or plan.each or not plan.inner
            else interpret(plan.inner, had.values, f"{path}/")
        )
        told |= inner[0] if inner else {}
        ends[plan.id] = told[path] = _end(plan, had, reason, inner)
    needed = {need for plan in plans for need in plan.needs}
    last = [ends[plan.id].handed for plan in _sorted(plans) if plan.id not in needed]
    return told, any(end.state == "failed" for end in ends.values()), combine(last).values


def _end(plan, had, reason, inner):
    given = had.values
    if reason:
        return End("skipped", reason, given, had)
    if inner and inner[1]:
        return End("failed", "error", given, had)
    if inner:
        return End("succeeded", None, given, handed_on(plan.id, had, inner[2]))
    if plan.each is not None:
        return _each(plan, had)
    if plan.act == "fail":
        return End("failed", "error", given, had)
    change = {plan.key: changed(plan, given)}
    after = change if plan.act == "new" else {**given, **change}
    return End("succeeded", None, given, handed_on(plan.id, had, after))


def _each(plan, had):
    given = had.values
    items = given.get(plan.each)
    values = (
        [_branch(plan, {**given, "item": i}) for i in items] if isinstance(items, list) else [None]
    )
    if None in values:
        return End("failed", "error", given, had)
    return End("succeeded", None, given, handed_on(plan.id, had, {**given, plan.id: values}))


def handed_on(step, had, after):
    """What a step hands on that was given one context, and left another."""
    by = dict(had.by)
    _note(step, had.values, after, by, ())
    return Seen(after, by)


def _note(step, before, after, by, path):
    """The step has changed, removed or added what differs, as deep as there are objects."""
    for key in {**before, **after}:
        old, new, here = before.get(key, _NONE), after.get(key, _NONE), (*path, key)
        if old is not _NONE and new is not _NONE and json.dumps(old) == json.dumps(new):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            _note(step, old, new, by, here)
        else:
            all_of_it = _whole(by, here) | {step}
            for other in [p for p in by if p[: len(here)] == here]:
                del by[other]
            by[here] = all_of_it


_NONE = object()


def _own(by, path):
    """Who has changed a value, or the object that it came with."""
    known = [n for n in range(len(path), 0, -1) if path[:n] in by]
    return by[path[: known[0]]] if known else frozenset()


def _whole(by, path):
    under = [names for other, names in by.items() if other[: len(path)] == path]
    return _own(by, path).union(*under)


def combine(handed):
    """What several steps hand on, as one: whoever has not seen a change has no say against it."""
    by = {}
    for path in dict.fromkeys(path for one in handed for path in one.by):
        by[path] = frozenset().union(*(_own(one.by, path) for one in handed))
    return Seen(_members([one.values for one in handed], [one.by for one in handed], ()), by)


def _members(objects, by, path):
    found = {}
    for key in dict.fromkeys(key for one in objects for key in one):
        here = (*path, key)
        copies = [(one.get(key, _NONE), _whole(b, here), b) for one, b in zip(objects, by)]
        copies = [c for c in copies if not any(c[1] < other[1] for other in copies)]
        spoken = [c for c in copies if c[0] is not _NONE or here in c[2]] or copies[:1]
        value = _value(_each_once(spoken), here)
        if value is not _NONE:
            found[key] = value
    return found


def _each_once(copies):
    return [c for n, c in enumerate(copies) if not any(_alike(c[0], o[0]) for o in copies[:n])]


def _alike(one, other):
    return one is other if _NONE in (one, other) else _same(one, other)


def _value(copies, path):
    if len(copies) > 1 and all(isinstance(copy[0], dict) for copy in copies):
        return _members([copy[0] for copy in copies], [copy[2] for copy in copies], path)
    value = copies[0][0]
    for later, *_ in copies[1:]:
        value = _join(value, later)
    return value


def _branch(plan, had):
    if plan.inner:
        _, fails, final = interpret(plan.inner, had)
        return None if fails else _changes(had, final)
    return None if plan.act == "fail" else [plan.id, had["item"]]


def _changes(had, final):
    new = {key: value for key, value in final.items() if key != "item"}
    return {k: v for k, v in new.items() if k not in had or json.dumps(had[k]) != json.dumps(v)}


def _skipped(plan, ends, had):
    needs = [ends[need] for need in plan.needs]
    spoilt = any(need.spoils for need in needs)
    if plan.rule is None:
        runs = not needs or any(need.state == "succeeded" for need in needs)
        return "need_failed" if spoilt else None if runs else "trigger"
    if _holds(plan.rule, plan.needs, ends, had):
        return None
    return "need_failed" if spoilt and _expects_success(plan.rule) else "trigger"


def _holds(rule, needs, ends, had):
    word, *more = rule
    states = [ends[need].state for need in needs]
    match word:
        case "and" | "or":
            found = [_holds(one, needs, ends, had) for one in more]
            return all(found) if word == "and" else any(found)
        case "not":
            return not _holds(more[0], needs, ends, had)
        case "context_value":
            return _compares(had, *more)
        case "task_success" | "task_failed" | "task_skipped":
            wanted = {"task_success": "succeeded"}.get(word, word.removeprefix("task_"))
            return ends[more[0]].state == wanted
    return {
        "all_succeeded": all(state == "succeeded" for state in states),
        "any_failed": "failed" in states,
        "any_succeeded": "succeeded" in states,
    }.get(word, True)


def _expects_success(rule):
    word, *more = rule
    if word == "and":
        return any(map(_expects_success, more))
    return word == "all_succeeded" or (word == "or" and all(map(_expects_success, more)))


def _compares(had, key, op, value):
    if op.startswith("not_") or op == "!=":
        return not _compares(had, key, {"!=": "=="}.get(op, op.removeprefix("not_")), value)
    if key not in had or op == "exists":
        return key in had
    found, numbers = had[key], (int, float)
    match op:
        case "==":
            return _same(found, value)
        case ">":
            return (
                any(isinstance(found, k) and isinstance(value, k) for k in (numbers, str))
                and found > value
            )
    if isinstance(found, list):
        return any(_same(one, value) for one in found)
    return isinstance(found, str | dict) and isinstance(value, str) and value in found


def _same(one, other):
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def merge(first, *others):
    """Arrays are united, objects merged, of anything else the later counts."""
    merged = dict(first)
    for other in others:
        merged |= {k: _join(merged[k], v) if k in merged else v for k, v in other.items()}
    return merged


def _join(old, new):
    if isinstance(old, dict) and isinstance(new, dict):
        return merge(old, new)
    if not (isinstance(old, list) and isinstance(new, list)):
        return new
    united = list(old)
    united += [one for n, one in enumerate(new) if not any(_same(one, o) for o in old + new[:n])]
    return united


def _sorted(plans):
    """As declared, but each after what it needs: the first that can stand next stands next."""
    left, placed = list(plans), []
    while left:
        plan = next(p for p in left if set(p.needs) <= {other.id for other in placed})
        left.remove(plan)
        placed.append(plan)
    return placed
