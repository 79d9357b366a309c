"""Searches for jobs that look at a bounded number of them: `search`."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from rotulus._jobs.outcome import read_error
from rotulus._jobs.states import LIVE, State
from rotulus._text.ids import is_id, lowest_id
from rotulus._text.names import is_storable
from rotulus.store import NOTHING, Filter, Found, Tally
from rotulus.stores.shared.session import Row, Session, Value

_MOST_MISSES = 10_000
"""How many jobs are looked at that do not match."""

_MOST_BY_INDEX = 3_000
"""The same where each of them is looked up."""

_MOST_TEXTS, _MOST_TEXTS_BY_INDEX = 3_000, 1_500
"""The same where their errors or arguments are read."""

_MOST_UNORDERED = 20_000
"""Of how many jobs in no order the last ones are chosen. More than these are found by walking."""

_FIRST_LOOK = 200
_GROWTH = 4

_SKEW = 3_600_000_000
"""Jobs that were added so many microseconds apart may stand in the other order."""

_INDEXED = LIVE | {State.FAILED, State.DEAD, State.CANCELLED, State.SKIPPED}
"""The states whose jobs are few, or are few for most of the time."""


_FAILED = frozenset({State.FAILED, State.DEAD})
"""The states of jobs that are in a failure group."""


class _Look(NamedTuple):
    """What one look at some jobs has told.

    Attributes:
        looked: how many jobs were looked at.
        unordered: how many jobs of a set without an order were read.
        hits: how many of those that were looked at may match.
        rows: those that may match, unless they are only counted, and the last one.
    """

    looked: int
    unordered: int
    hits: int
    rows: Sequence[Row]


class _Row(NamedTuple):
    """A job, as a look tells it, behind what the look tells of itself."""

    looked: int
    unordered: int
    hits: int
    id: str
    created_at: int
    hit: bool
    error: str | None
    arguments: str | None


def search(session: Session, where: Filter, limit: int, before: str | None) -> Found:
    """The ids of jobs that match. See `Queries.search`."""
    if limit <= 0 or not _can_match(where, before):
        return NOTHING
    return _Search(session, where, before).run(limit)


def tally(session: Session, where: Filter, limit: int, before: str | None) -> Tally:
    """How many jobs match. See `Queries.tally`."""
    if limit <= 0 or not _can_match(where, before):
        return Tally(0, None)
    search = _Search(session, where, before)
    if search.reads_texts:
        found = search.run(limit)
        return Tally(len(found.ids), found.after)
    return search.count(limit)


class _Search:
    """A search under way.

    Args:
        session: where to look.
        where: what is to match.
        before: only jobs that were added before this one.
    """

    def __init__(self, session: Session, where: Filter, before: str | None) -> None:
        if where.states is None and (where.error or where.fingerprint):
            where = where._replace(states=_INDEXED)  # a job that succeeded has no error
        self.reads_texts = bool(where.error or where.arguments)
        self._session = session
        self._walk = "head" if where.heads else None
        self._by = _index_for(where) or self._walk
        self._parameters = _parameters(where)
        self._matches = _matcher(where)
        self._since = where.since
        self._before = before or (None if where.until is None else lowest_id(where.until + _SKEW))
        texts = self.reads_texts
        if self._by is None:
            self._most = _MOST_TEXTS if texts else _MOST_MISSES
        else:
            self._most = _MOST_TEXTS_BY_INDEX if texts else _MOST_BY_INDEX

    def run(self, limit: int) -> Found:
        """Look until there are as many as wanted, or there is an end."""
        ids: list[str] = []
        looked, size = 0, self._first_size(limit)
        while True:
            look = self._look(size)
            for row in map(_Row._make, look.rows):
                if row.hit and self._matches(row.error, row.arguments):
                    ids.append(row.id)
                    if len(ids) == limit:
                        return Found(ids, row.id, None)
            last = self._go_on(look, size)
            if last is None:
                return Found(ids, None, None)
            looked += look.looked
            if looked - len(ids) >= self._most:
                return Found(ids, last.id, last.created_at)
            size = min(size * _GROWTH, self._most - looked + len(ids))

    def count(self, limit: int) -> Tally:
        """Count until there are as many as wanted, or there is an end."""
        jobs, looked, size = 0, 0, self._first_size(limit)
        while True:
            look = self._look(size, counting=True)
            jobs, looked = jobs + look.hits, looked + look.looked
            last = self._go_on(look, size)
            if last is None or jobs >= limit or looked - jobs >= self._most:
                return Tally(jobs, last and last.id)
            size = min(size * _GROWTH, self._most - looked + jobs)

    def _first_size(self, limit: int) -> int:
        return max(_FIRST_LOOK, min(limit, _MOST_MISSES + 1))

    def _go_on(self, look: _Look, size: int) -> _Row | None:
        """Go on after a look; returns the last job that was looked at, or None at an end."""
        if look.looked < size:
            return None
        last = _Row._make(look.rows[-1])
        if self._since is not None and last.created_at < self._since - _SKEW:
            return None
        self._before = last.id
        return last

    def _look(self, size: int, *, counting: bool = False) -> _Look:
        how = {**self._parameters, "look": size, "before": self._before, "counting": int(counting)}
        if self._by == "head":
            return _told(self._session.fetch("search_heads", **how))
        if self._by is not None:
            most = _MOST_UNORDERED + 1
            look = _told(self._session.fetch("search_few", **how, by=self._by, most=most))
            if look.unordered < most:
                return look
            self._by = "state" if self._by == "fingerprint" else self._walk
            return self._look(size, counting=counting)
        return _told(self._session.fetch("search_newest", **how))


def _told(rows: Sequence[Row]) -> _Look:
    if not rows:
        return _Look(0, 0, 0, [])
    first = _Row._make(rows[0])
    return _Look(first.looked, first.unordered, first.hits, rows)


def _index_for(where: Filter) -> str | None:
    """Which index leads to the jobs; None: they are looked for among all."""
    for name in ("key", "run", "schedule"):
        if getattr(where, name) is not None:
            return "step" if name == "run" and where.step is not None else name
    if where.labels:
        return "label"
    states = where.states
    if where.fingerprint is not None and states is not None and _FAILED.issuperset(states):
        return "fingerprint"
    return "state" if states is not None and _INDEXED.issuperset(states) else None


def _can_match(where: Filter, before: str | None) -> bool:
    """Whether there may be jobs that match: some databases refuse a text that they cannot hold."""
    if not all(is_id(one) for one in (where.run, before) if one is not None):
        return False
    texts = (value for value in where if isinstance(value, str))
    return all(map(is_storable, (*texts, *where.labels)))


def _parameters(where: Filter) -> dict[str, Value]:
    """The parameters that a search and a filter have in common."""
    fields = where._asdict()
    for name in ("needed_by", "prefix", "error", "arguments"):
        del fields[name]
    fields |= {"heads": int(where.heads)}
    fields |= {"states": None if where.states is None else list(where.states)}
    fields |= {"labels": list(where.labels) or None, "label": next(iter(where.labels), None)}
    likes = {
        "error_like": None if where.error is None else _like(_in_json(where.error.lower())),
        "arguments_like": _arguments_like(where),
    }
    return fields | likes | {"first": None, "last": None}


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _like(text: str) -> str:
    """A pattern for what has a text somewhere, in which a sign beyond ASCII stands for any."""
    escaped = "".join(f"!{sign}" if sign in "!%_" else sign for sign in text)
    return "%" + "".join(sign if sign.isascii() else "_" for sign in escaped) + "%"


def _arguments_like(where: Filter) -> str | None:
    """A pattern that all arguments fit that can match."""
    if not where.arguments:
        return None
    path, value = where.arguments[0]
    name = "" if path[-1].isdigit() else f'"{path[-1]}"'
    return "%" + "".join(_like(part) for part in (name, value) if _is_written_so(part))


def _is_written_so(text: str) -> bool:
    """Whether a JSON text, a name or a value, stands so in arguments wherever it stands there."""
    if text.startswith('"'):
        return text.isascii() and "\\" not in text
    return text.lstrip("-").isdigit()


def _matcher(where: Filter) -> "Callable[[str | None, str | None], bool]":
    """What decides by the texts of a job whether it matches."""
    wanted = [(path, json.loads(text)) for path, text in where.arguments]
    text = None if where.error is None else where.error.lower()

    def matches(error: str | None, arguments: str | None) -> bool:
        if text is not None and not _is_in_error(text, error):
            return False
        return not wanted or _all_there(wanted, arguments)

    return matches


def _is_in_error(text: str, stored: str | None) -> bool:
    error = read_error(stored)
    return error is not None and (text in error.type.lower() or text in error.message.lower())


def _all_there(wanted: Sequence[tuple[Sequence[str], Any]], stored: str | None) -> bool:
    try:
        arguments = json.loads(stored or "null")
    except ValueError:  # they were damaged
        return False
    return all(any(_equal(v, value) for v in _at(arguments, path)) for path, value in wanted)


def _at(arguments: Any, path: Sequence[str]) -> Iterator[Any]:
    """The value at a path, if there is one."""
    value = arguments
    for name in path:
        if isinstance(value, dict) and name in value:
            value = cast("dict[str, Any]", value)[name]
        elif isinstance(value, list) and name.isdigit():
            value = next(iter(cast("list[Any]", value)[int(name) :]), _NOTHING)
        else:
            return
    if value is not _NOTHING:
        yield value


_NOTHING = object()


def _equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: to JSON, `true` is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
