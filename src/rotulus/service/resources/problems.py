"""`/api/v1/problems`: a page for each kind of problem: what it means, and what to do."""

from collections.abc import Sequence
from html import escape
from typing import Annotated, Self

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from rotulus.service.problem_kinds import PAGES, ProblemKind, problem_kinds
from rotulus.service.problems import PROBLEM_RESPONSES, ProblemRoute

Code = Annotated[str, Path(description="The `code` of a problem.")]


class Problem(BaseModel):
    """A kind of problem."""

    code: str = Field(description="The stable word for it.")
    status: int = Field(description="The HTTP status of answers.")
    title: str
    meaning: str = Field(description="When it occurs.")
    advice: str = Field(description="What to do about it.")

    @classmethod
    def of(cls, kind: ProblemKind) -> Self:
        """Returns the model of a kind of problem."""
        return cls.model_validate(kind._asdict())


_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Vary": "Accept",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_problems_router(prefix: str = PAGES, tags: Sequence[str] = ("Problems",)) -> APIRouter:
    """Returns the route of the pages of problems, which every client may read: they have no data.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operation.
    """
    router = APIRouter(
        prefix=prefix, tags=list(tags), route_class=ProblemRoute, responses=PROBLEM_RESPONSES
    )
    page = {
        200: {
            "description": "What it means, and what to do.",
            "model": Problem,
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    }
    router.get(
        "/{code}", operation_id="get_problem", summary="Explain a problem", responses={**page}
    )(get_problem)
    return router


async def get_problem(request: Request, code: Code) -> Response:
    """A kind of problem, by the `code` of an answer: a page for browsers, and else JSON."""
    kind = problem_kinds().get(code)
    if kind is None:
        raise HTTPException(404, "There is no problem with that code.")
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_page(kind), headers=_HEADERS)
    return JSONResponse(Problem.of(kind).model_dump(), headers=_HEADERS)


def _page(kind: ProblemKind) -> str:
    """Returns a page that loads nothing."""
    title, when = escape(kind.title), escape(kind.meaning.replace("`", ""))
    advice = f"<p>{escape(kind.advice.replace('`', ''))}</p>" if kind.advice else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title></head><body><main><h1>{title}</h1>"
        f"<p>{when[:1].upper()}{when[1:]}.</p>{advice}"
        f"<p>Code <code>{escape(kind.code)}</code>, status {kind.status}.</p>"
        "</main></body></html>"
    )
