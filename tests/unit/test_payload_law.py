"""The law of payloads: an equal value of the same type comes back, or it is refused in words."""

from hypothesis import given, settings

from rotulus._tasks.arguments import Binder
from rotulus._tasks.result import ResultType
from rotulus.errors import ArgumentsError, InjectionError, ResultError
from types_and_values import same, typed_values


def taking(kind):
    """A function that takes a value of a type."""

    def body(value): ...

    body.__annotations__["value"] = kind
    return body


@settings(max_examples=500)
@given(typed_values())
def test_an_argument_comes_back_or_is_refused(typed):
    """Of any type, whatever its value."""
    kind, value = typed
    try:
        binder = Binder(taking(kind))
        payload = binder.bind((value,), {}).payload
    except (ArgumentsError, InjectionError) as error:
        assert "value" in str(error)
        return

    assert same(value, binder.load(payload).kwargs["value"])


@settings(max_examples=500)
@given(typed_values())
def test_a_result_comes_back_or_is_refused(typed):
    """In the same way."""
    kind, value = typed
    result = ResultType("body()", "here.py:1", kind)
    try:
        text = result.write(value)
    except ResultError as error:
        assert "the result" in str(error) and "here.py:1" in str(error)
        return

    assert same(value, result.read(text))
