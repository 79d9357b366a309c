"""Merging contexts, and the laws it keeps."""

import copy

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rotulus._text.jsontext import canonical
from rotulus._workflows.context import texts_of
from rotulus._workflows.handed import HandedOn
from rotulus._workflows.marks import MOST_PARTS, places
from rotulus._workflows.merging import combine
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


NEEDS = {
    "top": [],
    "beside": [],
    "left": ["top"],
    "right": ["top"],
    "far": ["left"],
    "wide": ["right", "beside"],
}
"""Steps in an order in which each comes after what it needs."""

STANDS = places(NEEDS)


def ran(given, changes):
    """What each step hands on that changes its context as it is told, by step."""
    handed = {}
    for step, needs in NEEDS.items():
        had = combine([handed[need] for need in needs]) if needs else HandedOn(given)
        after = Context(had)
        for key, value in changes.get(step, {}).items():
            if value is GONE:
                after.remove(key)
            else:
                after.set(key, value)
        handed[step] = had.changed_to(after, STANDS[step])
    return handed


GONE = object()
CHANGES = st.dictionaries(
    st.sampled_from(list(NEEDS)), st.dictionaries(KEYS, JSON | st.just(GONE), max_size=3)
)


def alike(one, other):
    """The same values, and the same marks."""
    return one == other and one.marks == other.marks


@given(CONTEXTS, CHANGES)
def test_one_context_combined_stays_as_it_is(given, changes):
    """Also with itself, and with what it was built on."""
    handed = ran(given, changes)

    for step, needs in NEEDS.items():
        assert alike(handed[step], combine([handed[step]]))
        assert alike(handed[step], combine([handed[step], handed[step]]))
        for need in needs:
            assert handed[step] == combine([handed[step], handed[need]])
            assert handed[step] == combine([handed[need], handed[step]])


@given(CONTEXTS, CHANGES, st.permutations(["left", "right", "beside"]))
def test_an_untouched_copy_never_wins(given, changes, order):
    """A key that one of them has changed is as that one says, in whatever order they are named."""
    handed = ran(given, changes)
    combined = combine([handed[step] for step in order])

    for key in "abc":
        behind = ("top", "left", "right", "beside")
        said = [step for step in behind if _changes(given, handed, step, key)]
        last = [s for s in said if s != "top" or not {"left", "right"} & set(said)]
        if len(last) == 1:
            assert handed[last[0]].get(key, GONE) == combined.get(key, GONE)
        if not said:
            assert given.get(key, GONE) == combined.get(key, GONE)


def _changes(given, handed, step, key):
    before = handed[NEEDS[step][0]] if NEEDS[step] else HandedOn(given)
    return texts_of(before).get(key) != texts_of(handed[step]).get(key)


@given(CONTEXTS, CHANGES, st.permutations(["far", "wide", "beside"]))
def test_contexts_that_changed_different_keys_are_combined_in_any_order_and_grouping(
    given, changes, order
):
    """Nothing depends on who is named first."""
    used, apart = set(), {}
    for step, wanted in changes.items():
        apart[step] = {key: value for key, value in wanted.items() if key not in used}
        used |= set(apart[step])
    handed = ran(given, apart)
    one, two, three = (handed[step] for step in order)
    expected = combine([handed["far"], handed["wide"], handed["beside"]])

    assert alike(expected, combine([one, two, three]))
    assert alike(expected, combine([combine([one, two]), three]))
    assert alike(expected, combine([one, combine([two, three])]))


@given(CONTEXTS, CHANGES)
def test_what_is_handed_on_is_read_as_it_was_written(given, changes):
    """Values and marks; and people are shown the values."""
    for handed in ran(given, changes).values():
        text = handed.to_text()

        assert alike(handed, HandedOn.from_text(text))
        assert handed == Context.from_json(text)


def test_members_of_an_object_are_changed_each_by_itself():
    """Also where one of them is removed, and where two objects are made beside each other."""
    handed = ran(
        {"o": {"x": 1, "y": 1, "z": 1}},
        {"left": {"o": {"x": 2, "y": 1}}, "right": {"o": {"x": 1, "y": 2, "z": 1}}},
    )
    assert {"o": {"x": 2, "y": 2}} == combine([handed["left"], handed["right"]])
    assert {"o": {"x": 2, "y": 2}} == combine([handed["right"], handed["left"]])

    made = ran({}, {"left": {"o": {"l": 1}}, "right": {"o": {"r": 1}}})
    assert {"o": {"l": 1, "r": 1}} == combine([made["left"], made["right"]])


def test_a_change_counts_from_where_the_ways_parted():
    """Not only since the step before; and what was built on it counts in its place."""
    handed = ran({"n": 0}, {"left": {"n": 1}})
    assert {"n": 1} == combine([handed["far"], handed["wide"]])
    assert {"n": 1} == combine([handed["wide"], handed["far"]])

    handed = ran({"rows": [1, 2]}, {"left": {"rows": [1, 2, 3]}, "far": {"rows": [3]}})
    assert {"rows": [3]} == combine([handed["far"], handed["left"], handed["top"]])


def test_a_value_and_its_removal_are_two_changes():
    """The later one counts."""
    handed = ran({"a": 1}, {"left": {"a": GONE}, "right": {"a": 2}})
    assert {"a": 2} == combine([handed["left"], handed["right"]])
    assert {} == combine([handed["right"], handed["left"]])


def test_marks_of_many_members_are_one():
    """So that a large object that is filled one by one does not drag its history along."""
    many = {str(n): n for n in range(MOST_PARTS + 1)}
    handed = ran({"o": {}}, {"left": {"o": many}, "right": {"o": {"x": 1}}})

    assert {} == handed["left"].marks["o"].parts
    assert {"o": {**many, "x": 1}} == combine([handed["left"], handed["right"]])
