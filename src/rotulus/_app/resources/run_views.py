"""Runs as they are shown: found page by page, drawn as boxes, and over time."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, TypedDict, Unpack

from rotulus._app.groups import check_group_name
from rotulus._app.port import AppPort
from rotulus._app.resources.pages import JobPage, read_page
from rotulus._app.resources.run_graph import (
    Inside,
    RunGraph,
    graph_of_branches,
    graph_of_declared,
    graph_of_group,
    graph_of_steps,
)
from rotulus._app.resources.run_levels import read_level
from rotulus._app.resources.steps import RunSteps
from rotulus._app.resources.timeline import Timeline
from rotulus._app.resources.where import (
    Since,
    check_filter_names,
    check_limit,
    check_text,
    read_where,
)
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.grouped import KEY, is_group
from rotulus._jobs.job import Job
from rotulus._jobs.states import LIVE, State, read_states
from rotulus._workflows.paths import is_branch, join_path, split_path
from rotulus._workflows.tasks import WorkflowTask
from rotulus._workflows.workflow import Workflow
from rotulus.errors import OptionError


class RunWhere(TypedDict, total=False):
    """Filters for runs: a run matches if it has every given value.

    Attributes:
        state: one state, or several, of the job that ends it. `running` means every run that has
            not ended: while its steps run, that job is `blocked`.
        task: the name of its workflow, or of the callback of a group; `etl.*` for all names that
            begin with `etl.`.
        group: the name of a group.
        key: its unique key.
        schedule: the name of the schedule that has fired it.
        label: labels that it has, all of them: `{"customer": "7"}`.
        since: added at this moment or later; or so many seconds ago, or later.
        until: added before this moment, or before so many seconds ago.
    """

    state: State | str | Collection[State | str] | None
    task: str | None
    group: str | None
    key: str | None
    schedule: str | None
    label: Mapping[str, str] | None
    since: Since | None
    until: Since | None


_FILTERS = tuple(RunWhere.__annotations__)


class RunViews(RunSteps):
    """Runs as they are shown."""

    def find(
        self, *, limit: int = 50, after: str | None = None, **where: Unpack[RunWhere]
    ) -> JobPage:
        """Returns the runs that match, the last one first, each as the job that ends it.

        A run that was enqueued with a delay is found once it has begun, and before by
        `app.jobs.find(task=..., state="delayed")`; a run that is a step of another one is not.
        Where few of many runs match, some thousands are looked at: the page may be short then, or
        empty, and `page.next` goes on. `page.looked_to` says how far it got.

        Args:
            limit: at most so many; the largest is 2,147,483,647.
            after: `page.next` of the page before, with the same filters; or the id of a run: gives
                runs that were enqueued earlier.
            where: which runs; see `RunWhere`.

        Raises:
            OptionError: there is no such filter, or its value is one that no run can have; or
                `limit` or `after` is not allowed.
        """
        port, most = self._port(), check_limit(limit)
        check_filter_names(where, known=_FILTERS, what="Runs")
        fields: dict[str, Any] = dict(where)
        states = read_states(fields.get("state"))
        if states is not None and State.RUNNING in states:
            fields["state"] = [*states, *LIVE]
        group = fields.pop("group", None)
        if group is not None:
            fields["key"] = _key_of(group, fields.get("key"))
        meant = read_where(fields, port.now)._replace(heads=True)
        return read_page(port, meant, {"runs": 1, **where}, most, after)

    def graph(self, run_id: str) -> RunGraph:
        """Returns a run as boxes and the routes between them, with the states of its steps.

        The boxes are those of the run as it was begun, also if its workflow has changed since. All
        branches of a step are one box with their counts, and so are the steps of a workflow within,
        and the jobs of a group. Of more than 150 steps, all steps of a level are one box. A run
        that has not begun is drawn as its workflow is declared.

        Args:
            run_id: the id of the run, or that of a step of it that is a workflow itself.

        Raises:
            JobNotFoundError: there is no such job, or it has no steps.
        """
        port, job = self._port(), self._jobs.get(run_id)
        if not job.record.opened:
            whole = self._run(run_id)
            declared = _declared(port, whole.task)
            if declared is not None and not whole.record.opened:
                return graph_of_declared(whole.record, declared)
        return _graph(port, job)

    def timeline(self, run_id: str, limit: int = 100) -> Timeline:
        """Returns when each step of a run waited and ran.

        Args:
            run_id: the id of the run, or that of a step of it that is a workflow itself.
            limit: how many steps at most: those that ran the longest.

        Raises:
            JobNotFoundError: there is no such job.
            OptionError: the limit is not allowed.
        """
        most = check_limit(limit)
        return Timeline.of(self._jobs.get(run_id), self.steps(run_id), most)

    def parts(
        self,
        run_id: str,
        within: str = "",
        *,
        state: State | str | Collection[State | str] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> JobPage:
        """Returns the jobs of one level of a run: its steps, branches, or the jobs of a group.

        The last one is the first. Where few of many jobs are of that level, some thousands are
        looked at: the page may be short then, or empty, and `page.next` goes on.

        Args:
            run_id: the id of the run, or that of a step of it.
            within: the path of the step whose parts are meant; `""`: those of the job itself.
            state: only those in this state, or in one of several.
            limit: at most so many; the largest is 2,147,483,647.
            after: `page.next` of the page before, with the same arguments.

        Raises:
            JobNotFoundError: there is no such job.
            OptionError: an argument is not allowed.
        """
        port, most, job = self._port(), check_limit(limit), self._jobs.get(run_id)
        path = check_text("within", within)
        place = join_path(job.step, path) if job.step and path else job.step or path
        fields = {"run": job.run or job.id, "state": state}
        where = {"parts": place, **fields}
        return read_level(port, read_where(fields, port.now), place, where, most, after)

    async def afind(
        self, *, limit: int = 50, after: str | None = None, **where: Unpack[RunWhere]
    ) -> JobPage:
        """`find`, without blocking the event loop."""
        return await off_loop(self.find, limit=limit, after=after, **where)

    async def aparts(
        self,
        run_id: str,
        within: str = "",
        *,
        state: State | str | Collection[State | str] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> JobPage:
        """`parts`, without blocking the event loop."""
        read = partial(self.parts, run_id, within, state=state, limit=limit, after=after)
        return await off_loop(read)

    async def agraph(self, run_id: str) -> RunGraph:
        """`graph`, without blocking the event loop."""
        return await off_loop(self.graph, run_id)

    async def atimeline(self, run_id: str, limit: int = 100) -> Timeline:
        """`timeline`, without blocking the event loop."""
        return await off_loop(self.timeline, run_id, limit)


def _key_of(group: object, key: object) -> str:
    """Returns the key that a group holds. Raises `OptionError`."""
    if key is not None:
        raise OptionError("Give group= or key=, and not both: the name of a group is its key")
    return f"{KEY}{check_group_name(group)}"


def _graph(port: AppPort, job: Job[Any]) -> RunGraph:
    run, within = job.run or job.id, job.step or ""
    inside = _inside(port, run, within)
    own = inside.get(within)
    if is_group(job.record):
        return graph_of_group(job.record, own.counts if own else {})
    if own is not None and own.are_branches:
        return graph_of_branches(job.record, own.counts)
    return graph_of_steps(
        job.record, port.store().steps(run, within), inside, _declared(port, job.task)
    )


def _inside(port: AppPort, run: str, within: str) -> dict[str, Inside]:
    """Returns the parts of a job, and those of each of its steps, by the path of what has them."""
    counted: dict[str, Counter[State]] = {}
    branched: dict[str, bool] = {}
    for count in port.store().count("step", run, within, depth=2):
        place, _ = split_path(count.group)
        counted.setdefault(place, Counter())[count.state] += count.jobs
        branched[place] = is_branch(count.group)
    return {place: Inside(counts, branched[place]) for place, counts in counted.items()}


def _declared(port: AppPort, name: str) -> Workflow | None:
    task = port.registry.get(name) if port.registry.has(name) else None
    return task.workflow if isinstance(task, WorkflowTask) else None
