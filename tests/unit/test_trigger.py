"""Trigger rules: what each looks at, how they combine, and what is decided."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus import State
from rotulus._jobs.states import Reason
from rotulus._workflows.trigger import Need, decide
from rotulus.errors import OptionError
from rotulus.workflow import (
    Context,
    all_done,
    all_of,
    all_succeeded,
    always,
    any_failed,
    any_of,
    any_succeeded,
    context_value,
    none_of,
    task_failed,
    task_skipped,
    task_success,
)

OK = Need("ok", State.SUCCEEDED)
FAILED = Need("bad", State.FAILED, Reason.ERROR)
DEAD = Need("gone", State.DEAD, Reason.CRASH_LOOP)
CANCELLED = Need("stopped", State.CANCELLED, Reason.CANCELLED)
PASSED_OVER = Need("passed", State.SKIPPED, Reason.TRIGGER)
KEPT_BACK = Need("kept", State.SKIPPED, Reason.NEED_FAILED)
LEFT_OUT = Need("left", State.SKIPPED, Reason.OPERATOR)
EVERY = [OK, FAILED, DEAD, CANCELLED, PASSED_OVER, KEPT_BACK, LEFT_OUT]
NEEDS = st.lists(st.sampled_from(EVERY), max_size=4, unique=True)
PLAIN = [all_succeeded, all_done, any_failed, any_succeeded, task_failed("bad"), task_success("ok")]
RULES = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: (
        st.builds(lambda a, b: a & b, inner, inner)
        | st.builds(lambda a, b: a | b, inner, inner)
        | inner.map(lambda rule: ~rule)
    ),
    max_leaves=5,
)


def no_context():
    """Nobody is to ask for it."""
    raise AssertionError


def runs(rule, needs, context=no_context):
    """Whether a step with this rule runs."""
    return decide(rule, needs, context) is None


def holds(rule, data):
    """Whether a rule holds for a context."""
    return runs(rule, [OK], lambda: Context(data))


@pytest.mark.parametrize(
    ("needs", "decision"),
    [
        ([], None),
        ([OK], None),
        ([OK, PASSED_OVER], None),
        ([PASSED_OVER], Reason.TRIGGER),
        ([PASSED_OVER, PASSED_OVER], Reason.TRIGGER),
        ([OK, FAILED], Reason.NEED_FAILED),
        ([OK, DEAD], Reason.NEED_FAILED),
        ([OK, CANCELLED], Reason.NEED_FAILED),
        ([OK, KEPT_BACK], Reason.NEED_FAILED),
        ([PASSED_OVER, FAILED], Reason.NEED_FAILED),
        ([LEFT_OUT], None),
        ([LEFT_OUT, PASSED_OVER], None),
        ([LEFT_OUT, FAILED], Reason.NEED_FAILED),
    ],
)
def test_without_a_rule_success_is_needed_and_a_choice_forgiven(needs, decision):
    """A need skipped by its own rule does not count, one skipped by an operator is as good as one
    that succeeded; what failed, or was kept back by it, holds the step up."""
    assert decision == decide(None, needs, no_context)


@pytest.mark.parametrize(
    ("rule", "running"),
    [
        (all_succeeded, [OK]),
        (all_done, EVERY),
        (always, EVERY),
        (any_failed, [FAILED, DEAD]),
        (any_succeeded, [OK]),
        (task_success("ok"), [OK]),
        (task_failed("bad"), [FAILED]),
        (task_failed("gone"), [DEAD]),
        (task_skipped("passed"), [PASSED_OVER]),
        (task_skipped("kept"), [KEPT_BACK]),
        (task_skipped("left"), [LEFT_OUT]),
        (task_failed("ok"), []),
    ],
)
def test_a_rule_looks_at_how_needs_ended(rule, running):
    """With one need, of each kind."""
    assert running == [need for need in EVERY if runs(rule, [need])]


@given(NEEDS)
def test_rules_about_all_and_any(needs):
    """Say what their names say."""
    succeeded = [need.state is State.SUCCEEDED for need in needs]

    assert all(succeeded) == runs(all_succeeded, needs)
    assert any(succeeded) == runs(any_succeeded, needs)
    assert any(need in (FAILED, DEAD) for need in needs) == runs(any_failed, needs)
    assert runs(all_done, needs)


@given(RULES, RULES, NEEDS)
def test_rules_combine_as_logic_does(one, other, needs):
    """With operators, and with words."""
    first, second = runs(one, needs), runs(other, needs)

    assert (first and second) == runs(one & other, needs) == runs(all_of(one, other), needs)
    assert (first or second) == runs(one | other, needs) == runs(any_of(one, other), needs)
    assert (not first) == runs(~one, needs) == runs(none_of(one), needs)
    assert (not first and not second) == runs(none_of(one, other), needs)


@given(RULES, NEEDS)
def test_a_rule_that_expects_success_passes_failure_on(rule, needs):
    """It says `need_failed` only if a need failed, and any other rule says `trigger`."""
    decision = decide(rule, needs, no_context)

    assert decision in (None, Reason.TRIGGER, Reason.NEED_FAILED)
    if decision is Reason.NEED_FAILED:
        assert rule.expects_success
        assert any(need in (FAILED, DEAD, CANCELLED, KEPT_BACK) for need in needs)
    if rule.expects_success and any(need not in (OK, PASSED_OVER, LEFT_OUT) for need in needs):
        assert decision is Reason.NEED_FAILED


@pytest.mark.parametrize(
    ("rule", "needs", "decision"),
    [
        (all_succeeded, [OK, FAILED], Reason.NEED_FAILED),
        (all_succeeded, [OK, KEPT_BACK], Reason.NEED_FAILED),
        (all_succeeded, [OK, PASSED_OVER], Reason.TRIGGER),
        (all_succeeded, [OK, LEFT_OUT], Reason.TRIGGER),
        (all_succeeded & all_done, [FAILED], Reason.NEED_FAILED),
        (any_succeeded, [FAILED], Reason.TRIGGER),
        (task_success("bad"), [FAILED], Reason.TRIGGER),
        (any_failed, [OK], Reason.TRIGGER),
        (any_failed, [], Reason.TRIGGER),
    ],
)
def test_a_rule_that_does_not_hold_skips(rule, needs, decision):
    """By the rule's own choice, unless success was expected and a need failed."""
    assert decision == decide(rule, needs, no_context)


