"""What is done to a run over HTTP: pause, resume, cancel, retry; replay and skip of a step."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from rotulus import App, Changed, Job
from rotulus._concurrency.pool import off_loop
from rotulus._tasks.masking import MASK
from rotulus.errors import OptionError
from rotulus.service.resources.documented import answers
from rotulus.service.resources.job_ids import EXAMPLE_ID, find_job
from rotulus.service.resources.job_models import JobDetail
from rotulus.service.resources.job_views import show_job, show_whole
from rotulus.service.resources.run_models import ReplayBody, RunChange, SkipBody
from rotulus.service.resources.views import View, view_of

RunId = Annotated[
    str,
    Path(
        description="The id of the run, or 8 characters or more that only this id begins with.",
        examples=[EXAMPLE_ID],
    ),
]
"""The type of a `run_id` parameter of a route."""

_MOST_SHOWN = 1_000


def add_run_verbs(router: APIRouter) -> None:
    """Add the routes of the verbs to a router."""
    post, one = router.post, "/{run_id}"
    job, changed = answers(JobDetail, "The run."), answers(RunChange, "What was changed.")
    post(f"{one}/$pause", operation_id="pause_run", summary="Pause a run", responses=job)(pause_run)
    post(f"{one}/$resume", operation_id="resume_run", summary="Resume a run", responses=job)(
        resume_run
    )
    post(f"{one}/$cancel", operation_id="cancel_run", summary="Cancel a run", responses=job)(
        cancel_run
    )
    post(f"{one}/$retry", operation_id="retry_run", summary="Retry a run", responses=changed)(
        retry_run
    )
    post(f"{one}/$replay", operation_id="replay_run", summary="Replay a step", responses=changed)(
        replay_run
    )
    post(f"{one}/$skip", operation_id="skip_step", summary="Skip a step", responses=changed)(
        skip_step
    )


def find_run(view: View, run_id: str) -> Job[Any]:
    """Returns the job that ends a run, by its id or a beginning of it. Reads the store.

    Raises:
        JobNotFoundError: there is none, or it is not a run.
    """
    return view.app.runs.get(find_job(view, run_id).id)


async def pause_run(request: Request, run_id: RunId) -> Response:
    """Begin no further step of a run until it is resumed; running steps finish."""
    return await _steer(request, run_id, lambda app, run: app.runs.pause(run))


async def resume_run(request: Request, run_id: RunId) -> Response:
    """Let a run go on."""
    return await _steer(request, run_id, lambda app, run: app.runs.resume(run))


async def cancel_run(request: Request, run_id: RunId) -> Response:
    """Cancel every step of a run that has not ended; those that run are asked to stop."""
    return await _steer(request, run_id, lambda app, run: app.runs.cancel(run))


async def retry_run(request: Request, run_id: RunId) -> Response:
    """Run the failed, dead and cancelled steps again, and every step that came after them."""
    return await _change(request, run_id, "retry", lambda app, run: app.runs.retry(run))


async def replay_run(request: Request, run_id: RunId, body: ReplayBody) -> Response:
    """Run a step that has ended again, and everything that came after it."""
    if not view_of(request).whole:
        _refuse_masks(body.context)

    def replay(app: App, run: str) -> Sequence[Job[Any]]:
        return app.runs.replay(run, body.step, body.context)

    return await _change(request, run_id, "replay", replay)


async def skip_step(request: Request, run_id: RunId, body: SkipBody) -> Response:
    """Go on without a step that waits or went wrong.

    The first job that is answered is that of the step, `blocked` if it is skipped when what it
    waits for has ended; the others had ended, and run again.
    """

    def skip(app: App, run: str) -> Sequence[Job[Any]]:
        return app.runs.skip(run, body.step, dry_run=body.dry_run)

    return await _change(request, run_id, "skip", skip, dry_run=body.dry_run)


async def _steer(request: Request, run_id: str, act: Callable[[App, str], object]) -> Response:
    """Do something to a run, and answer with the run."""
    view = view_of(request)

    def steer() -> dict[str, Any]:
        run = find_run(view, run_id)
        act(view.app, run.id)
        return show_whole(run.refresh(), view)

    return JSONResponse(await off_loop(steer))


async def _change(
    request: Request,
    run_id: str,
    verb: str,
    act: Callable[[App, str], Sequence[Job[Any]]],
    *,
    dry_run: bool = False,
) -> Response:
    """Do something to the jobs of a run, and answer which were changed."""
    view = view_of(request)

    def change() -> dict[str, Any]:
        changed = act(view.app, find_run(view, run_id).id)
        shown = [show_job(job, view) for job in changed[:_MOST_SHOWN]]
        count = changed.total if isinstance(changed, Changed) else len(changed)
        return {"verb": verb, "dry_run": dry_run, "count": count, "items": shown}

    return JSONResponse(await off_loop(change))


def _refuse_masks(value: Any) -> None:
    """Raise `OptionError` for a `***`, which stands for a secret and is none."""
    if value == MASK:
        raise OptionError(
            f"context: {MASK!r} stands for a secret that you may not see: give the value itself, "
            f"or leave the context out"
        )
    if isinstance(value, dict):
        value = list(cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            _refuse_masks(one)
