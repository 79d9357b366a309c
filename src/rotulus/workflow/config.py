"""`DefaultRunnerConfig`: how a runner works, in the words that its users know."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from rotulus._tasks.checks import check_options
from rotulus.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class DefaultRunnerConfig:
    """How a `DefaultRunner` works.

    Args:
        max_concurrent_tasks: how many steps run at once: its slots.
        task_timeout_seconds: the timeout of steps that have none of their own.
        workflow_timeout_seconds: how long `execute` lets a run take; then it is cancelled. None:
            as long as it takes.
        enable_recovery: whether the runner takes up what other runners have left, from the moment
            it begins; else it begins with the first workflow that it is given.
        enable_cron_scheduling: whether schedules fire here: those that are registered with a
            runner, and those that tasks and workflows declare. Others may fire them.
        cron_max_catchup_executions: how many missed moments are made up for at most.
        cron_lost_threshold_minutes: after how long a firing that has not ended counts as lost in
            the statistics.
        scheduler_poll_interval_ms: how long it takes `execute` at most to notice that its worker
            has stopped; steps are claimed when they are due, without polling.
        cron_poll_interval_seconds: 30, and nothing else: each schedule fires at its moment, and a
            change of it is seen within two seconds.
        db_pool_size: 10, and nothing else: there are as many connections as are used at once.
        cron_max_recovery_attempts: 3, and nothing else: a job whose process died three times is
            given up.

    Raises:
        OptionError: a setting is not known, is not a number above 0, or cannot be changed.
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

    def __new__(cls, *_: object, **settings: Any) -> Self:
        """Refuse unknown settings: a misspelt one is an error."""
        check_options(settings, [field.name for field in fields(cls)])
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), field.default)

    @classmethod
    def default(cls) -> Self:
        """The defaults of a runner."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it by name."""
        return asdict(self)


_FIXED = {
    "cron_poll_interval_seconds": "schedules fire at their moments, and changes are seen at once",
    "db_pool_size": "there are as many connections as are used at once",
    "cron_max_recovery_attempts": "a job whose process died three times is given up",
}
"""Settings that would have no effect, and why."""


def _check(name: str, value: object, default: object) -> None:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise OptionError(f"{name}={value!r} is not allowed: give True or False")
        return
    if name in _FIXED and value != default:
        raise OptionError(f"{name}={value!r} is not allowed, only {default!r}: {_FIXED[name]}")
    if value is None and name == "workflow_timeout_seconds":
        return
    kinds = (int, float) if name.endswith(_MEASURES) else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < float("inf"):
        kind = "a number" if float in kinds else "a whole number"
        raise OptionError(f"{name}={value!r} is not allowed: give {kind} above 0")


_MEASURES = ("_seconds", "_minutes", "_ms")