@pytest.mark.parametrize(
    ("op", "value", "found", "expected"),
    [
        ("==", 1, 1.0, True),
        ("==", 1, True, False),
        ("==", None, None, True),
        ("==", {"a": [1]}, {"a": [1]}, True),
        ("equals", "x", "x", True),
        ("!=", 1, True, True),
        ("!=", 1, 1, False),
        ("not_equals", 1, 2, True),
        (">", 1, 2, True),
        (">", 2, 2, False),
        (">=", 2, 2.0, True),
        ("<", "a", "B", True),
        ("<", "b", "a", True),
        ("<=", 1, 2, False),
        ("greater_than", 1, 2, True),
        ("less_than", 1, 0, True),
        (">", 1, "2", False),
        ("<", 1, "2", False),
        (">", 0, True, False),
        ("<", 1, None, False),
        ("<=", [1], [1], False),
        ("contains", 1, [0, 1.0], True),
        ("contains", 1, [True], False),
        ("contains", [1], [[1]], True),
        ("contains", "b", "abc", True),
        ("contains", 1, "1", False),
        ("contains", "a", {"a": 1}, True),
        ("contains", 1, {"1": 1}, False),
        ("contains", 1, 1, False),
        ("not_contains", 1, [2], True),
        ("not_contains", "b", "abc", False),
        ("exists", None, None, True),
        ("not_exists", None, None, False),
    ],
)
def test_a_value_of_the_context_compares(op, value, found, expected):
    """As JSON; what cannot be compared is not."""
    assert expected == holds(context_value("key", op, value), {"key": found})


def test_of_a_missing_key_only_the_negative_is_true():
    """Of every operator."""
    operators = [
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "contains",
        "not_contains",
        "exists",
        "not_exists",
        "equals",
        "not_equals",
        "greater_than",
        "less_than",
    ]
    true = [op for op in operators if holds(context_value("key", op, None), {})]

    assert ["!=", "not_contains", "not_exists", "not_equals"] == true


def test_the_context_is_made_once_and_only_if_a_rule_looks():
    """A rule that can do without does."""
    made = []

    def make():
        made.append(1)
        return Context({"go": 1})

    both = context_value("go", "==", 1) & context_value("go", "<", 2)
    assert runs(all_done | both, [OK], make)
    assert not runs(any_failed & both, [OK], make)
    assert [] == made
    assert runs(both, [OK], make)
    assert [1] == made


def test_a_rule_names_the_steps_it_names():
    """So that a wrong name is found when the workflow is built."""
    rule = all_of(task_success("a"), any_of(task_failed("b"), ~task_skipped("c")), any_failed)

    assert {"a", "b", "c"} == rule.names() | none_of(rule).names()
    assert set() == (all_done | context_value("d", "exists")).names()


def test_a_rule_reads_as_it_is_written():
    """With operators, and values as Python writes them."""
    rule = all_succeeded & (context_value("n", ">", 1) | ~task_failed("a"))

    assert "(all_succeeded & (context_value('n', '>', 1) | ~task_failed('a')))" == str(rule)
    assert repr(rule) == str(rule)
    assert "~(any_failed | any_succeeded)" == str(none_of(any_failed, any_succeeded))
    assert "context_value('n', 'exists')" == str(context_value("n", "exists"))
    assert "all_done" == str(always)


def test_equal_rules_are_equal():
    """They are values."""
    makes = [
        lambda: any_failed & task_failed("a"),
        lambda: context_value("k", "==", [1]),
        lambda: ~always,
    ]

    for one, other in itertools.product(range(3), repeat=2):
        assert (one == other) == (makes[one]() == makes[other]())
        assert (one == other) == (hash(makes[one]()) == hash(makes[other]()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: context_value("k", "=", 1),
        lambda: context_value("k", "==", {1, 2}),
        lambda: context_value(1, "==", 1),
        lambda: context_value("k", None, 1),
        lambda: all_of(),
        lambda: any_of("any_failed"),
        lambda: none_of(None),
    ],
)
def test_what_is_no_rule_is_refused(make):
    """Where it is written."""
    with pytest.raises(OptionError, match="context_value|give at least one trigger rule"):
        make()


def test_a_rule_does_not_combine_with_something_else():
    """Python says so."""
    with pytest.raises(TypeError):
        any_failed & True
    with pytest.raises(TypeError):
        any_failed | "any_failed"
