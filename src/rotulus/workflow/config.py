"""`DefaultRunnerConfig`: how a runner works, in the words that its users know."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from rotulus.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class DefaultRunnerConfig:
    """How a `DefaultRunner` works.

    Args:
        max_concurrent_tasks: how many steps run at once: its slots.
        task_timeout_seconds: the timeout of steps that have none of their own.
        workflow_timeout_seconds: how long `execute` lets a run take; then it is cancelled.
        enable_recovery: whether the runner takes up what other runners have left, from the moment
            it begins; else it begins with the first workflow that it is given.
        enable_cron_scheduling: whether registered cron schedules fire here.
        cron_max_catchup_executions: how many missed moments are made up for at most.
        cron_lost_threshold_minutes: after how long a firing that has not ended counts as lost in
            the statistics.
        scheduler_poll_interval_ms: has no effect: steps are claimed when they are due.
        db_pool_size: has no effect: there are as many connections as are used at once.
        cron_poll_interval_seconds: has no effect: a schedule fires at its moment.
        cron_max_recovery_attempts: has no effect: a job whose process died three times is given up.

    Raises:
        OptionError: a number is not above 0.
    """

    max_concurrent_tasks: int = 4
    task_timeout_seconds: float = 300
    workflow_timeout_seconds: float | None = 3600
    enable_recovery: bool = True
    enable_cron_scheduling: bool = True
    cron_max_catchup_executions: int = 100
    cron_lost_threshold_minutes: float = 10
    scheduler_poll_interval_ms: float = 100
    db_pool_size: int = 10
    cron_poll_interval_seconds: float = 30
    cron_max_recovery_attempts: int = 3

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, bool) and value is not None and not value > 0:
                raise OptionError(f"{field.name}={value!r} is not allowed: give a number above 0")

    @classmethod
    def default(cls) -> Self:
        """How a runner works unless it is told."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """All of it by name."""
        return asdict(self)
