"""The sender of a request, and whether the sender's role is enough for the request."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection
from starlette.types import Scope

from rotulus._app.actor import Actor, Door, acting_as
from rotulus._app.roles import Role, read_role
from rotulus.service.problems import ProblemError


@dataclass(frozen=True, slots=True)
class Principal:
    """The sender of a request, as the guard of a service knows it.

    A dependency that checks the callers of a service may return one.

    Attributes:
        name: the name of a token, or that of a kind of sender; the audit shows it.
        role: what it may do: `viewer`, `operator` or `admin`.
        door: the door at which the audit shows it.

    Raises:
        OptionError: the name is no printable text of 1 to 200 characters, or there is no such role.
    """

    name: str
    role: Role
    door: Door = "http"

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", read_role(self.role))
        Actor(self.name, self.door)  # which raises


LOCAL = Principal("local", Role.ADMIN)
"""Somebody on this machine, at a service without auth."""

SETTINGS = Principal("settings", Role.ADMIN)
"""Somebody who has the token of the settings, or of `with_auth(token=...)`."""

DEPENDENCY = Principal("dependency", Role.OPERATOR)
"""Somebody whom a dependency of the user's has let in, and has not named."""


ANYBODY = Principal("anybody", Role.OPERATOR)
"""Somebody at a path that was left open, whose endpoint checks its callers itself."""


class Admission:
    """A request that was let in. One object for the whole request, through every middleware.

    Attributes:
        principal: the sender.
        checked: whether a route has looked at its role.
    """

    __slots__ = ("checked", "principal")

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.checked = False


_KEY = "rotulus.admission"


def admit(scope: Scope, principal: Principal) -> Admission:
    """Note who has sent a request. Returns the admission."""
    made = scope[_KEY] = Admission(principal)
    return made


def admission_of(scope: Scope) -> Admission | None:
    """Returns the admission of a request; None until it was let in."""
    return cast("Admission | None", scope.get(_KEY))


def principal_of(connection: HTTPConnection) -> Principal:
    """Returns the sender of a request that was let in."""
    admission = admission_of(connection.scope)
    if admission is None:
        raise LookupError("This request was not let in by a guard")
    return admission.principal


def acting(principal: Principal) -> AbstractContextManager[Actor]:
    """Have the sender of a request act for the length of a block, for the audit."""
    return acting_as(Actor(principal.name, principal.door, principal.role))


def check_role(admission: Admission, needed: Role) -> None:
    """Check the role of the sender of a request.

    Args:
        admission: the request.
        needed: the least role that may do what it asks.

    Raises:
        ProblemError: 403 `role_needed`: the sender has a lower one.
    """
    admission.checked = True
    if not admission.principal.role.includes(needed):
        raise role_needed(admission.principal, needed)


def role_needed(principal: Principal, needed: Role) -> ProblemError:
    """Returns the problem of a sender whose role is too low."""
    return ProblemError(
        403,
        "role_needed",
        "The role does not allow this",
        f"{principal.name!r} has the role {principal.role}, and this needs the role {needed}.",
        hint=f"Send the request with a token that has the role {needed}.",
    )
