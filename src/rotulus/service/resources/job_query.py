"""The filters of jobs as parameters of a query, made of the one description of them."""

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, NamedTuple

from fastapi import Query, Request

from rotulus import State
from rotulus._text.names import did_you_mean
from rotulus.errors import OptionError
from rotulus.filters import FilterInfo, FilterKind, read_words
from rotulus.service.problems import ProblemError

WithArguments = Annotated[
    bool, Query(description="Tell the arguments, too; a page has 100 items at most then.")
]
"""The type of an `arguments` parameter of a list: `arguments: WithArguments = False`."""

PAGE_PARAMETERS = ("limit", "after", "arguments")
"""What a list takes besides its filters."""


class Filters(NamedTuple):
    """The filters of a request.

    Attributes:
        where: their values by name, as the verbs of the app take them.
        written: the same as they were written, for the cursors of pages.
    """

    where: dict[str, Any]
    written: dict[str, list[str]]


def filters_of(filters: Sequence[FilterInfo], *others: str) -> Callable[..., Filters]:
    """Returns a dependency that reads filters from a query. It refuses unknown parameters.

    A filter whose name is mistyped would be left out otherwise, and so every job be meant.

    Args:
        filters: the filters.
        others: further parameters that the route takes.
    """
    known = [*(info.name for info in filters), *others]
    by_path = {info.name: info for info in filters if info.by_name}

    def read(request: Request, **_: Any) -> Filters:
        written: dict[str, list[str]] = {}
        for name, text in request.query_params.multi_items():
            outer, dot, path = name.partition(".")
            if dot and outer in by_path:  # label.customer=7 is label=customer=7
                written.setdefault(outer, []).append(f"{path}={text}")
            elif name not in known:
                raise _unknown(name, known)
            elif name not in others:
                written.setdefault(name, []).append(text)
        found = ((info.name, _value(info, written.get(info.name, []))) for info in filters)
        return Filters({name: value for name, value in found if value is not None}, written)

    first = Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    setattr(read, "__signature__", Signature([first, *map(_parameter, filters)]))  # noqa: B010 - typed
    return read


def _parameter(info: FilterInfo) -> Parameter:
    one: Any = State if info.kind is FilterKind.STATE else str
    kind: Any = list[one] | None if info.repeats else one | None
    how = f" {info.written}." if info.written else ""
    query = Query(description=f"Only {info.meaning}.{how}")
    return Parameter(
        info.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, query]
    )


def _value(info: FilterInfo, words: Sequence[str]) -> Any:
    try:
        return read_words(info, words)
    except OptionError as error:
        raise _problem("invalid_option", "A value is not allowed", info.name, str(error)) from None


def _unknown(name: str, known: Sequence[str]) -> ProblemError:
    detail = f"there is no such parameter{did_you_mean(name, known)}"
    return _problem("invalid_request", "The request does not fit", name, detail)


def _problem(code: str, title: str, name: str, detail: str) -> ProblemError:
    return ProblemError(
        422,
        code,
        title,
        f"{name}: {detail}",
        hint="The service's /openapi.json says what each route takes.",
        errors=[{"in": "query", "parameter": name, "detail": detail}],
    )
