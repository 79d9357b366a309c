"""The actor: on whose behalf the verbs of an app are called, and at which door."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

from rotulus._app.roles import Role
from rotulus._text.names import is_storable
from rotulus.errors import OptionError

Door = Literal["python", "cli", "http", "mcp", "django"]
"""Where somebody asks an app for something."""

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who steers jobs, queues and the rest.

    Attributes:
        name: who it is: printable text of 1 to 200 characters.
        door: where.
        role: the role there; None where no role is asked for.

    Raises:
        OptionError: the name, or the door, is not allowed.
    """

    name: str
    door: Door = "python"
    role: Role | None = None

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise OptionError(
                f"An actor is not named {self.name!r}: give printable text of 1 to {_LONGEST} "
                f"characters, such as 'ada'"
            )
        if self.door not in get_args(Door):
            raise OptionError(f"There is no door {self.door!r}: {', '.join(get_args(Door))}")


_ACTOR: ContextVar[Actor | None] = ContextVar("rotulus_actor", default=None)


def current_actor() -> Actor | None:
    """Returns who acts in this context; None: nobody has said."""
    return _ACTOR.get()


@contextmanager
def acting_as(actor: Actor) -> Generator[Actor]:
    """Have somebody act for the length of a block: in this thread, and in its coroutines."""
    token = _ACTOR.set(actor)
    try:
        yield actor
    finally:
        _ACTOR.reset(token)


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        return False
    return name.isprintable() and is_storable(name)
