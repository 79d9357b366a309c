"""Reads jobs, workers and queues."""

from collections.abc import Sequence

from rotulus._jobs.record import HISTORY, HISTORY_CHARACTERS, JobRecord, moment
from rotulus._jobs.states import State
from rotulus._text.ids import is_id
from rotulus._text.jsontext import encode_plain
from rotulus._workflows.paths import join_path
from rotulus.store import Count, Fleet, WorkerInfo
from rotulus.stores.shared.session import Row, Session


def records_of(session: Session, ids: Sequence[str]) -> list[JobRecord]:
    """The records of those jobs that exist, in the order of the ids."""
    found = {job.id: job for job in session.fetch_records("records", ids=list(ids))}
    return [found[job] for job in ids if job in found]


def whole_record(session: Session, job_id: str) -> JobRecord | None:
    """One job, with what is read apart. See `Queries.get`."""
    for job in records_of(session, [job_id]):
        most = {"limit": HISTORY, "characters": HISTORY_CHARACTERS}
        history = [list(row) for row in session.fetch("history", id=job_id, **most)]
        return job._replace(history=encode_plain(history), opens_at=_opens_at(session, job))
    return None


def _opens_at(session: Session, job: JobRecord) -> int | None:
    if job.rate_to is None or job.state not in (State.QUEUED, State.DELAYED):
        return None
    return session.fetch_value("opens_at", limit_key=job.limit_key, rate_to=job.rate_to)


def count(session: Session, by: str, run: str | None, within: str) -> list[Count]:
    """How many jobs there are. See `Queries.count`."""
    if (by == "step" or run is not None) and not is_id(run or ""):
        return []
    if by == "step":
        found = session.fetch("count_by_step", run=run, prefix=join_path(within, ""))
    else:
        found = session.fetch(f"count_by_{by}", run=run)
    return [Count(group, State(state), jobs) for group, state, jobs in found]


def fleet(session: Session) -> Fleet:
    """The live workers and the paused queues. See `Queries.fleet`."""
    workers = [_worker(session, row) for row in session.fetch("workers")]
    paused = {queue: moment(at) for queue, at in session.fetch("paused")}
    return Fleet(workers, paused)


def _worker(session: Session, row: Row) -> WorkerInfo:
    fields = dict(zip(WorkerInfo._fields, row, strict=True))
    for field in ("queues", "names"):
        fields[field] = None if fields[field] is None else tuple(session.texts(fields[field]))
    for field in ("started_at", "seen_at"):
        fields[field] = moment(fields[field])
    return WorkerInfo(**fields)
