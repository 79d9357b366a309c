"""What a filter can find: settled here for all stores, before one is asked."""

from rotulus._text.ids import is_id
from rotulus._text.names import is_storable
from rotulus.store import Filter


def possible(where: Filter, before: str | None) -> Filter | None:
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


def is_narrow(where: Filter) -> bool:
    """Whether an index leads to the few jobs that match."""
    if where.key or where.schedule or where.run or where.needed_by is not None:
        return True
    return bool(where.worker and where.states)
