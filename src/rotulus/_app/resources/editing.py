"""A job that waits is edited: its arguments, its priority, and when it is due."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypedDict, Unpack, cast

from rotulus._app.port import AppPort
from rotulus._app.resources.steering import steers
from rotulus._app.resources.where import check_flag, check_text
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.grouped import is_group, is_member
from rotulus._jobs.job import Job
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State
from rotulus._tasks.checks import check_options, check_priority
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import JobConflictError, OptionError
from rotulus.store import Edit

_TRIES = 10

_WAITING = frozenset({State.BLOCKED, State.DELAYED, State.QUEUED})


class JobChanges(TypedDict, total=False):
    """What `app.jobs.edit` can change; what is not given stays.

    Attributes:
        arguments: all arguments, by name: JSON data, as `job.arguments` shows them, or values as
            the function takes them. They take the place of those that it has.
        priority: higher is sooner.
        at: the moment it is due; now, if that is over.
        delay: seconds from now until it is due, instead of a moment.
    """

    arguments: Mapping[str, Any]
    priority: int
    at: datetime
    delay: Seconds


class JobEditing:
    """The verb that changes one job."""

    _port: Callable[[], AppPort]

    @steers("jobs.edit")
    def edit(
        self,
        job_id: str,
        *,
        version: str | None = None,
        unchecked: bool = False,
        **changes: Unpack[JobChanges],
    ) -> Job[Any]:
        """Change a job that waits, also one that waits for its retry.

        Everything is checked before anything is written, and no worker begins the job half changed.
        Its key and its limits stay. It expires as long after it is due as before.

        Args:
            job_id: its id, or a unique beginning of it.
            version: change it only if this is its `version`: nobody else has edited it since.
            unchecked: also the arguments of a task that is not registered here.
            changes: see `JobChanges`.

        Returns:
            The job as it stands then.

        Raises:
            JobNotFoundError: there is no such job, or there are several.
            JobConflictError: it runs, has begun its steps, or has ended; or it is of another
                version, or is edited by others all the time.
            ArgumentsError: the arguments do not fit the task.
            TaskNotFoundError: its arguments are to change, and its task is not registered here.
            OptionError: a change is not known or not allowed; or the arguments are those of a step,
                or would change a key that is made of them.
            CipherError: the arguments are encrypted, and cannot be decrypted here.
        """
        port, wanted = self._port(), _read_changes(changes)
        check_flag("unchecked", unchecked)
        job = port.pick(check_text("job id", job_id)).id
        for _ in range(_TRIES):
            record = port.look(job)
            _check(Job(record, port), version)
            edit = wanted
            if "arguments" in changes:
                _refuse_step(record)
                given = changes["arguments"]
                payload = port.edits.payload(record, given, unchecked=unchecked)
                edit = wanted._replace(arguments=payload)
            changed = port.store().edit(record, edit)
            if changed is not None:
                return Job(changed, port)
        raise JobConflictError(
            f"Job {job} was changed by others while it was being edited here, {_TRIES} times in a "
            f"row: look with app.jobs.get({job!r}) what they do, and try again"
        )

    async def aedit(
        self,
        job_id: str,
        *,
        version: str | None = None,
        unchecked: bool = False,
        **changes: Unpack[JobChanges],
    ) -> Job[Any]:
        """`edit`, without blocking the event loop."""
        edit = partial(self.edit, job_id, version=version, unchecked=unchecked, **changes)
        return await off_loop(edit)


def _read_changes(changes: JobChanges) -> Edit:
    """Returns what is to change, without the arguments. Raises `OptionError`."""
    check_options(changes, JobChanges.__annotations__)
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        raise OptionError(
            "Nothing to change: give arguments=, priority=, or at= or delay= for when it is due"
        )
    if len(given) < len(changes):
        [name, *_] = [name for name in changes if name not in given]
        raise OptionError(f"{name}=None is not allowed: leave it out, and it stays as it is")
    if "arguments" in given and not isinstance(given["arguments"], Mapping):
        raise OptionError("arguments= is not allowed so: give them by name, such as {'user_id': 7}")
    if "at" in given and "delay" in given:
        raise OptionError("Give at= or delay=, and not both: each says when the job is due")
    edit = Edit()
    if "priority" in given:
        check_priority(given["priority"], "priority")
        edit = edit._replace(priority=cast("int", given["priority"]))
    if "at" in given:
        edit = edit._replace(at=check_moment(given["at"], "at"))
    if "delay" in given:
        edit = edit._replace(delay=check_seconds(given["delay"], "delay"))
    return edit


def _check(job: Job[Any], version: str | None) -> None:
    """Raise `JobConflictError` unless a job waits, and is of the version that is wanted."""
    record, state, what = job.record, job.state, f"Job {job.id} of {job.task!r}"
    if is_group(record):
        raise JobConflictError(
            f"{what} is the callback of a group, which is given the outcomes of its jobs: there is "
            f"nothing to edit; app.jobs.reprioritise({record.id!r}, priority=...) gives the group "
            f"another priority"
        )
    if record.opened:
        raise JobConflictError(
            f"{what} has begun its steps, and {state.words}: app.runs.replay(run, step, context) "
            f"gives a step other values, and app.jobs.reprioritise another priority to all of them"
        )
    if state not in _WAITING:
        instead = (
            f"app.jobs.cancel({record.id!r}) stops it"
            if state is State.RUNNING
            else f"app.jobs.retry({record.id!r}) sends it back, and then it can be edited"
        )
        raise JobConflictError(f"{what} {state.words}: only a job that waits is edited; {instead}")
    if version is not None and job.version != check_text("version", version):
        raise JobConflictError(
            f"{what} has been edited meanwhile, and is not of version {version!r} any more: read "
            f"it again with app.jobs.get({record.id!r})"
        )


def _refuse_step(record: JobRecord) -> None:
    """Raise `OptionError` for a step of a workflow: it is given what others hand on."""
    if record.step and not is_member(record):
        raise OptionError(
            f"arguments= is not allowed: job {record.id} is step {record.step!r} of a run, and is "
            f"given what the steps before it hand on; once it has ended, "
            f"app.runs.replay({record.run!r}, {record.step!r}, context) runs it with other values"
        )
