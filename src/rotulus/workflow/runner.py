"""`DefaultRunner`: runs workflows in this program, with a worker in a thread of its own."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from rotulus import TaskRegistry
from rotulus import registry as global_registry
from rotulus._text.urls import without_password
from rotulus._workflows.context import Context
from rotulus.errors import OptionError, ResultTimeoutError
from rotulus.workflow.config import DefaultRunnerConfig
from rotulus.workflow.cron_schedules import CronSchedules
from rotulus.workflow.run import Run, WorkflowResult, result_of, watched
from rotulus.workflow.serving import Serving

_SCHEMA = re.compile(r"[A-Za-z0-9_]+")
_SETTLE = 10.0
"""Seconds for a run that took too long to end once it is cancelled."""


class DefaultRunner:
    """Runs workflows, and whatever else is registered, in this program.

    It may be used from any thread, and by any number of programs on one store at once: they share
    the work. `with DefaultRunner(...) as runner:` shuts it down at the end.

    Args:
        database_url: where the runs live, such as `sqlite:///jobs.db`; as for `App`.
        config: how it works.
        registry: the workflows and tasks; the global registry unless given.

    Raises:
        OptionError: the URL is none.
    """

    def __init__(
        self,
        database_url: str | None = None,
        config: DefaultRunnerConfig | None = None,
        *,
        registry: TaskRegistry = global_registry,
    ) -> None:
        self.config = config or DefaultRunnerConfig()
        self._serving = Serving(database_url, self.config, registry)
        self._crons = CronSchedules(
            self._serving.app,
            self.config.cron_max_catchup_executions,
            timedelta(minutes=self.config.cron_lost_threshold_minutes),
        )
        if self.config.enable_recovery and len(registry):
            self._serving.begin()

    @classmethod
    def with_config(cls, database_url: str, config: DefaultRunnerConfig) -> Self:
        """Returns a runner that works as the config says."""
        return cls(database_url, config)

    @classmethod
    def with_schema(cls, database_url: str, schema: str) -> Self:
        """Returns a runner whose tables are in a PostgreSQL schema of their own.

        Raises:
            OptionError: the URL is not one of PostgreSQL, or the schema is not letters, digits
                and `_`.
        """
        if not database_url.startswith("postgres"):
            shown = without_password(database_url)
            raise OptionError(f"A schema is for PostgreSQL; {shown!r} is not that")
        if not _SCHEMA.fullmatch(schema):
            raise OptionError(f"Schema {schema!r} is not allowed: use letters, digits and '_'")
        return cls(f"{database_url}{'&' if '?' in database_url else '?'}schema={schema}")

    def execute(
        self,
        workflow: str,
        context: Context | Mapping[str, Any] | None = None,
        *,
        progress: bool | None = None,
    ) -> WorkflowResult:
        """Run a workflow to its end. A step that fails is a result, not an exception.

        Args:
            workflow: its name.
            context: what it begins with; it is copied.
            progress: whether to show a progress bar on the terminal; unless given, if stderr is
                one.

        Raises:
            WorkflowError: there is no workflow of that name.
            StoreError: the run could not be stored.
        """
        run = self.submit(workflow, context)
        limit = self.config.workflow_timeout_seconds
        try:
            with watched(run, progress):
                return self._serving.wait(run, limit)
        except ResultTimeoutError:
            return self._timed_out(run)

    async def aexecute(
        self, workflow: str, context: Context | Mapping[str, Any] | None = None
    ) -> WorkflowResult:
        """`execute`, without blocking the event loop."""
        run = self.submit(workflow, context)
        try:
            return await run.await_end(self.config.workflow_timeout_seconds)
        except ResultTimeoutError:
            return self._timed_out(run)

    def submit(self, workflow: str, context: Context | Mapping[str, Any] | None = None) -> Run:
        """Store a run of a workflow, which begins at once, and give it.

        Raises:
            WorkflowError: there is no workflow of that name.
            StoreError: the run could not be stored.
        """
        self._serving.serve(workflow)
        job = self._serving.app.enqueue(workflow, **Context(context).to_dict())
        return Run(self._serving.app, job.id)

    def run(self, run_id: str) -> Run:
        """Returns a run that was submitted before, here or elsewhere. Raises `JobNotFoundError`."""
        self._serving.app.get(run_id)
        return Run(self._serving.app, run_id)

    def register_cron_workflow(
        self, workflow: str, cron_expression: str, timezone: str = "UTC"
    ) -> str:
        """Run a workflow by a schedule from now on, and give the id of the schedule.

        The schedule is kept in the store: it fires wherever a runner or a worker knows the
        workflow, until it is deleted. Each moment becomes one run, however many have registered it.

        Raises:
            WorkflowError: there is no workflow of that name.
            OptionError: the expression or the zone is not allowed.
        """
        self._serving.serve(workflow)
        return self._crons.register(workflow, cron_expression, timezone)

    def list_cron_schedules(
        self,
        enabled_only: bool | None = False,
        limit: int | None = 100,
        offset: int | None = 0,
    ) -> list[dict[str, Any]]:
        """The schedules, in the order they were registered; None is no filter, and no end.

        Those that other runners have registered in the store are among them.
        """
        first = offset or 0
        last = None if limit is None else first + limit
        return self._crons.listed(enabled_only=bool(enabled_only))[first:last]

    def get_cron_schedule(self, schedule_id: str) -> dict[str, Any]:
        """One schedule. Raises `WorkflowError` when there is none of that id."""
        return self._crons.get(schedule_id)

    def update_cron_schedule(self, schedule_id: str, cron_expression: str, timezone: str) -> None:
        """Give a schedule another expression and zone.

        Raises:
            WorkflowError: there is no schedule of that id.
            OptionError: the expression or the zone is not allowed.
        """
        self._crons.update(schedule_id, cron_expression, timezone)

    def set_cron_schedule_enabled(self, schedule_id: str, enabled: bool) -> None:
        """Let a schedule fire, or not. Raises `WorkflowError` when there is none of that id."""
        self._crons.enable(schedule_id, enabled=enabled)

    def delete_cron_schedule(self, schedule_id: str) -> None:
        """Remove a schedule. Raises `WorkflowError` when there is none of that id."""
        self._crons.delete(schedule_id)

    def get_cron_execution_history(
        self, schedule_id: str, limit: int | None = 100, offset: int | None = 0
    ) -> list[dict[str, Any]]:
        """Returns the firings of a schedule, the latest first; all of them for `limit=None`.

        Raises:
            WorkflowError: there is no schedule of that id.
        """
        return self._crons.history(schedule_id, limit, offset or 0)

    def get_cron_execution_stats(self, since: str | None = None) -> dict[str, Any]:
        """How the firings since a moment went, all schedules together.

        Args:
            since: the moment, as RFC 3339 text; None: since ever.

        Returns:
            `total_executions`, `successful_executions`, `lost_executions` and `success_rate`, in
            per cent.

        Raises:
            OptionError: the text is no moment.
        """
        if since is None:
            return self._crons.stats()
        try:
            moment = datetime.fromisoformat(since)
        except ValueError as error:
            raise OptionError(f"Invalid datetime format {since!r}: {error}") from None
        return self._crons.stats(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    def shutdown(self) -> None:
        """Finish the steps that run, and end. Other steps go on with the next runner."""
        self._serving.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"<DefaultRunner {self._serving.app!r}>"

    def _timed_out(self, run: Run) -> WorkflowResult:
        """Cancel a run that took too long; it has failed."""
        run.cancel()
        limit = self.config.workflow_timeout_seconds
        result = result_of(run.job)
        what = f"it took longer than its timeout of {limit:g} seconds, and was cancelled"
        return WorkflowResult(
            result.run_id, "Failed", result.start_time, result.end_time, result.final_context, what
        )
