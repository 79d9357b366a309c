"""`/api/v1/tokens`: the tokens by which a service knows its callers. For admins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rotulus import TokenInfo
from rotulus._app.roles import Role
from rotulus._text.segments import path_segment
from rotulus._time.lengths import LONGEST
from rotulus.service.guard import ResourceRouter
from rotulus.service.resources.documented import answers
from rotulus.service.scope import path_outside
from rotulus.service.state import app_of, state_of

TokenName = Annotated[str, Path(description="The name of a token.")]


class Token(BaseModel):
    """A token, without its secret."""

    name: str
    role: Role = Field(description="What its bearer may do.")
    created_at: datetime
    expires_at: datetime | None = Field(description="Until when it is valid; null: for good.")
    last_used_at: datetime | None = Field(description="When it was used last, to the minute.")
    expired: bool = Field(description="Whether it is not valid any more.")

    @classmethod
    def of(cls, token: TokenInfo) -> Self:
        """Returns the model of a token."""
        return cls.model_validate(token.to_dict())


class TokenSecret(Token):
    """A token with its secret, which no other answer has."""

    secret: str = Field(description="What its bearer sends: `Authorization: Bearer rot_...`.")


class Tokens(BaseModel):
    """All tokens by name, also those that have expired."""

    items: list[Token]


class NewToken(BaseModel):
    """A token that is added."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(description="Its name, which the audit shows, such as `ci`.")
    role: Literal["viewer", "operator", "admin"] = Field(description="What its bearer may do.")
    expires: float | None = Field(
        None,
        gt=0,
        le=LONGEST,
        description="For how many seconds it is valid; for good unless given.",
    )


def make_tokens_router(
    prefix: str = "/api/v1/tokens", tags: Sequence[str] = ("Tokens",)
) -> APIRouter:
    """Returns the routes of tokens: list, add, get and remove.

    Args:
        prefix: the beginning of the paths.
        tags: the tags of the operations.
    """
    router = ResourceRouter("/api/v1/tokens", prefix, tags)
    added = answers(TokenSecret, "It was added.", status=201)
    router.get("", operation_id="list_tokens", summary="List tokens")(list_tokens)
    router.post(
        "", operation_id="add_token", summary="Add a token", status_code=201, responses=added
    )(add_token)
    router.get("/{name}", operation_id="get_token", summary="Get a token")(get_token)
    router.delete(
        "/{name}", operation_id="remove_token", summary="Remove a token", status_code=204
    )(remove_token)
    return router


async def list_tokens(request: Request) -> Tokens:
    """All tokens by name, also those that have expired; never their secrets."""
    found = await app_of(request).tokens.alist()
    return Tokens(items=[Token.of(token) for token in found])


async def add_token(request: Request, response: Response, body: NewToken) -> TokenSecret:
    """Let somebody in. The answer has the secret, which nobody can read again.

    From then on the service asks everybody for a token, also on its own machine.
    """
    made = await app_of(request).tokens.aadd(body.name, body.role, expires=body.expires)
    _forget(request)
    place = f"{path_outside(request.scope).rstrip('/')}/{path_segment(made.name)}"
    response.headers.update({"Location": place, "Cache-Control": "no-store"})
    return TokenSecret.of(made)


async def get_token(request: Request, name: TokenName) -> Token:
    """A token, without its secret."""
    return Token.of(await app_of(request).tokens.aget(name))


async def remove_token(request: Request, name: TokenName) -> Response:
    """Take a token back. Other processes may accept it for five seconds more."""
    await app_of(request).tokens.aremove(name)
    _forget(request)
    return Response(status_code=204)


def _forget(request: Request) -> None:
    """Have the guard of the service ask the store again."""
    state = state_of(request)
    if state is not None and state.tokens is not None:
        state.tokens.forget()
