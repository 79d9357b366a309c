"""What a run comes to by the book: the sentences of the guide, and no thought of how it is done."""

import json
from typing import NamedTuple

from fundamentals.dags import changed


class End(NamedTuple):
    """How a step ended, what it was given, and what it hands on."""

    state: str
    reason: str | None
    given: dict
    context: dict

    @property
    def spoils(self):
        return self.state == "failed" or self.reason == "need_failed"


def interpret(plans, given, within=""):
    """How each step ends, by path; whether the run fails; and its final context."""
    ends, told = {}, {}
    for plan in _sorted(plans):
        had = merge(*(ends[need].context for need in plan.needs)) if plan.needs else given
        reason = _skipped(plan, ends, had)
        path = f"{within}{plan.id}"
        inner = (
            None
            if reason or plan.each or not plan.inner
            else interpret(plan.inner, had, f"{path}/")
        )
        told |= inner[0] if inner else {}
        ends[plan.id] = told[path] = _end(plan, had, reason, inner)
    needed = {need for plan in plans for need in plan.needs}
    final = merge(*(ends[plan.id].context for plan in _sorted(plans) if plan.id not in needed))
    return told, any(end.state == "failed" for end in ends.values()), final


def _end(plan, had, reason, inner):
    if reason:
        return End("skipped", reason, had, had)
    if inner:
        return (
            End("failed", "error", had, had) if inner[1] else End("succeeded", None, had, inner[2])
        )
    if plan.each is not None:
        return _each(plan, had)
    if plan.act == "fail":
        return End("failed", "error", had, had)
    change = {plan.key: changed(plan, had)}
    return End("succeeded", None, had, change if plan.act == "new" else {**had, **change})


def _each(plan, had):
    items = had.get(plan.each)
    values = (
        [_branch(plan, {**had, "item": i}) for i in items] if isinstance(items, list) else [None]
    )
    if None in values:
        return End("failed", "error", had, had)
    return End("succeeded", None, had, {**had, plan.id: values})


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
