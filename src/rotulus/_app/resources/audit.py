"""The audit of an app: each verb, its actor, and how many it changed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rotulus._app.port import AppPort
from rotulus._app.resources.pages import Page
from rotulus._app.resources.where import Since, check_limit, check_text, read_since
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.record import micros, moment
from rotulus._text.names import is_storable
from rotulus.errors import OptionError
from rotulus.store import AuditFilter, AuditRow

_GREATEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody has done, or has begun to do.

    Attributes:
        id: its number, as text; later entries have greater ones.
        at: when it began.
        actor: who has done it.
        door: where: `python`, `cli`, `http`, `mcp` or `django`.
        role: the role that the actor had there; None where no role is asked for.
        verb: the verb with its noun, such as `jobs.cancel`.
        target: the id or the name of what it was done to; None: several things, or what filters
            choose; `detail` has them.
        detail: how the verb was called: ids, filters and options by name. Of arguments, contexts
            and headers it has the names only.
        count: to how many it was done; None: it has not ended, or has failed and changed nothing
            that was counted.
        error: the error that it ended with, if it did.
        ended_at: when it ended. None: it goes on, or its process died: then nobody has told how
            much of it was done.
    """

    id: str
    at: datetime
    actor: str
    door: str
    role: str | None
    verb: str
    target: str | None
    detail: Mapping[str, Any]
    count: int | None
    error: str | None
    ended_at: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; its times are ISO 8601 text."""
        ended_at = None if self.ended_at is None else self.ended_at.isoformat()
        return asdict(self) | {"at": self.at.isoformat(), "ended_at": ended_at}


class AuditPage(Page[AuditEntry]):
    """Entries that match, the last one first: a list that knows how it goes on."""


class Audit:
    """`app.audit`: the verbs that somebody has called, each entry with its actor and its count.

    An entry is written before a verb of another resource begins, and completed when it has ended:
    by everybody who comes through a door, and by a program that says who acts, with
    `app.acting_as(...)`. It is kept as long as statistics are.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def find(
        self,
        *,
        since: Since | None = None,
        actor: str | None = None,
        verb: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> AuditPage:
        """Returns the entries that match, the last one first.

        Args:
            since: only what began at this moment or later; or so many seconds ago, or later.
            actor: only what this actor has done.
            verb: only this verb, such as `jobs.cancel`; `jobs.*`: all of a noun.
            limit: at most so many.
            after: `page.next` of the page before, with the same filters.

        Raises:
            OptionError: an argument is not allowed.
        """
        port, most = self._port(), check_limit(limit)
        wanted = AuditFilter(
            None if since is None else micros(read_since(since, "since", port.now())),
            None if actor is None else _text("actor", actor),
            None if verb is None else _read_verb(verb),
        )
        found = port.store().audit.read(wanted, most + 1, _read_after(after))
        entries = list(map(_read, found[:most]))
        return AuditPage(entries, entries[-1].id if entries and len(found) > most else None)

    async def afind(
        self,
        *,
        since: Since | None = None,
        actor: str | None = None,
        verb: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> AuditPage:
        """`find`, without blocking the event loop."""
        find = partial(self.find, since=since, actor=actor, verb=verb, limit=limit, after=after)
        return await off_loop(find)


def _read(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=str(row.id),
        at=moment(row.at),
        actor=row.actor,
        door=row.door,
        role=row.role,
        verb=row.verb,
        target=row.target,
        detail=json.loads(row.detail),
        count=row.count,
        error=row.error,
        ended_at=None if row.ended_at is None else moment(row.ended_at),
    )


def _text(name: str, value: object) -> str:
    text = check_text(name, value)
    if is_storable(text):
        return text
    raise OptionError(f"{name}={value!r} is not allowed: no store can hold that text")


def _read_verb(value: object) -> str:
    """Returns a verb; with a dot at its end: a noun."""
    text = _text("verb", value)
    noun, dot, verb = text.partition(".")
    if not noun or not dot or not verb or "*" in noun or ("*" in verb and verb != "*"):
        raise OptionError(
            f"verb={text!r} is not allowed: give a noun and a verb, such as 'jobs.cancel', or "
            f"'jobs.*' for all verbs of a noun"
        )
    return f"{noun}." if verb == "*" else text


def _read_after(after: object) -> int | None:
    if after is None:
        return None
    text = check_text("after", after)
    if text.isascii() and text.isdigit() and 0 < int(text) <= _GREATEST:
        return int(text)
    raise OptionError(f"after={text!r} is not allowed: give page.next as it is")
