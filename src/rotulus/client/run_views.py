"""A run as it is shown: level by level, drawn as boxes, and over time."""

from collections.abc import Collection

from rotulus import State, Timeline
from rotulus.client.calls import Call, get, path_of, query_of, reader
from rotulus.client.run_values import Graph
from rotulus.client.run_verbs import RunVerbs
from rotulus.client.values import JobPage, read_jobs

_graph, _timeline = reader(Graph), reader(Timeline)

States = State | str | Collection[State | str] | None
"""One state, or several; None: any."""


class RunViews(RunVerbs):
    """The verbs of `client.runs` that show a run."""

    def parts(
        self,
        run_id: str,
        within: str = "",
        *,
        state: States = None,
        limit: int = 50,
        after: str | None = None,
    ) -> JobPage:
        """Returns the jobs of one level of a run: its steps, branches, or the jobs of a group.

        Args:
            run_id: the id of the run, or that of a step of it.
            within: the path of the step whose parts are meant; `""`: those of the job itself.
            state: only those in this state, or in one of several.
            limit: at most so many: up to 500.
            after: `page.next` of the page before, with the same arguments.
        """
        return self._wire.send(_parts(run_id, within, state, limit, after))

    def graph(self, run_id: str) -> Graph:
        """Returns a run, or a step of it that is a workflow, as boxes and the routes between."""
        return self._wire.send(get(path_of("runs", run_id, "$graph"), _graph))

    def timeline(self, run_id: str, limit: int = 100) -> Timeline:
        """Returns when each step of a run waited and ran: those that ran the longest."""
        return self._wire.send(_over_time(run_id, limit))

    async def aparts(
        self,
        run_id: str,
        within: str = "",
        *,
        state: States = None,
        limit: int = 50,
        after: str | None = None,
    ) -> JobPage:
        """`parts`, for coroutines."""
        return await self._wire.asend(_parts(run_id, within, state, limit, after))

    async def agraph(self, run_id: str) -> Graph:
        """`graph`, for coroutines."""
        return await self._wire.asend(get(path_of("runs", run_id, "$graph"), _graph))

    async def atimeline(self, run_id: str, limit: int = 100) -> Timeline:
        """`timeline`, for coroutines."""
        return await self._wire.asend(_over_time(run_id, limit))


def _parts(run_id: str, within: str, state: States, limit: int, after: str | None) -> Call[JobPage]:
    query = query_of(within=within or None, state=state, limit=limit, after=after)
    return get(path_of("runs", run_id, "$steps"), read_jobs, query)


def _over_time(run_id: str, limit: int) -> Call[Timeline]:
    return get(path_of("runs", run_id, "$timeline"), _timeline, query_of(limit=limit))
