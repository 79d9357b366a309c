"""The access to a service: by a token, by a dependency of the user's, or by both."""

import hmac
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from rotulus.config import is_token, load_settings
from rotulus.errors import OptionError
from rotulus.service.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Auth:
    """How a service checks its callers. If both are given, a request has to satisfy both.

    Attributes:
        token: the value of `Authorization: Bearer ...`; or the password that a person gives
            to a browser, with any name.
        dependency: a FastAPI dependency of your own, which raises to refuse a request.
            It is called before every request, with headers, cookies and query; it may have
            dependencies, but no parameters of the path or the body.

    Raises:
        OptionError: the token cannot stand in a header, or neither is given.
    """

    token: str | None = field(default=None, repr=False)
    dependency: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if self.token is None and self.dependency is None:
            raise OptionError("Auth(): give a token, a dependency, or both")
        if self.token is not None and not is_token(self.token):
            raise OptionError(
                "Auth(token=...): a token consists of visible ASCII characters, without spaces"
            )

    def has_token(self, secret: str) -> bool:
        """Returns whether a secret is the token."""
        token = self.token or ""
        return self.token is not None and hmac.compare_digest(secret.encode(), token.encode())


def unauthorized(connection: HTTPConnection) -> ProblemError:
    """Returns the problem (401) of a request that has no token, or a wrong one."""
    return ProblemError(
        401,
        "unauthorized",
        "Who are you?",
        "The request has no token, or one that is wrong or has expired.",
        hint="Send the header 'Authorization: Bearer <token>'. In a browser the token is "
        "the password, with any name.",
        headers={"WWW-Authenticate": _challenge(connection)},
    )


def secret_in(connection: HTTPConnection) -> str:
    """Returns the token of a request; "": none. A browser sends a name, and it as a password."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _challenge(connection: HTTPConnection) -> str:
    """Returns the header that asks for a token: of a person on a page, else of a program."""
    if "text/html" in connection.headers.get("accept", ""):
        return 'Basic realm="rotulus", charset="UTF-8"'
    wrong = ', error="invalid_token"' if secret_in(connection) else ""  # RFC 6750
    return f'Bearer realm="rotulus"{wrong}'


def auth_of_settings() -> Auth | None:
    """Returns the auth of `ROTULUS_TOKEN`, if it is set."""
    token = load_settings()["token"].value
    return None if token is None else Auth(token)
