"""Finds jobs by a filter: what cannot match is left out, and an index is chosen."""

from collections.abc import Collection

from rotulus._jobs.record import JobRecord
from rotulus._text.ids import id_range, is_id
from rotulus._text.names import is_storable
from rotulus.store import Filter
from rotulus.stores.shared.session import Session

_RECENT = 20_000
"""How many of the last jobs are looked through before an index is used."""


def find(session: Session, where: Filter, limit: int, before: str | None) -> list[JobRecord]:
    """The jobs that match. See `Queries.find`.

    Args:
        session: where to look.
        where: what is to match.
        limit: how many jobs at most.
        before: only jobs that were added before this one.
    """
    first, last = ends = _ends(where.prefix)
    can_match = _possible(where, before)
    if can_match is None or (where.prefix is not None and None in ends):
        return []
    how = {**can_match._asdict(), "limit": limit, "before": before, "first": first, "last": last}
    how |= {"states": _listed(where.states), "needed_by": _listed(can_match.needed_by)}
    if where.prefix is not None and where.needed_by is None:
        return session.fetch_records("find_by_prefix", **how)
    if not _is_narrow(can_match):
        window = None if where.states is None else _RECENT
        found = session.fetch_records("find", **how, window=window)
        if window is None or len(found) == limit:
            return found
    return session.fetch_records("find_by_index", **how)


def _listed(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _ends(prefix: str | None) -> tuple[str | None, str | None]:
    """The first and the last id that begin so; None where there is none."""
    found = None if prefix is None else id_range(prefix)
    return found or (None, None)


def _possible(where: Filter, before: str | None) -> Filter | None:
    """A filter without the ids that no job can have; None when no job can match.

    Some databases refuse a text that they cannot hold, where others find no job that has it.
    """
    if not all(is_id(one) for one in (where.run, before) if one is not None):
        return None
    texts = (where.task, where.queue, where.key, where.limit_key, where.schedule, where.worker)
    if not all(is_storable(text) for text in (*texts, where.step) if text is not None):
        return None
    if where.needed_by is None:
        return where
    return where._replace(needed_by=[job for job in where.needed_by if is_id(job)])


def _is_narrow(where: Filter) -> bool:
    """Whether an index leads to the few jobs that match."""
    if where.key or where.schedule or where.run or where.needed_by is not None:
        return True
    return bool(where.worker and where.states)
