"""`Client`: a service over HTTP, for programs that do not have its database."""

from collections.abc import Collection
from typing import Any, Self, Unpack

from rotulus.client.access import Audit, Tokens
from rotulus.client.artifacts import Artifacts
from rotulus.client.changes import ChangeStream
from rotulus.client.failures import Failures
from rotulus.client.groups import Groups
from rotulus.client.jobs import Jobs
from rotulus.client.limits import Limits
from rotulus.client.push import Push
from rotulus.client.queues import Queues, Workers
from rotulus.client.runs import Runs
from rotulus.client.schedules import Schedules
from rotulus.client.stats import Stats
from rotulus.client.tasks import EnqueueOptions, Sender, Tasks
from rotulus.client.values import Job
from rotulus.client.webhooks import Webhooks
from rotulus.client.wire import Wire


class Client:
    """The tasks and jobs of a service, over HTTP.

        with Client("https://jobs.example.com", token="...") as client:
            job = client.enqueue("mail.send", to="ada@example.com")
            print(client.jobs.result(job.id, timeout=60))

    It has the nouns and verbs of `App`, and raises the same errors; each verb has a form that
    begins with `a`, for coroutines. It may be used from any thread, and from any event loop.
    A verb that only reads is sent again when the service does not answer; so is an enqueue with an
    `idempotency_key`, which stores one job all the same.

    Args:
        url: the address of the service, with the path below which it is mounted, if there is one.
        token: a bearer token of the service; "" for none.
        timeout: seconds that an answer may take.
        retries: how often a request is sent again that may be.

    Attributes:
        jobs: its jobs.
        tasks: its tasks.
        queues: its queues.
        limits: how many jobs of each key may run, and do.
        schedules: its schedules.
        workers: the workers that are alive.
        runs: the runs of its workflows.
        groups: jobs with one callback for all of them.
        failures: the jobs that failed or died, by what they failed of.
        stats: its statistics.
        artifacts: products of its tasks that are kept.
        push: how its jobs are pushed, and what was delivered.
        tokens: who is let in; for admins.
        audit: who has done what; for admins.
        webhooks: who is told of what; for admins.

    Raises:
        OptionError: the url is no address.
    """

    def __init__(
        self, url: str, *, token: str = "", timeout: float = 30.0, retries: int = 2
    ) -> None:
        self._wire = Wire(url, token, timeout, retries)
        self.jobs = Jobs(self._wire)
        self.tasks = Tasks(self._wire)
        self.queues = Queues(self._wire)
        self.limits = Limits(self._wire)
        self.schedules = Schedules(self._wire)
        self.workers = Workers(self._wire)
        self.runs = Runs(self._wire)
        self.groups = Groups(self._wire)
        self.failures = Failures(self._wire)
        self.stats = Stats(self._wire, self.schedules)
        self.artifacts = Artifacts(self._wire)
        self.push = Push(self._wire)
        self.tokens = Tokens(self._wire)
        self.audit = Audit(self._wire)
        self.webhooks = Webhooks(self._wire)

    def enqueue(self, name: str, /, **params: Any) -> Job:
        """Store a job of the task of that name.

        Args:
            name: the task.
            params: its arguments, as JSON data.

        Raises:
            ArgumentsError: the arguments do not fit.
            TaskNotFoundError: there is no such task.
            ServiceError: the service refuses, or does not answer.
        """
        return self.using().enqueue(name, **params)

    async def aenqueue(self, name: str, /, **params: Any) -> Job:
        """`enqueue`, for coroutines."""
        return await self.using().aenqueue(name, **params)

    def using(
        self, *, idempotency_key: str | None = None, **options: Unpack[EnqueueOptions]
    ) -> Sender:
        """Enqueue with options: `client.using(delay=60).enqueue("mail.send", to="ada")`.

        Args:
            idempotency_key: requests with the same key, within a day and by the same sender, store
                one job: such a call is sent again when there is no answer. The job can be deleted
                when that day is over.
            options: the options.
        """
        return Sender(self._wire, options, idempotency_key)

    def changes(
        self,
        *,
        after: int | None = None,
        jobs: Collection[str] | None = None,
        queues: Collection[str] | None = None,
    ) -> ChangeStream:
        """Returns what happens from now on, or after a position.

        Args:
            after: the position of the last change that is known.
            jobs: only changes of these jobs, by id.
            queues: only changes of these queues, and of the jobs in them.
        """
        return ChangeStream(self._wire, after, jobs, queues)

    def close(self) -> None:
        """Close the connections of threads."""
        self._wire.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._wire.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
        self.close()
