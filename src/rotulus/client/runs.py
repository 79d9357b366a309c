"""`client.runs`: the runs of workflows: found, and read as trees."""

from typing import Unpack

from rotulus._app.resources.run_views import RunWhere
from rotulus.client.calls import Call, get, path_of, query_of, reader
from rotulus.client.run_values import Run, Step
from rotulus.client.run_views import RunViews
from rotulus.client.values import Job, JobPage, read_jobs

_run, _step = reader(Run), reader(Step)


class Runs(RunViews):
    """The runs of a service, with the verbs of `app.runs`, each also with an `a` in front."""

    def get(self, run_id: str) -> Run:
        """Returns a run: the job that ends it, and its steps as a tree.

        Args:
            run_id: its id, or a beginning of it that no other id has.

        Raises:
            JobNotFoundError: there is no such job, or it is not a run.
        """
        return self._wire.send(_get(run_id))

    def find(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        arguments: bool = False,
        **where: Unpack[RunWhere],
    ) -> JobPage:
        """Returns the runs that match, the last one first, each as the job that ends it.

        Args:
            limit: at most so many: up to 500.
            after: `page.next` of the page before, with the same filters.
            arguments: whether they are told with their arguments: up to 100 then.
            where: which runs.

        Raises:
            OptionError: a filter does not exist, or no run can have its value.
        """
        return self._wire.send(_find(limit, after, where, arguments=arguments))

    def latest(self, *workflows: str) -> dict[str, Job]:
        """Returns the last run of each of these workflows, by name; a request for each."""
        pages = {name: self._wire.send(_last(name)) for name in workflows}
        return {name: page[0] for name, page in pages.items() if page}

    def steps(self, run_id: str) -> list[Step]:
        """Returns the steps of a run as a tree, each after what it needs."""
        return list(self.get(run_id).steps)

    def step(self, run_id: str, step: str) -> Step:
        """Returns one step of a run, or the run as a whole.

        Args:
            run_id: the id of the run.
            step: the id of the step, or its path, such as `parse/17`; `""` is the run itself.

        Raises:
            StepNotFoundError: the run has no such step.
        """
        return self._wire.send(_one(run_id, step))

    async def aget(self, run_id: str) -> Run:
        """`get`, for coroutines."""
        return await self._wire.asend(_get(run_id))

    async def afind(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        arguments: bool = False,
        **where: Unpack[RunWhere],
    ) -> JobPage:
        """`find`, for coroutines."""
        return await self._wire.asend(_find(limit, after, where, arguments=arguments))

    async def alatest(self, *workflows: str) -> dict[str, Job]:
        """`latest`, for coroutines."""
        pages = {name: await self._wire.asend(_last(name)) for name in workflows}
        return {name: page[0] for name, page in pages.items() if page}

    async def asteps(self, run_id: str) -> list[Step]:
        """`steps`, for coroutines."""
        return list((await self.aget(run_id)).steps)

    async def astep(self, run_id: str, step: str) -> Step:
        """`step`, for coroutines."""
        return await self._wire.asend(_one(run_id, step))


def _get(run_id: str) -> Call[Run]:
    return get(path_of("runs", run_id), _run)


def _find(
    limit: int, after: str | None, where: RunWhere, *, arguments: bool = False
) -> Call[JobPage]:
    query = query_of(limit=limit, after=after, arguments=arguments or None, **where)
    return get("/runs", read_jobs, query)


def _last(workflow: str) -> Call[JobPage]:
    return _find(1, None, {"task": workflow})


def _one(run_id: str, step: str) -> Call[Step]:
    return get(path_of("runs", run_id, "$step"), _step, query_of(path=step))
