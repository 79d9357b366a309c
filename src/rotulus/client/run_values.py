"""What a service answers about runs and groups, as frozen values."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from rotulus import GraphBox, GraphRoute, State
from rotulus._app.resources.steps import Span
from rotulus._jobs.outcome import OutcomeWord
from rotulus.client.values import Job, JobDetail, Value


class Step(Value):
    """A step of a run as it stands.

    Attributes:
        id: its name within its workflow.
        step: its path in the run.
        job: its job.
        attempts: how many attempts it has had.
        due_at: when everything it needs had ended; None while something has not.
        waits_for: the steps it needs, or its parts, that have not ended.
        waited: seconds from when it was due until it was begun, or until now.
        ran: seconds for which its attempts ran, together.
        spans: from when to when its attempts ran, the last one up to now if it runs.
        outcomes: the outcome of each of these attempts, in one word; None: it runs.
        branches: of a step that runs for each item: how many branches are in each state. Of a
            group: how many of its jobs are.
        wrong: some of the branches, or jobs of a group, that went wrong.
        steps: of a workflow: its steps, each after what it needs.
    """

    id: str
    step: str
    job: Job
    attempts: int
    due_at: datetime | None
    waits_for: tuple[str, ...]
    waited: float | None
    ran: float | None
    spans: tuple[Span, ...]
    outcomes: tuple[OutcomeWord | None, ...]
    branches: Mapping[State, int]
    wrong: tuple[Job, ...]
    steps: tuple["Step", ...]

    @property
    def name(self) -> str:
        """Its name within its workflow."""
        return self.id

    def walk(self) -> Iterator["Step"]:
        """The step, and then all steps within it."""
        yield self
        for step in self.steps:
            yield from step.walk()


class Run(JobDetail):
    """A run: the job that ends it, and its steps.

    Attributes:
        steps: each after what it needs; a group has none.
    """

    steps: tuple[Step, ...]


class Graph(Value):
    """A run, or a step of it that is a workflow, as boxes and the routes between them.

    The fields are those of what `app.runs.graph` gives, without its drawings.
    """

    run: str
    job: str
    step: str
    task: str
    state: State
    folded: bool
    boxes: tuple[GraphBox, ...]
    routes: tuple[GraphRoute, ...]
    width: float
    height: float


class Group(Value):
    """A group as it stands: the last one of its name.

    Attributes:
        name: its name.
        open: whether jobs can be added.
        jobs: how many of its jobs are in each state.
        job: the job of the callback; its id is that of the run.
    """

    name: str
    open: bool
    jobs: Mapping[State, int]
    job: Job
