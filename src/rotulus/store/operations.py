"""`Operations`: what operators do: cancel, retry, skip, edit, pause, delete; drain workers."""

from collections.abc import Collection
from typing import Protocol

from rotulus._jobs.record import JobRecord
from rotulus.store.values import Edit, WorkerInfo


class Operations(Protocol):
    """Those of `Transitions` that operators ask for; its words hold here, too."""

    def cancel(self, ids: Collection[str]) -> list[JobRecord]:
        """Cancel jobs with all of their parts; returns the records of those among `ids` that exist.

        | state before | in `ids`, or a part of such a job | dependant |
        |---|---|---|
        | waiting | `cancelled`, and waits for nothing | waits for fewer; may be due |
        | `running` | runs on, with `cancel_requested`, which `extend` tells | as it was |
        | ended | as it was | as it was |
        """
        ...

    def retry(self, ids: Collection[str], arguments: str | None = None) -> list[JobRecord]:
        """Send ended jobs back; returns the records of the jobs among `ids` that were sent back.

        | state before | in `ids` | part of a job sent back | dependant of a job sent back |
        |---|---|---|---|
        | `failed`, `dead`, `cancelled` | back | back | back |
        | `succeeded`, `skipped` | as it was; back with `arguments` | as it was | back |
        | waiting | as it was | as it was | back |
        | `running` | as it was | as it was | runs on, and waits only if it goes back later |

        *Back* is `queued`; or `blocked`, while something that it waits for has not ended, or its
        run is paused. It clears `reason`, `result`, `error`, `progress`, `expires_at`, `failures`
        and `losses`; `attempt` and `releases` go on counting. The attempt that ended is kept among
        the earlier ones. A job that goes back holds its key again, and is due in the
        `outbox` if it is carried.

        *Parts that are rebuilt.* The parts of an opened dependant that goes back are deleted if
        one of its needs goes back, since its next attempt will add other parts. If only parts of it
        go back, they stay, and it waits for them. A part that is deleted while it runs is lost to
        its worker.

        *Arguments.* With `arguments`, the jobs in `ids` get these, as JSON text, and their parts
        are deleted. The arguments of a job with a need that goes back become `{}`, since they came
        of an earlier call. Those that begin with `{"needs":` stay: they say what a step waits for.

        *Keys.* If another job holds the key of the head of a run by now, no job of that run is sent
        back. Of several runs with one key, the first goes back.
        """
        ...

    def skip(self, job_id: str, *, dry_run: bool = False) -> list[JobRecord]:
        """Skip a part of a run: it ends without success, and what waits for it goes on.

        Returns its record, and then those of its dependants that had ended and go back. Nothing is
        returned, and nothing is changed, if it is not a part of a run; if it waits for what it
        needs; if it runs, or a part of it does; if it has succeeded or was skipped; or if it has
        ended, and another job holds the key of the head of its run by now.

        | state before | the part | part of it | dependant |
        |---|---|---|---|
        | `blocked`, waits for what it needs | as it was | `skipped` | waits for fewer; may be due |
        | else waiting | `skipped` | `skipped` | waits for fewer; may be due |
        | `failed`, `dead`, `cancelled` | `skipped` | `skipped` | back, if the part had ended |
        | `succeeded`, `skipped` | as it was | as it was | back, if the part had ended |
        | `running` | as it was | the part stays as it was | runs on |

        *Skipped* has the reason `operator`, and clears `result`, `error` and `progress`. An attempt
        that had ended is kept among the earlier ones. *Back*, and the parts that are rebuilt, are
        as in `retry`; but the arguments of a dependant stay if nothing that it needs goes back.
        Where the part was still waiting nothing goes back: what waits for it has not begun.

        Args:
            job_id: the id of the part.
            dry_run: change nothing; the records are as they stand.
        """
        ...

    def pause(self, queues: Collection[str], paused: bool, runs: Collection[str] = ()) -> None:
        """Pause queues and runs, or resume them.

        Jobs of a paused queue can be added, and are not claimed. A queue can be paused before it
        has a job. To pause what is paused changes nothing.

        A run is named by the id of its head. A job without parts is paused as the run that it may
        become.

        | state before | its run is paused | its run is resumed |
        |---|---|---|
        | `queued`, `delayed` | `blocked` | (there is none) |
        | `blocked` | `blocked` | `queued` or `delayed`, if it waits for nothing |
        | `running` | runs on; `blocked` if it goes back | runs on |
        | ended | as it was; `blocked` if it is retried | as it was |

        Parts that are added to a paused run are `blocked`. A job that is resumed has not been late
        meanwhile, nor come closer to its expiry. Carried jobs are due in the `outbox` again.
        """
        ...

    def edit(self, seen: JobRecord, edit: Edit) -> JobRecord | None:
        """Change a job that waits; returns it as it stands then.

        None, and nothing is changed: it waits no longer, its parts have been added, or its
        arguments, its priority or the moment at which it is due are not those that were `seen`. So
        of several callers that saw the same, one changes it.

        | state before | due at another moment | else |
        |---|---|---|
        | `queued`, `delayed` | `delayed`, or `queued` if that moment has come | as it was |
        | `blocked` | `blocked` | `blocked` |

        It expires as long after the new moment as it would have after the old one. Keys and limits
        stay. If it is carried, it is due in the `outbox` when it is due.
        """
        ...

    def reprioritise(self, ids: Collection[str], priority: int) -> list[JobRecord]:
        """Give waiting jobs and their waiting parts another priority.

        Returns the records of those among `ids` that have it now. What runs or has ended stays as
        it is.
        """
        ...

    def delete(self, ids: Collection[str]) -> list[JobRecord]:
        """Delete ended jobs with their earlier attempts; returns the records of those now gone.

        A run goes whole, with its head, once all of it has ended. Left as they are: jobs that have
        not ended, parts by themselves, and jobs that hold their key.
        """
        ...

    def drain_workers(self, names: Collection[str]) -> list[WorkerInfo]:
        """Drain workers: they take no more jobs, and end; returns those that are alive.

        A worker is told by `extend` when it is announced the next time. Once drained, it is drained
        for as long as its lease is renewed in time: a worker whose row was pruned is a new one.
        """
        ...
