"""Reads jobs, workers and queues."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from rotulus._jobs.record import HISTORY, HISTORY_CHARACTERS, JobRecord, moment
from rotulus._jobs.states import State
from rotulus._text.ids import id_range, is_id
from rotulus._text.jsontext import encode_plain
from rotulus._text.names import is_storable
from rotulus._workflows.paths import join_path
from rotulus.store import (
    Backlog,
    Count,
    Filter,
    Fleet,
    LimitUse,
    Part,
    StoreSize,
    TableSize,
    WorkerInfo,
)
from rotulus.stores.shared.session import Row, Session

_MOST_EARLIER = {"limit": HISTORY, "characters": HISTORY_CHARACTERS}

_RECENT = 20_000
"""How many of the last jobs are looked through before an index is used."""


def records_of(session: Session, ids: Sequence[str]) -> list[JobRecord]:
    """The records of those jobs that exist, in the order of the ids."""
    found = {job.id: job for job in session.fetch_records("records", ids=list(ids))}
    return [found[job] for job in ids if job in found]


def whole_record(session: Session, job_id: str) -> JobRecord | None:
    """One job, with what is read apart. See `Queries.get`."""
    for job in records_of(session, [job_id]):
        history = encode_plain(_history(session, job))
        return job._replace(history=history, opens_at=_opens_at(session, job))
    return None


def _history(session: Session, job: JobRecord) -> list[list[Any]]:
    """The earlier attempts. One that runs, or has succeeded, is not among them."""
    if job.attempt <= (job.state in (State.RUNNING, State.SUCCEEDED)):
        return []
    return [list(row) for row in session.fetch("history", id=job.id, **_MOST_EARLIER)]


def histories(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """The earlier attempts of jobs, if they have some. See `Queries.histories`."""
    found: dict[str, list[list[Any]]] = {}
    for job, *attempt in session.fetch("histories", ids=list(ids), **_MOST_EARLIER):
        found.setdefault(str(job), []).append(attempt)
    return {job: encode_plain(attempts) for job, attempts in found.items()}


def _opens_at(session: Session, job: JobRecord) -> int | None:
    if job.limit_key is None or job.state not in (State.QUEUED, State.DELAYED):
        return None
    return session.fetch_value("opens_at", limit_key=job.limit_key, rate_to=job.rate_to)


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
    del how["error"], how["arguments"]
    how |= {
        "heads": int(where.heads),
        "states": _listed(where.states),
        "labels": list(where.labels) or None,
        "needed_by": _listed(can_match.needed_by),
    }
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
    if not all(is_storable(one) for one in (*where, *where.labels) if isinstance(one, str)):
        return None
    if where.needed_by is None:
        return where
    return where._replace(needed_by=[job for job in where.needed_by if is_id(job)])


def _is_narrow(where: Filter) -> bool:
    """Whether an index leads to the few jobs that match."""
    if where.key or where.schedule or where.run or where.needed_by is not None:
        return True
    return bool(where.worker and where.states)


def steps(session: Session, run: str, within: str) -> list[Part]:
    """The parts of a job that are steps. See `Queries.steps`."""
    if not is_id(run) or not is_storable(within):
        return []
    found = session.fetch_records("steps", run=run, prefix=join_path(within, ""))
    needs: dict[str, list[str]] = {record.id: [] for record in found}
    for job, need in session.fetch("needs_of", ids=list(needs)) if found else ():
        needs[job].append(need)
    return [Part(record, [n for n in needs[record.id] if n in needs]) for record in found]


def count(session: Session, by: str, run: str | None, within: str, depth: int) -> list[Count]:
    """How many jobs there are. See `Queries.count`."""
    if (by == "step" or run is not None) and not is_id(run or ""):
        return []
    if by == "step":
        found = session.fetch("count_by_step", run=run, prefix=join_path(within, ""), depth=depth)
    else:
        found = session.fetch(f"count_by_{by}", run=run)
    return [Count(group, State(state), jobs) for group, state, jobs in found]


def backlog(session: Session, most: int) -> list[Backlog]:
    """How many jobs wait and run in each queue. See `Queries.backlog`."""
    rows = session.fetch("backlog", most=most + 1)
    by_kind = Counter[str]()
    for kind, queue, _, jobs, *_ in rows:
        by_kind[f"{kind} {queue}" if kind == "queue" else kind] += jobs
    found: dict[tuple[str, State], Backlog] = {}
    for kind, queue, name, jobs, oldest, past, soon in rows:
        counted, state = by_kind[f"{kind} {queue}" if kind == "queue" else kind], State(name)
        due = jobs if state is State.QUEUED else past
        one = Backlog(queue, state, jobs, counted <= most, oldest, due, soon - past)
        known = found.get(one[:2])
        found[one[:2]] = one if known is None else _together(one, known)
    return [found[key] for key in sorted(found)]


def _together(one: Backlog, other: Backlog) -> Backlog:
    moments = [at for at in (one.oldest, other.oldest) if at is not None]
    return one._replace(
        jobs=one.jobs + other.jobs,
        due=one.due + other.due,
        exact=one.exact and other.exact,
        oldest=min(moments, default=None),
    )


def fleet(session: Session) -> Fleet:
    """The live workers and the paused queues. See `Queries.fleet`."""
    workers = [_worker(session, row) for row in session.fetch("workers")]
    paused = {queue: moment(at) for queue, at in session.fetch("paused")}
    return Fleet(workers, paused)


def _worker(session: Session, row: Row) -> WorkerInfo:
    fields = dict(zip(WorkerInfo._fields, row, strict=True))
    for field in ("queues", "names"):
        fields[field] = None if fields[field] is None else tuple(session.texts(fields[field]))
    for field in ("started_at", "seen_at", "draining_at"):
        fields[field] = None if fields[field] is None else moment(fields[field])
    return WorkerInfo(**fields)


def size(session: Session, most: int) -> StoreSize:
    """How much room a store takes. See `Queries.size`."""
    found = session.fetch("table_sizes", most=most)
    tables = [TableSize(name, rows, bool(exact), size) for name, rows, exact, size in found]
    migrations = [name for (name,) in session.fetch("migrations_by_name")]
    return StoreSize(session.fetch_value("store_size"), tables, migrations)


def limits(session: Session, most: int, key: str | None) -> list[LimitUse]:
    """The keys of limits that jobs hold or wait for. See `Queries.limits`."""
    if key is None:
        holders = session.fetch("limit_holders", most=most)
        waiters = session.fetch("limit_waiters", most=most)
    elif is_storable(key):
        holders = session.fetch("holders_of_limit", key=key, most=most)
        waiters = session.fetch("waiters_of_limit", key=key, most=most)
    else:
        return []
    found: dict[str, list[tuple[Row, str | None, int]]] = {}
    for name, job, *terms in holders:
        found.setdefault(name, []).append((tuple(terms), str(job), 0))
    for name, queue, task, jobs, *terms in waiters:
        found.setdefault(name, []).append(((queue, task, *terms), None, jobs))
    return [_limit(name, found[name]) for name in sorted(found)]


def _limit(key: str, uses: Sequence[tuple[Row, str | None, int]]) -> LimitUse:
    queues, tasks, limits, rates, lengths = zip(*(terms for terms, _, _ in uses), strict=True)
    return LimitUse(
        key,
        sorted(set(queues)),
        sorted(set(tasks)),
        *(max((one for one in ones if one), default=None) for ones in (limits, rates, lengths)),
        holders=[job for _, job, _ in uses if job is not None],
        waiting=sum(jobs for _, _, jobs in uses),
    )
