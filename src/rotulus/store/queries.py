"""`Queries`: every method of a store that reads jobs, and changes nothing."""

from collections.abc import Collection, Sequence
from typing import Protocol

from rotulus._jobs.record import JobRecord
from rotulus.store.counting import Counting
from rotulus.store.values import (
    EVERYTHING,
    Backlog,
    Filter,
    Fleet,
    Found,
    LimitUse,
    Part,
    Rights,
    StoreSize,
)


class Queries(Counting, Protocol):
    """What reads jobs. What no job can have, such as an id that is none, matches no job."""

    def get(self, job_id: str) -> JobRecord | None:
        """Returns one job, with `history` and `opens_at`; None when there is no such job.

        `history` is a JSON array of its earlier attempts, the oldest first, each an array:
        number, reason, worker, started_at, ended_at, error. The reason is the state in which the
        job ended if it had none; of a job that was cancelled in words of its own, it is
        `cancelled`, a new line and these words: so none is taken for another. The array holds the
        last hundred at most, and fewer if their errors have more than 200,000 characters together:
        the number of the first tells how many are missing. The attempt under way, or the one that
        ended the job, is not among them.

        `opens_at` is the moment when the rate of the job allows a start again. It is None unless
        the job is queued or delayed, and its rate allows none now.
        """
        ...

    def find(
        self, where: Filter = EVERYTHING, limit: int = 100, before: str | None = None
    ) -> list[JobRecord]:
        """Returns the jobs that match every field of the filter, the last added first.

        What stands in texts, the `error` and the `arguments` of a filter, is for `search`.

        `before` is the id of a job, for the next page: only jobs that were added before that one.
        It works too when that job is gone.
        """
        ...

    def unended(self, ids: Collection[str]) -> set[str]:
        """Returns those of some jobs that have not ended."""
        ...

    def search(self, where: Filter, limit: int, before: str | None = None) -> Found:
        """Returns the ids of jobs that match every field, the last added first, with an end.

        Heads of runs come in the order of their ids.

        Where an index leads to few jobs, these are looked at, else the last jobs. Once 10,000 jobs
        were looked at that do not match, and fewer where that takes longer, the search ends, and
        tells how far it got: another one can go on there. So no search takes long, however many
        jobs there are.

        Args:
            where: what is to match. `needed_by` and `prefix` are for `find`.
            limit: how many jobs at most.
            before: as for `find`: the `after` of the search before.
        """
        ...

    def records(self, ids: Sequence[str]) -> list[JobRecord]:
        """Returns those of the jobs that exist, in the order of the ids."""
        ...

    def histories(self, ids: Collection[str]) -> dict[str, str]:
        """Returns of each of some jobs the `history` that `get` gives, by their ids.

        A job without earlier attempts, or without those that `get` would give, is left out. Of all
        of them, one statement reads at most the last hundred attempts of each.
        """
        ...

    def steps(self, run: str, within: str = "") -> list[Part]:
        """Returns the parts of the job that stands at `within` in a run, in the order of adding.

        Branches, the jobs of a group, and the parts that its parts have are not among them.
        """
        ...

    def backlog(self, most: int = 10_000) -> list[Backlog]:
        """Returns how many jobs wait and run in each queue, by queue and state.

        Jobs without a limit that are due are counted to `most` in each queue, all other kinds to
        `most` in all queues together: so however many there are, it takes no longer. The job that
        waits longest is one of the first ten of its priority, as they are claimed; or one of those
        with a limit that were counted; or a delayed one whose moment has come.
        """
        ...

    def last_runs(self, tasks: Collection[str], most: int = 20_000) -> list[JobRecord]:
        """Returns the last job of each of these tasks that is no step of a run.

        They are looked for among the `most` jobs that were added last, and among the last runs, a
        tenth of that.
        """
        ...

    def running(self, most: int = 10_000) -> dict[str, int]:
        """Returns how many jobs run, by worker; of all of them, `most` are counted."""
        ...

    def fleet(self) -> Fleet:
        """Returns the workers whose lease is not over, the oldest first, and the paused queues."""
        ...

    def size(self, most: int = 10_000) -> StoreSize:
        """Returns how much room it takes, and how many rows its tables have.

        It takes no longer however many there are: rows are counted to `most`, or the database has
        an estimate of its own, and that is told.
        """
        ...

    def rights(self) -> Rights | None:
        """Returns what the user may do, beside what roles need; None: the place has no users."""
        ...

    def limits(self, most: int = 10_000, key: str | None = None) -> list[LimitUse]:
        """Returns the keys with a limit or a rate that jobs hold or wait for, by key.

        Of the jobs that run, and of those that wait, `most` are looked at; with a `key`, of those
        that have it. Keys are those of the jobs: a key that no job has is not known. The terms are
        those that the jobs have, whatever is set.
        """
        ...
