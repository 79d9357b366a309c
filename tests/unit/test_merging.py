"""Merging contexts, and the laws it keeps."""

import copy

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rotulus._text.jsontext import canonical
from rotulus.workflow import Context, merge

pytestmark = pytest.mark.anywhere


KEYS = st.sampled_from("abc")
SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, "x"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
CONTEXTS = st.dictionaries(KEYS, JSON, max_size=3)


def same(one, other):
    """As JSON, and in the same order."""
    return canonical(one) == canonical(other) and list(one) == list(other)


def sandwiched(values):
    """Whether something of another kind stands between two arrays or two objects."""
    kinds = [type(value) for value in values]
    return len(kinds) == 3 and kinds[0] is kinds[2] in (list, dict) and kinds[1] is not kinds[0]


def grouped_alike(contexts):
    """Whether the law says that grouping makes no difference."""
    for key in "abc":
        values = [context[key] for context in contexts if key in context]
        objects = [value for value in values if isinstance(value, dict)]
        if sandwiched(values):
            return False
        if objects and len(objects) == len(values) and not grouped_alike(objects):
            return False
    return True


@given(CONTEXTS)
def test_a_context_merged_with_itself_or_nothing_stays_as_it_is(context):
    """Also its repetitions."""
    assert same(context, merge(context))
    assert same(context, merge(context, context))
    assert same(context, merge(context, {}))
    assert same(context, merge({}, context))
    assert {} == merge()


@given(CONTEXTS, CONTEXTS, CONTEXTS)
def test_grouping_makes_no_difference(a, b, c):
    """Unless another kind stands between two arrays, or between two objects."""
    assume(grouped_alike([a, b, c]))

    assert same(merge(merge(a, b), c), merge(a, merge(b, c)))
    assert same(merge(a, b, c), merge(merge(a, b), c))


def test_a_value_of_another_kind_between_two_arrays_forgets_the_first():
    """Then grouping does make a difference, and contexts are merged from the left."""
    a, b, c = {"k": [1]}, {"k": 5}, {"k": [2]}

    assert {"k": [2]} == merge(a, b, c) == merge(merge(a, b), c)
    assert {"k": [1, 2]} == merge(a, merge(b, c))


@given(st.lists(CONTEXTS, max_size=4))
def test_keys_stand_as_they_are_first_seen(contexts):
    """All of them, and no other."""
    expected = list(dict.fromkeys(key for context in contexts for key in context))

    assert expected == list(merge(*contexts))


@given(st.lists(SCALARS, max_size=6), st.lists(SCALARS, max_size=6))
def test_arrays_are_united(one, other):
    """The first as it is, and then each value once that only the other has."""
    united = merge({"k": one}, {"k": other})["k"]
    added = united[len(one) :]

    assert canonical(united[: len(one)]) == canonical(one)
    assert len({canonical(item) for item in added}) == len(added)
    assert not {canonical(item) for item in added} & {canonical(item) for item in one}
    assert {canonical(item) for item in united} == {canonical(i) for i in [*one, *other]}


@given(CONTEXTS, CONTEXTS)
def test_nothing_that_is_given_is_changed(a, b):
    """Neither the contexts nor what is in them."""
    before = copy.deepcopy((a, b))
    merge(a, b)

    assert before == (a, b)


def test_values_are_the_same_if_they_are_equal_as_json():
    """Objects and arrays too; True is not one, and one is 1.0."""
    united = merge(
        {"k": [1, {"a": [1], "b": 2}]}, {"k": [True, 1.0, {"b": 2, "a": [1]}, "1", None, [1]]}
    )

    assert "[1, {'a': [1], 'b': 2}, True, '1', None, [1]]" == str(united["k"])


def test_objects_are_merged_in_turn_and_the_later_value_wins():
    """At every depth."""
    a = {"o": {"x": 1, "y": {"z": [1]}}, "n": 1}
    b = {"o": {"y": {"z": [2], "w": 0}}, "n": {"now": "an object"}}

    assert {"o": {"x": 1, "y": {"z": [1, 2], "w": 0}}, "n": {"now": "an object"}} == merge(a, b)


def test_contexts_are_merged_as_dicts_are():
    """Of either kind."""
    assert {"a": [1, 2]} == merge(Context({"a": [1]}), {"a": [2]})
