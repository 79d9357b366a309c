"""Binding: a call becomes a payload and a payload a call, with every problem told at once."""

import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import uuid
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotulus._tasks.arguments import Binder, unchecked_payload
from rotulus._text.jsontext import NotJSONError
from rotulus.errors import ArgumentsError, InjectionError


def send(user_id: int, locale: str = "en", *, urgent: bool = False): ...


def anything(a, /, b, *rest: int, c=1, **named: float): ...


class Colour(enum.Enum):
    RED = "red"


class Point(pydantic.BaseModel):
    x: int
    y: int = 0


@dataclasses.dataclass
class Box:
    size: int


def problems(function, *args, **kwargs):
    """What is wrong with a call."""
    with pytest.raises(ArgumentsError) as caught:
        Binder(function).bind(args, kwargs)
    return caught.value.problems


def test_a_call_is_kept_by_parameter_name():
    """However its arguments were given; defaults are left to the function."""
    assert '{"user_id":7,"locale":"de"}' == Binder(send).bind((7, "de"), {}).payload
    assert '{"user_id":7}' == Binder(send).bind((), {"user_id": 7}).payload
    assert "{}" == Binder(lambda: None).bind((), {}).payload


def test_arguments_are_converted_to_their_types():
    """As pydantic does it."""
    assert {"user_id": 7, "urgent": True} == Binder(send).bind(("7",), {"urgent": "yes"}).values


def test_every_problem_of_a_call_is_told():
    """Not only the first."""
    found = problems(send, "x", "en", "more", locale="de", locle="fr", urgent="perhaps")

    assert 5 == len(found)
    for piece in (
        "two values for 'locale'",
        "'locle'; did you mean 'locale'?",
        "takes 2",
        "user_id",
        "urgent",
    ):
        assert any(piece in problem for problem in found), piece


def test_one_problem_is_told_on_one_line():
    """With the file and line of the function."""
    with pytest.raises(ArgumentsError) as caught:
        Binder(send).bind((7,), {"locle": "de"})

    assert str(caught.value).startswith(
        "send() got an unknown argument 'locle'; did you mean 'locale'?  ("
    )
    assert "test_arguments.py:" in str(caught.value)


def test_a_missing_argument_is_told():
    """By name."""
    assert ("is missing the argument 'user_id'",) == problems(send)


def test_a_nested_problem_says_where():
    """The path into the value."""

    def crunch(points: list[Point]): ...

    [problem] = problems(crunch, [{"x": 1}, {"x": "one"}])
    assert problem.startswith("argument 'points[1].x'")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1, 2), {}),
        ((1, 2, 3, 4), {"c": 5, "z": 0.5}),
        ((1,), {"b": 2, "rest": 1.0}),
        ((1, 2), {"named": 2.5}),
    ],
)
def test_every_kind_of_parameter_comes_back_as_it_was_called(args, kwargs):
    """Positional only, keyword only, starred and double starred."""
    seen = []

    def body(a, /, b, *rest: int, c=1, **named: float):
        seen.append((a, b, rest, c, named))

    binder = Binder(body)
    call = binder.load(binder.bind(args, kwargs).payload)
    body(*call.args, **call.kwargs)
    body(*args, **kwargs)

    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("payload", "args", "kwargs"),
    [
        ('{"*":[7]}', (), {"user_id": 7}),
        ('{"*":[7],"locale":"de"}', (), {"user_id": 7, "locale": "de"}),
        ('{"user_id":7,"*":["de"]}', (), {"user_id": 7, "locale": "de"}),
    ],
)
def test_a_call_by_somebody_who_does_not_know_the_signature_is_read(payload, args, kwargs):
    """Positional arguments fill what is not named, in order."""
    assert (args, kwargs) == tuple(Binder(send).load(payload))


@pytest.mark.parametrize("payload", ["", "[1]", "7", "null", '{"user_id":7', "NaN", "\x00"])
def test_a_payload_that_is_no_json_object_is_corrupt(payload):
    """That is not the task's fault."""
    with pytest.raises(NotJSONError):
        Binder(send).load(payload)


@pytest.mark.parametrize(
    "payload", ["{}", '{"user_id":"x"}', '{"user_id":7,"old":1}', '{"*":[1,"a",3]}']
)
def test_a_payload_that_no_longer_fits_is_refused(payload):
    """A deploy may have changed the signature."""
    with pytest.raises(ArgumentsError):
        Binder(send).load(payload)


