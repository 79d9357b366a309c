"""What a route says of its answers in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel

Answers = dict[int | str, dict[str, Any]]
"""The `responses=` of a route."""


def answers(
    model: type[BaseModel] | None, description: str, *, status: int = 200, **more: Any
) -> Answers:
    """Returns the answer of a route, for the document.

    Args:
        model: the model of its JSON; None: it has no body.
        description: what the answer is.
        status: its status.
        more: further members, such as `headers`.
    """
    described: dict[str, Any] = {"description": description, **more}
    return {status: described if model is None else {**described, "model": model}}
