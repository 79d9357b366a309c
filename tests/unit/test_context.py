"""The context: plain JSON by key, copied in and out."""

import datetime as dt
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus.errors import RotulusError
from rotulus.workflow import Context, ContextError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=5)


class Odd:
    """No JSON."""


@given(OBJECTS)
def test_what_goes_in_comes_out(data):
    """As a dict, as JSON text, key by key, in the same order."""
    context = Context(data)

    assert data == context.to_dict() == {key: context[key] for key in context}
    assert list(data) == list(context) == list(context.to_dict())
    assert data == json.loads(context.to_json())
    assert context == Context.from_json(context.to_json()) == Context(context)
    assert len(data) == len(context)


def test_a_value_is_read_as_it_was_set():
    """Or as the default, or None."""
    context = Context()
    context.set("a", 1)
    context["b"] = [2]

    assert [1, [2], None, 5] == [
        context.get("a"),
        context["b"],
        context.get("c"),
        context.get("c", 5),
    ]
    assert "a" in context
    assert "c" not in context
    with pytest.raises(KeyError):
        context["c"]


def test_a_stored_null_is_a_value():
    """It is there, and `[]` gives it."""
    context = Context({"nothing": None})

    assert "nothing" in context
    assert context["nothing"] is None
    assert context.get("nothing", 5) is None
    assert 1 == len(context)


def test_values_are_copied_in_and_out():
    """What is changed outside is changed inside when it is set again."""
    rows = [{"n": 1}]
    context = Context({"rows": rows})
    rows.append(2)
    context["rows"][0]["n"] = 2
    context.to_dict()["rows"].clear()

    assert [{"n": 1}] == context["rows"]


def test_a_context_of_a_context_is_one_of_its_own():
    """Neither sees what the other is told."""
    first = Context({"a": 1})
    second = Context(first)
    second.set("a", 2)

    assert 1 == first["a"]


def test_insert_is_for_new_keys_and_update_for_old_ones():
    """The other way round is an error, and changes nothing."""
    context = Context({"a": 1})
    context.insert("b", 2)
    context.update("a", 3)

    with pytest.raises(ValueError, match="'a' is there already"):
        context.insert("a", 4)
    with pytest.raises(KeyError, match="c"):
        context.update("c", 5)
    assert {"a": 3, "b": 2} == context.to_dict()


def test_keys_are_removed():
    """`remove` gives the value or None; `del` insists."""
    context = Context({"a": [1], "b": 2})

    assert [1] == context.remove("a")
    assert context.remove("a") is None
    del context["b"]
    with pytest.raises(KeyError):
        del context["b"]
    assert 0 == len(context)


def test_several_values_are_set_or_none():
    """When one of them cannot be."""
    context = Context({"a": 1})
    context.update_from_dict({"a": 2, "b": 3})
    with pytest.raises(ContextError):
        context.update_from_dict({"a": 4, "c": Odd()})

    assert {"a": 2, "b": 3} == context.to_dict()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Odd(), "Odd is not one of dict, list"),
        ({"deep": [Odd()]}, "Odd is not one of"),
        (dt.date(2026, 1, 1), "date is not one of"),
        ({1, 2}, "set is not one of"),
        (b"bytes", "bytes is not one of"),
        (math.nan, "NaN and infinity have no JSON form"),
        ([math.inf], "NaN and infinity have no JSON form"),
        ("\ud800", "lone surrogate"),
        ({"\ud800": 1}, "lone surrogate"),
        ({1: "one"}, "a key is of type int, not a string"),
        ([{"a": ({None: 1},)}], "a key is of type NoneType, not a string"),
        (Context(), "Context is not one of"),
    ],
)
def test_what_is_not_plain_json_is_refused_where_it_is_set(value, why):
    """By the name of its key, whichever way it is set; the context stays as it is."""
    context = Context({"here": 1})
    ways = [
        lambda: context.set("bad", value),
        lambda: context.__setitem__("bad", value),
        lambda: context.insert("bad", value),
        lambda: context.update("here", value),
        lambda: context.update_from_dict({"bad": value}),
        lambda: Context({"bad": value}),
    ]

    for way in ways:
        with pytest.raises(ContextError, match=why) as caught:
            way()
        assert "'bad'" in str(caught.value) or "'here'" in str(caught.value)
        assert isinstance(caught.value, ValueError | RotulusError)
    assert {"here": 1} == context.to_dict()


def test_what_contains_itself_is_refused():
    """And what nests deeper than can be stored together with the context."""
    circle = []
    circle.append(circle)
    deep = 1
    for _ in range(62):
        deep = [deep]

    Context({"deep": [deep]})
    with pytest.raises(ContextError, match="nests deeper than 64 levels"):
        Context({"bad": [[deep]]})
    with pytest.raises(ContextError, match="Circular"):
        Context({"bad": circle})


@pytest.mark.parametrize("key", [1, None, ("a",), b"a"])
def test_keys_are_strings(key):
    """Also those that JSON writers turn into strings."""
    with pytest.raises(ContextError, match="is not a string"):
        Context({key: 1})
    with pytest.raises(ContextError, match="lone surrogate"):
        Context({"\ud800": 1})


@pytest.mark.parametrize("text", ["[1]", "null", "{", '{"a": NaN}', ""])
def test_a_text_that_is_no_json_object_makes_no_context(text):
    """With an error that is a `ValueError`."""
    with pytest.raises(ValueError):
        Context.from_json(text)


def test_contexts_are_equal_if_they_hold_the_same_json():
    """True is no number, and order of keys does not matter."""
    assert Context({"a": 1, "b": [2.0]}) == Context({"b": [2], "a": 1})
    assert Context({"a": 1}) == {"a": 1}
    assert Context({"a": 1}) != Context({"a": True})
    assert Context({"a": 1}) != {"a": {1, 2}}
    assert Context() != 5


def test_a_context_shows_what_it_holds():
    """For those who print it."""
    assert "Context({'a': [1]})" == repr(Context({"a": [1]}))
