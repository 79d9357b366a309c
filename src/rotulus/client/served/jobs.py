"""`jobs` and `runs` of a service, whose verbs give what those of an app give."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rotulus import AlikeJobs, BulkProgress, Changed, Job, JobCount, JobCounts, JobPage, StepInfo
from rotulus._app.resources.bulk import MOST_KEPT
from rotulus._text.ids import is_id
from rotulus.client.jobs import Jobs
from rotulus.client.run_values import Graph, Step
from rotulus.client.runs import Runs
from rotulus.client.served.handles import ListedArguments, ServedHandles, ServedJob, unchanged
from rotulus.client.values import JobChange
from rotulus.client.values import JobPage as JobValues
from rotulus.errors import JobConflictError, OptionError
from rotulus.filters import CountedBy

_PAGE = 500
_AT_ONCE = 1_000
"""How many jobs a request changes at most: it is answered in seconds."""


class ServedJobs:
    """The jobs of a service, with the verbs of `app.jobs`.

    Args:
        jobs: the jobs of a client.
        handles: makes handles of them.
    """

    def __init__(self, jobs: Jobs, handles: ServedHandles) -> None:
        self._jobs = jobs
        self._handles = handles

    def __call__(self, *, limit: int = 100, **where: Any) -> list[Job[Any]]:
        """Returns the jobs that match, the last added first."""
        return list(self.find(limit=limit, **where))

    def get(self, job_id: str) -> ServedJob:
        """Returns a job, by its id or a beginning of it. Raises `JobNotFoundError`."""
        return self._handles.get(job_id)

    def find(self, *, limit: int = 100, after: str | None = None, **where: Any) -> JobPage:
        """Returns the jobs that match, the last added first. See `app.jobs.find`."""
        return found_jobs(self._jobs.find, self._handles, limit, after, where)

    def count(self, **where: Any) -> JobCount:
        """Returns how many jobs match."""
        return self._jobs.count(**where)

    def count_by(self, by: CountedBy, *, limit: int = 50, **where: Any) -> JobCounts:
        """Returns how many jobs match of each. See `app.jobs.count_by`."""
        found = self._jobs.count_by(by, limit=limit, **where)
        handle = self._handles.handle
        return JobCounts(
            (
                AlikeJobs(
                    one.value, one.count, one.first_added, one.last_added, handle(one.example)
                )
                for one in found
            ),
            found.looked_to,
        )

    def cancel(self, *ids: str, **chosen: Any) -> Changed:
        """Cancel jobs. See `app.jobs.cancel`."""
        return self._change(self._jobs.cancel, ids, chosen)

    def retry(self, *ids: str, **chosen: Any) -> Changed:
        """Send jobs back to their queues. See `app.jobs.retry`."""
        return self._change(self._jobs.retry, ids, chosen)

    def delete(self, *ids: str, **chosen: Any) -> Changed:
        """Delete jobs that have ended. See `app.jobs.delete`."""
        return self._change(self._jobs.delete, ids, chosen)

    def reprioritise(self, *ids: str, priority: int, **chosen: Any) -> Changed:
        """Give jobs that wait another priority. See `app.jobs.reprioritise`."""
        return self._change(self._jobs.reprioritise, ids, {**chosen, "priority": priority})

    def edit(self, job_id: str, *, version: str | None = None, **changes: Any) -> ServedJob:
        """Change a job that waits. See `app.jobs.edit`."""
        with unchanged(f"Job {job_id}", JobConflictError):
            return self._handles.handle(self._jobs.edit(job_id, version=version, **changes))

    def _change(
        self, verb: Callable[..., JobChange], ids: tuple[str, ...], chosen: dict[str, Any]
    ) -> Changed:
        """Do something to jobs, by as many requests as it takes."""
        progress = chosen.pop("progress", None)
        changed = Changed()
        while True:
            given = chosen if ids or chosen.get("dry_run") else {"limit": _AT_ONCE, **chosen}
            page = verb(*ids, **given)
            changed.total += page.total
            changed += map(self._handles.handle, page[: MOST_KEPT - len(changed)])
            changed.next = page.next
            if progress is not None:
                progress(BulkProgress(changed.total, changed.total, page.next))
            if page.next is None or chosen.get("dry_run") or "limit" in chosen:
                return changed
            chosen["after"] = page.next


class ServedRuns:
    """The runs of a service, with the verbs of `app.runs`.

    Args:
        runs: the runs of a client.
        handles: makes handles of their jobs.
    """

    def __init__(self, runs: Runs, handles: ServedHandles) -> None:
        self._runs = runs
        self._handles = handles
        self.pause = runs.pause
        self.resume = runs.resume

    def get(self, run_id: str) -> ServedJob:
        """Returns the job that ends a run. Raises `JobNotFoundError`."""
        return self._handles.handle(self._runs.get(run_id))

    def find(self, *, limit: int = 50, after: str | None = None, **where: Any) -> JobPage:
        """Returns the runs that match, the last one first. See `app.runs.find`."""
        return found_jobs(self._runs.find, self._handles, limit, after, where)

    def steps(self, run_id: str) -> list[StepInfo]:
        """Returns the steps of a run as a tree."""
        return list(map(self._step, self._runs.steps(run_id)))

    def step(self, run_id: str, step: str) -> StepInfo:
        """Returns one step of a run, or the run as a whole. Raises `StepNotFoundError`."""
        found = self._step(self._runs.step(run_id, step))
        return replace(found, job=self._handles.get(found.job.id))

    def skip(self, run_id: str, step: str, *, dry_run: bool = False) -> list[ServedJob]:
        """Go on without a step. See `app.runs.skip`."""
        return list(map(self._handles.handle, self._runs.skip(run_id, step, dry_run=dry_run)))

    def graph(self, run_id: str) -> "ServedGraph":
        """Returns a run as boxes and the routes between them."""
        return ServedGraph(self._runs.graph(run_id))

    def _step(self, value: Step) -> StepInfo:
        handle = self._handles.handle
        return StepInfo(
            handle(value.job),
            value.due_at,
            value.waits_for,
            value.spans,
            value.outcomes,
            value.attempts,
            Counter(value.branches),
            list(map(handle, value.wrong)),
            list(map(self._step, value.steps)),
        )


class ServedGraph:
    """A drawing that a service gives as data.

    Args:
        graph: the data.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data."""
        graph = self._graph
        said = {name: getattr(graph, name) for name in type(graph).model_fields}
        boxes = [box.to_dict() for box in graph.boxes]
        return said | {"boxes": boxes, "routes": [route.to_dict() for route in graph.routes]}

    def svg(self) -> str:
        """Refuse."""
        raise _not_drawn()

    def mermaid(self) -> str:
        """Refuse."""
        raise _not_drawn()


def _not_drawn() -> OptionError:
    return OptionError(
        "A service gives a drawing as data: give --json, or look at the run in its console. Where "
        "the store can be reached, --url with its own URL draws it"
    )


def found_jobs(
    find: Callable[..., JobValues],
    handles: ServedHandles,
    limit: int,
    after: str | None,
    where: dict[str, Any],
) -> JobPage:
    """Returns jobs that match, by as many requests as it takes.

    Raises:
        OptionError: the page is to begin after a job: a service takes cursors only.
    """
    if after is not None and is_id(after):
        raise OptionError(
            "A service does not list what was added before a job (--before): give --after with "
            "the cursor of a page, or --until with a moment"
        )
    found: list[ServedJob] = []
    listed = ListedArguments(find, limit, after, where)
    while True:
        page = find(limit=min(_PAGE, limit - len(found)), after=after, **where)
        found += [handles.handle(job, listed) for job in page]
        after = page.next
        if after is None or page.looked_to is not None or len(found) >= limit:
            return JobPage(found, after, None, page.looked_to)
