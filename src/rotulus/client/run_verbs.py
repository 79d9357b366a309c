"""What a client does to runs: cancels, retries, pauses, resumes; replays and skips a step."""

from collections.abc import Mapping
from typing import Any

from rotulus.client.calls import Call, data_of, path_of, reader
from rotulus.client.values import Job, JobDetail, read_list
from rotulus.client.wire import Wire
from rotulus.errors import OptionError

_run = reader(JobDetail)


class RunVerbs:
    """Verbs for runs by their ids, each also with an `a` in front. One request is for one run.

    Args:
        wire: sends requests.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def cancel(self, *ids: str) -> list[Job]:
        """Cancel every step of these runs that has not ended; those that run are asked to stop.

        Raises:
            JobNotFoundError: there is no such run. Those before it are cancelled.
            OptionError: no run was named; so do all verbs.
        """
        return [self._wire.send(call) for call in _verb(ids, "cancel")]

    def retry(self, *ids: str) -> list[Job]:
        """Run the failed, dead and cancelled steps again, and every step that came after them.

        Returns:
            The jobs that run again.
        """
        return [job for call in _retry(ids) for job in self._wire.send(call)]

    def pause(self, *ids: str) -> None:
        """Begin no further step of these runs until `resume`; running steps finish."""
        for call in _verb(ids, "pause"):
            self._wire.send(call)

    def resume(self, *ids: str) -> None:
        """Let these runs go on."""
        for call in _verb(ids, "resume"):
            self._wire.send(call)

    def replay(self, run_id: str, step: str, context: Mapping[str, Any] | None = None) -> list[Job]:
        """Run a step that has ended again, and everything that came after it.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path.
            context: what the step is given; what its needs handed on, unless given.

        Returns:
            The jobs that run again.

        Raises:
            StepNotFoundError: the run has no such step.
            WorkflowError: the step has not ended; or it is a branch, and a context was given.
            ContextError: the context is too large.
        """
        return self._wire.send(_replay(run_id, step, context))

    def skip(self, run_id: str, step: str, *, dry_run: bool = False) -> list[Job]:
        """Go on without a step that waits or went wrong: it is `skipped`. See `app.runs.skip`.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path.
            dry_run: change nothing, and return which jobs it would be.

        Returns:
            The job of the step, `blocked` if it is skipped when what it waits for has ended; and
            then the jobs that had ended and run again.

        Raises:
            StepNotFoundError: the run has no such step.
            WorkflowError: the step runs, has succeeded or was skipped, or is none.
        """
        return self._wire.send(_skip(run_id, step, dry_run))

    async def acancel(self, *ids: str) -> list[Job]:
        """`cancel`, for coroutines."""
        return [await self._wire.asend(call) for call in _verb(ids, "cancel")]

    async def aretry(self, *ids: str) -> list[Job]:
        """`retry`, for coroutines."""
        return [job for call in _retry(ids) for job in await self._wire.asend(call)]

    async def apause(self, *ids: str) -> None:
        """`pause`, for coroutines."""
        for call in _verb(ids, "pause"):
            await self._wire.asend(call)

    async def aresume(self, *ids: str) -> None:
        """`resume`, for coroutines."""
        for call in _verb(ids, "resume"):
            await self._wire.asend(call)

    async def areplay(
        self, run_id: str, step: str, context: Mapping[str, Any] | None = None
    ) -> list[Job]:
        """`replay`, for coroutines."""
        return await self._wire.asend(_replay(run_id, step, context))

    async def askip(self, run_id: str, step: str, *, dry_run: bool = False) -> list[Job]:
        """`skip`, for coroutines."""
        return await self._wire.asend(_skip(run_id, step, dry_run))


def _named(ids: tuple[str, ...], verb: str) -> tuple[str, ...]:
    if not ids:
        raise OptionError(f"{verb}: no run is given: name one")
    return ids


def _verb(ids: tuple[str, ...], verb: str) -> list[Call[JobDetail]]:
    return [
        Call("POST", path_of("runs", one, f"${verb}"), _run, repeatable=True)
        for one in _named(ids, verb)
    ]


def _retry(ids: tuple[str, ...]) -> list[Call[list[Job]]]:
    return [Call("POST", path_of("runs", one, "$retry"), read_list) for one in _named(ids, "retry")]


def _replay(run_id: str, step: str, context: Mapping[str, Any] | None) -> Call[list[Job]]:
    body = {"step": step, **data_of(context=context)}
    return Call("POST", path_of("runs", run_id, "$replay"), read_list, body=body)


def _skip(run_id: str, step: str, dry_run: bool) -> Call[list[Job]]:
    body = {"step": step, "dry_run": dry_run}
    return Call("POST", path_of("runs", run_id, "$skip"), read_list, body=body)
