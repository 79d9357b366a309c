"""Values of arguments and results stay out of what is said of them, unless the app asks for them."""

from typing import Annotated, Any, Literal

import pydantic
import pytest

from rotulus import App, task
from rotulus._tasks.arguments import Binder
from rotulus._tasks.result import ResultType
from rotulus.errors import ArgumentsError, OptionError, ResultError, RotulusError

CANARY = "hunter2"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


class Checked(pydantic.BaseModel):
    word: str

    @pydantic.field_validator("word")
    def _short(cls, word: str) -> str:
        raise ValueError(f"{word} is not a word")


def _raises(value):
    raise KeyError(value)


KINDS = [
    (int, CANARY),
    (list[int], [CANARY]),
    (dict[str, int], {CANARY: CANARY}),
    (dict[int, dict[str, int]], {1: {CANARY: "x"}}),
    (Cat, {"kind": CANARY}),
    (Annotated[Cat | Dog, pydantic.Field(discriminator="kind")], {"kind": CANARY}),
    (Checked, {"word": CANARY}),
    (Annotated[Any, pydantic.AfterValidator(_raises)], CANARY),
    (Annotated[Any, pydantic.AfterValidator(int)], CANARY),
    (int | None, CANARY),
    (Any, {CANARY: (CANARY,)}),
    (Any, {(CANARY,): 1}),
    (pydantic.SecretStr, pydantic.SecretStr(CANARY)),
]


def taking(kind):
    """A function that takes a value of a type."""

    def body(value): ...

    body.__annotations__["value"] = kind
    return body


@pytest.mark.parametrize(("kind", "value"), KINDS)
def test_a_call_that_is_refused_does_not_show_its_arguments(kind, value):
    """But their types, and where they stand."""
    with pytest.raises(ArgumentsError) as caught:
        Binder(taking(kind)).bind((value,), {})

    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value.__cause__)
    assert "argument 'value" in str(caught.value)


@pytest.mark.parametrize(("kind", "value"), KINDS)
def test_a_result_that_is_refused_is_not_shown(kind, value):
    """Either."""
    with pytest.raises(ResultError) as caught:
        ResultType("body()", "here.py:1", kind).write(value)

    assert CANARY not in str(caught.value)


def test_an_app_may_show_them():
    """When it is asked to, by an argument or a setting."""
    shown = Binder(taking(int), show_values=True)
    with pytest.raises(ArgumentsError, match="got 'hunter2'"):
        shown.bind((CANARY,), {})
    with pytest.raises(ArgumentsError, match=r"got a str\)"):
        Binder(taking(int)).bind((CANARY,), {})


@pytest.mark.parametrize("setting", [True, "yes", None])
def test_the_switch_is_where_the_app_is_made(registry, monkeypatch, setting):
    """`log_arguments`, as an argument or in the environment."""
    if isinstance(setting, str):
        monkeypatch.setenv("ROTULUS_LOG_ARGUMENTS", setting)
        setting = None
        expected = True
    else:
        expected = bool(setting)
    app = App("sqlite://", registry=registry, log_arguments=setting)
    take = task(registry=registry)(taking(int))
    with pytest.raises(ArgumentsError) as caught:
        take.enqueue(CANARY)

    assert expected is (CANARY in str(caught.value))
    app.close()


@pytest.mark.parametrize("value", ["maybe", 7])
def test_the_switch_is_true_or_false(registry, value):
    """Anything else is refused."""
    with pytest.raises(OptionError, match=r"log_arguments = .* choose true or false"):
        App("sqlite://", registry=registry, log_arguments=value)


def test_a_job_that_no_longer_fits_does_not_keep_its_arguments_in_its_error(registry):
    """What is stored with the job names types."""
    app = App("sqlite://", registry=registry)
    take = task("take", registry=registry)(taking(str))
    job = take.enqueue(CANARY)
    registry.clear()
    task("take", registry=registry)(taking(int))
    app.run_worker(burst=True)

    ended = job.refresh()
    assert "invalid_arguments" == ended.reason
    assert CANARY not in str(ended.error) + ended.error.traceback
    app.close()


def test_a_key_that_cannot_be_filled_does_not_show_what_it_was_filled_with(registry):
    """But its template."""
    app = App("sqlite://", registry=registry)
    take = task(registry=registry, key="take:{value}")(taking(str))
    with pytest.raises(RotulusError, match="take:{value}") as caught:
        take.enqueue(f"{CANARY}\n")

    assert CANARY not in str(caught.value)
    app.close()
