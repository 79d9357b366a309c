"""The kinds of problems that a service answers with: one table, with a page for each of them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from starlette.types import Scope

from rotulus.service.scope import path_within

PAGES = "/api/v1/problems"
"""The beginning of the paths of the pages, in a service that has them."""

_TABLE = Path(__file__).with_name("problems.toml")


class ProblemKind(NamedTuple):
    """A kind of problem.

    Attributes:
        code: the stable word for it.
        status: the HTTP status of answers.
        title: the problem in a few words.
        meaning: when it occurs.
        advice: what to do about it; "" where the title says all.
    """

    code: str
    status: int
    title: str
    meaning: str
    advice: str


@cache
def problem_kinds() -> Mapping[str, ProblemKind]:
    """Returns the kinds of problems by their codes, also those of HTTP statuses in general."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    found = {
        code_of(status.phrase): ProblemKind(
            code_of(status.phrase), status.value, status.phrase, status.description, ""
        )
        for status in HTTPStatus
        if status >= HTTPStatus.BAD_REQUEST
    }
    found |= {code: ProblemKind(code, **kind) for code, kind in table.items()}
    return MappingProxyType(found)


def code_of(phrase: str) -> str:
    """Returns the code of an HTTP status, by its phrase."""
    return "".join(c if c.isalnum() else "_" for c in phrase.lower().replace("'", ""))


def has_pages(scope: Scope) -> bool:
    """Returns whether the application of a request has the pages of problems."""
    return getattr(getattr(scope.get("app"), "state", None), "rotulus_problem_pages", False)


def is_page(scope: Scope) -> bool:
    """Returns whether a request asks for the page of a problem."""
    return (
        scope["method"] in ("GET", "HEAD")
        and path_within(scope).rpartition("/")[0] == PAGES
        and has_pages(scope)
    )


def page_of(scope: Scope, code: str) -> str | None:
    """Returns the URL of the page of a problem, relative to a request: right behind any proxy.

    Args:
        scope: the request.
        code: the code of the problem.

    Returns:
        The URL; None: the application has no such page.
    """
    if not has_pages(scope) or code not in problem_kinds():
        return None
    return f"{'../' * _depth(scope)}{PAGES[1:]}/{code}"


def _depth(scope: Scope) -> int:
    """Returns how many folders a path lies below the application, as its client has written it."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    written = (scope.get("raw_path") or path.encode()).partition(b"?")[0]
    above = root.count("/") if path_within(scope) != path else 0
    return max(0, written.count(b"/") - above - 1)
