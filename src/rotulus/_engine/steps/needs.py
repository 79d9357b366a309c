"""Reads the jobs that steps wait for, as the store has them: for many steps at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from rotulus._jobs.encrypted import UnreadableError, is_encrypted
from rotulus._jobs.record import JobRecord
from rotulus._workflows.paths import is_branch, join_path, split_path
from rotulus._workflows.stored import Stored, read
from rotulus.store import Filter, Store

_MOST_NEEDS = 1_000_000

_MOST_FETCHED = 5000
"""The most needs that are kept; others belong to jobs that were given back before they began."""

_FEW = 8
"""Up to so many jobs are read one by one, rather than with all parts of another one."""

_SEVERAL = 2
"""From so many jobs on, their needs are read together."""


class Needs:
    """Reads what jobs wait for: the steps that a step needs, and the parts of a job that opened.

    The needs of a step are those of its *job* since its run began: code that was deployed later
    does not change them.

    Args:
        store: where the runs are.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._fetched: dict[tuple[str, int], list[JobRecord]] = {}

    def fetch(self, records: Iterable[JobRecord], ended: Iterable[JobRecord] = ()) -> None:
        """Read at once what some jobs will ask for, so that not each of them reads by itself.

        Args:
            records: the jobs.
            ended: jobs as they ended in the transaction that claimed these: they need no reading.
        """
        if len(self._fetched) > _MOST_FETCHED:
            self._fetched.clear()
        known: dict[str | None, dict[str | None, JobRecord]] = {}
        for job in ended:
            known.setdefault(job.run, {})[job.step] = job
        unread = {job.id: job for job in records if self._declares_needs(job)}
        for job in list(unread.values()) if known else ():
            needs = _all_among(job, known.get(job.run, {}))
            if needs:
                self._fetched[job.id, job.attempt] = needs
                del unread[job.id]
        if len(unread) >= _SEVERAL:
            self._fetch(unread)

    def of(self, record: JobRecord) -> list[JobRecord]:
        """Returns the jobs that a job waits for, and perhaps others; the last added first."""
        fetched = self._fetched.pop((record.id, record.attempt), None)
        return self.of_all([record]) if fetched is None else fetched

    def of_all(self, records: Iterable[JobRecord]) -> list[JobRecord]:
        """Returns the jobs that any of these waits for."""
        return _readable(
            self._store().find(Filter(needed_by=[job.id for job in records]), _MOST_NEEDS)
        )

    def beside(self, record: JobRecord) -> list[JobRecord]:
        """The jobs that a part needs, and perhaps others, but not thousands of its own parts."""
        declared = None if is_branch(record.step) else stored_of(record).needs
        if is_branch(record.step) or declared == ():
            return []
        if declared is None or not record.opened or len(declared) > _FEW:
            return self.of_all([record])
        within, _ = split_path(record.step)
        return [self.whole(record.run, path) for path in _paths(within, declared)]

    def whole(self, run: str | None, path: str) -> JobRecord:
        """Returns the job at a path of a run."""
        [whole] = _readable(self._store().find(Filter(run=run, step=path), 1))
        return whole

    def _declares_needs(self, job: JobRecord) -> bool:
        """Returns whether the arguments of a job list its needs."""
        return not is_branch(job.step) and (not job.step or stored_of(job).needs is not None)

    def _fetch(self, unread: Mapping[str, JobRecord]) -> None:
        beside: dict[tuple[str | None, str], list[JobRecord]] = {}
        for need in self.of_all(unread.values()):
            beside.setdefault((need.run, split_path(need.step)[0]), []).append(need)
        for job in unread.values():
            places = dict.fromkeys([split_path(job.step)[0], job.step or ""])
            found = [need for place in places for need in beside.get((job.run, place), ())]
            self._fetched[job.id, job.attempt] = found


def stored_of(record: JobRecord) -> Stored:
    """Returns what the job of a step keeps in its arguments."""
    return read(record.arguments, split_path(record.step)[1])


def named(
    record: JobRecord, among: Iterable[JobRecord], declared: Sequence[str]
) -> list[JobRecord]:
    """Returns those of some jobs that a step needs, in the order in which they are merged.

    Args:
        record: the step.
        among: all that it needs, and others too if its arguments say what it needs.
        declared: what its workflow says now: the order, where nothing better is known.
    """
    if is_branch(record.step) or not record.step:
        return []
    within, _ = split_path(record.step)
    by_path = {job.step: job for job in among if split_path(job.step)[0] == within and job.step}
    stored = stored_of(record).needs
    names = declared if stored is None else stored
    found = [by_path.pop(path) for path in _paths(within, names) if path in by_path]
    return found if stored is not None else found + list(by_path.values())[::-1]


def _readable(records: list[JobRecord]) -> list[JobRecord]:
    """Returns what a store gave. Raises `UnreadableError` if not all of it could be decrypted."""
    if any(is_encrypted(job.arguments) or is_encrypted(job.result or "") for job in records):
        raise UnreadableError
    return records


def _all_among(job: JobRecord, known: Mapping[str | None, JobRecord]) -> list[JobRecord]:
    """Returns the jobs that a step needs, if all of them are known; else none."""
    names = None if job.opened or not job.step else stored_of(job).needs
    if not names:
        return []
    paths = _paths(split_path(job.step)[0], names)
    return [known[path] for path in paths] if all(path in known for path in paths) else []


def _paths(within: str, names: Iterable[str]) -> list[str]:
    return [join_path(within, name) for name in names]
