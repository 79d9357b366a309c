"""The jobs of one level of a run, page by page: the steps, the branches, or the jobs of a group."""

from collections.abc import Mapping
from typing import Any

from rotulus._app.port import AppPort
from rotulus._app.resources.pages import JobPage, read_cursor, write_cursor
from rotulus._jobs.job import Job
from rotulus._jobs.record import JobRecord, moment
from rotulus._workflows.paths import split_path
from rotulus.store import Filter

_AT_ONCE = 500
_MOST_LOOKS = 20
"""How often jobs of the run are read for one page, where few of them are of the level."""


def read_level(
    port: AppPort,
    meant: Filter,
    place: str,
    where: Mapping[str, Any],
    limit: int,
    after: str | None,
) -> JobPage:
    """Returns a page of the jobs that stand directly within a place of a run, the last one first.

    Args:
        port: where they are.
        meant: which jobs of the run.
        place: the path of the job that they are parts of; `""`: the run.
        where: the same as they were asked for, by name: the cursor is for these.
        limit: how many at most.
        after: the cursor of the page before, or the id of a job.

    Raises:
        OptionError: it is no cursor, or that of another level.
    """
    store, seen = port.store(), read_cursor(after, where)
    found, looked_to, last = list[JobRecord](), None, None
    for _ in range(_MOST_LOOKS if limit else 0):
        page = store.search(meant, _AT_ONCE, seen)
        found += [one for one in store.records(page.ids) if _stands_in(one, place)]
        seen, looked_to = page.after, page.looked_to
        if len(found) > limit:
            last, looked_to = found[limit - 1].id, None
            break
        if seen is None:
            break
    else:
        last = seen if limit else None
    jobs = [Job(record, port) for record in found[:limit]]
    cursor = None if last is None else write_cursor(last, where)
    return JobPage(jobs, cursor, last, None if looked_to is None else moment(looked_to))


def _stands_in(record: JobRecord, place: str) -> bool:
    return bool(record.step) and split_path(record.step)[0] == place