NOW = dt.datetime(2026, 5, 5, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (dt.datetime, NOW),
        (dt.date, NOW.date()),
        (dt.timedelta, dt.timedelta(hours=1.5)),
        (uuid.UUID, uuid.UUID(int=5)),
        (decimal.Decimal, decimal.Decimal("1.10")),
        (pathlib.Path, pathlib.Path("/tmp/x")),
        (bytes, b"\xff\x00"),
        (set[int], {1, 2}),
        (tuple[int, str], (1, "a")),
        (dict[int, str], {1: "a"}),
        (Colour, Colour.RED),
        (Literal["a", "b"], "a"),
        (Point, Point(x=1)),
        (Box, Box(3)),
        (list[Point], [Point(x=1), Point(x=2)]),
        (Optional[int], None),
        (int | str, "x"),
        (Annotated[int, pydantic.Field(gt=0)], 5),
        (float, 1e300),
        (str, 'ü\u2028"\\\x00'),
        (int, 2**100),
    ],
)
def test_a_value_survives_the_store(kind, value):
    """It arrives in its type."""

    def body(value): ...

    body.__annotations__["value"] = kind
    binder = Binder(body)
    payload = binder.bind((value,), {}).payload

    assert {"value": value} == binder.load(json.dumps(json.loads(payload))).kwargs


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(JSON, st.dictionaries(st.sampled_from(["x", "y"]), JSON))
def test_json_comes_back_as_it_went(value, named):
    """For parameters without a type."""

    def body(value, **named): ...

    binder = Binder(body)
    call = binder.load(binder.bind((value,), named).payload)

    assert {"value": value, **named} == call.kwargs


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (object(), "not JSON"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        ([1, {"a": float("nan")}], "NaN"),
        ("\ud800", "lone surrogate"),
        ("x" * 2_000_000, "2,000,"),
        (lambda: 1, "not JSON"),
    ],
)
def test_what_is_not_json_is_refused_by_name(value, why):
    """Also where no type is given."""

    def body(fine, value): ...

    [problem] = problems(body, 1, value)
    assert problem.startswith("argument 'value' ")
    assert why in problem


def test_what_contains_itself_or_is_too_deep_is_refused():
    """Nothing is followed for ever."""

    def body(value): ...

    loop = []
    loop.append(loop)
    deep = []
    for _ in range(100):
        deep = [deep]

    assert "value" in problems(body, loop)[0]
    assert "deeper than 64" in problems(body, deep)[0]


def test_the_word_nan_in_a_text_is_fine():
    """Only the number is not."""

    def body(text: str): ...

    assert "NaN Infinity" == Binder(body).bind(("NaN Infinity",), {}).values["text"]


def test_an_injected_parameter_cannot_be_given():
    """It comes from the framework, always."""

    def body(value: int, job): ...

    binder = Binder(body, ["job"])
    assert '{"value":5}' == binder.bind((5,), {}).payload
    with pytest.raises(ArgumentsError, match="'job' is filled by the framework"):
        binder.bind((5,), {"job": 1})
    with pytest.raises(ArgumentsError, match="filled by the framework"):
        binder.load('{"value":5,"job":1}')


def test_a_type_that_nobody_can_read_is_a_wiring_error():
    """It says which parameter, and what to do."""

    class Database: ...

    def body(value: int, db: Database): ...

    with pytest.raises(InjectionError, match=r"'db' has type .*Database.* app\.provide"):
        Binder(body)
    Binder(body, ["db"])


def test_annotations_as_text_are_resolved():
    """With `from __future__ import annotations`, or by hand."""

    def body(value: "int"): ...

    assert {"value": 7} == Binder(body).bind(("7",), {}).values


def test_the_schema_of_a_payload_is_json_schema():
    """For forms and for OpenAPI."""
    schema = Binder(send).json_schema()

    assert ["user_id"] == schema["required"]
    assert {"user_id", "locale", "urgent"} == set(schema["properties"])


def test_a_name_that_is_unknown_here_is_checked_for_json_only():
    """Its worker checks the rest."""
    assert '{"user_id":7,"*":[1]}' == unchecked_payload((1,), {"user_id": 7}, 1000)
    with pytest.raises(ArgumentsError, match="not JSON"):
        unchecked_payload((object(),), {}, 1000)
    with pytest.raises(ArgumentsError, match="at most 1,000"):
        unchecked_payload((), {"x": "y" * 2000}, 1000)


def test_a_validator_may_refuse():
    """Types check themselves."""

    def body(value: Annotated[Any, pydantic.AfterValidator(lambda v: int("no"))]): ...

    assert "value" in problems(body, 1)[0]
