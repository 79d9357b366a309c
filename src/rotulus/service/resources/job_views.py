"""The JSON of jobs, as the sender of a request may see them."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from rotulus import Job
from rotulus._text import jsontext
from rotulus.service.problems import ProblemError
from rotulus.service.records import STATUSES, arguments_of, description_of
from rotulus.service.resources.views import View

MOST_WITH_ARGUMENTS = 100
"""How many jobs a list with their arguments has at most."""

_TIMES = ("instant", "created_at", "run_at", "started_at", "ended_at")


def show_job(job: Job[Any], view: View) -> dict[str, Any]:
    """Returns the JSON of a job in a list: what the job says of itself, and more words for it."""
    shown = public(job.to_dict(arguments=False), view._replace(tracebacks=False))
    return shown | {
        "labels": view.data(shown["labels"]),
        "status": STATUSES[job.state].value,
        "description": description_of(job),
        "submitted_at": shown["created_at"],
        "finished_at": shown["ended_at"],
    }


def shown_in_list(
    view: View, limit: int, *, arguments: bool
) -> Callable[[Job[Any]], dict[str, Any]]:
    """Returns what shows a job in a list, with its arguments if they are wanted.

    Args:
        view: what the sender may see.
        limit: how many jobs the list may have.
        arguments: whether they are wanted; each may have megabytes, so the list must be short.

    Raises:
        ProblemError: the list may be longer than one with arguments can be.
    """
    if not arguments:
        return partial(show_job, view=view)
    if limit > MOST_WITH_ARGUMENTS:
        detail = f"with arguments a page has {MOST_WITH_ARGUMENTS} items at most: ask for so many"
        raise ProblemError(
            422,
            "invalid_request",
            "The request does not fit",
            f"limit: {detail}",
            errors=[{"in": "query", "parameter": "limit", "detail": detail}],
        )
    return lambda job: show_job(job, view) | {"arguments": _arguments(job, view)}


def _arguments(job: Job[Any], view: View) -> dict[str, Any] | None:
    """Returns the arguments of a job in a list, as the sender may see them; None if broken."""
    arguments = arguments_of(job)
    return None if arguments is None else view.arguments(job.task, arguments)


def show_result(job: Job[Any], view: View) -> Any:
    """Returns the result of a job as JSON; None until it has returned."""
    text = job.record.result
    return None if text is None else view.result(job.task, jsontext.decode(text))


def show_whole(job: Job[Any], view: View) -> dict[str, Any]:
    """Returns the JSON of a single job. Reads the store.

    Raises:
        JobNotFoundError: it has been deleted meanwhile.
        StoreError: the store cannot be read.
    """
    shown = show_job(job, view)
    shown["error"] = public(job.to_dict(arguments=False), view)["error"]
    shown["arguments"] = view.arguments(job.task, job.arguments)
    shown["headers"] = view.data(job.headers)
    shown["result"] = show_result(job, view)
    shown["attempts"] = [public(attempt.to_dict(), view) for attempt in job.attempts]
    shown["why"] = job.why()
    shown["parts"] = _parts(job, view)
    return shown


def version_of(job: Job[Any], view: View) -> str:
    """Returns the version of a job as the sender sees it.

    Secrets that are hidden are not in it: it would tell them to somebody who tries values.
    """
    if view.whole:
        return job.version
    seen = json.dumps(view.arguments(job.task, job.arguments))
    return replace(job, record=job.record._replace(arguments=seen)).version


def _parts(job: Job[Any], view: View) -> dict[str, int] | None:
    """Returns how many parts of a job are in each state; None if it has none."""
    if not job.record.opened:
        return None
    counts = Counter[str]()
    for count in view.app.store.count("step", job.run or job.id, job.step or ""):
        counts[count.state.value] += count.jobs
    return dict(counts)


def public(said: dict[str, Any], view: View) -> dict[str, Any]:
    """Returns what a job or an attempt says of itself, for clients: times end with `Z`."""
    times = {name: said[name] for name in _TIMES if said.get(name)}
    shown = said | {name: time.replace("+00:00", "Z") for name, time in times.items()}
    return shown | {"error": _error(said["error"], view)}


def _error(error: dict[str, Any] | None, view: View) -> dict[str, Any] | None:
    if error is None:
        return None
    traceback = (error["traceback"] or None) if view.tracebacks else None
    return {
        "type": error["type"],
        "message": error["message"],
        "fingerprint": error["fingerprint"] or None,
        "traceback": traceback,
    }
