"""The JSON of schedules in requests and answers, as the OpenAPI document describes it."""

from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from rotulus import ScheduleInfo, State
from rotulus.service.resources.job_models import WholeNumber
from rotulus.service.resources.moments import Moment
from rotulus.service.resources.views import View

_CRON = "Five fields, or an alias such as `@daily`, or an interval such as `@every 90s`."
_WHEN = "90, 15min, 2h or 7d ago, or a moment such as 2026-11-20T09:30Z"


class Schedule(BaseModel):
    """A schedule as it stands."""

    name: str
    task: str = Field(description="The task that it fires.")
    origin: Literal["code", "added"] = Field(description="A program declares it, or it was added.")
    state: Literal["active", "paused", "ended", "retired", "unknown_task", "unreadable"] = Field(
        description="Only an active one fires."
    )
    cron: str = Field(description=_CRON)
    description: str = Field(description="The same in English; or why it cannot be read.")
    timezone: str
    arguments: dict[str, Any] = Field(description="What the task is called with.")
    missed: str = Field(description="The instants to fire later at which no worker was running.")
    overlap: str
    start: datetime | None = Field(description="No instant is before it.")
    end: datetime | None = Field(description="No instant is after it.")
    spread: float = Field(description="Seconds within which each job is due after its instant.")
    paused_at: datetime | None = Field(description="Since when it is paused.")
    next: datetime | None = Field(description="The next instant; null: it does not fire.")
    last: datetime | None = Field(description="The instant of the job that it has fired last.")
    last_state: State | None
    last_job: str | None
    version: int = Field(description="One more with each change; the `ETag` of the schedule.")
    lag: float = Field(description="For how many seconds an instant is due that was not fired.")

    @classmethod
    def of(cls, info: ScheduleInfo, view: View) -> Self:
        """Returns the model of a schedule, as somebody may see it."""
        shown = info.to_dict()
        return cls.model_validate(
            {
                **shown,
                "description": info.schedule.explain(),
                "arguments": view.arguments(info.task, shown["arguments"]),
                "next": None if info.next is None else info.next.astimezone(UTC),
            }
        )


class SchedulePage(BaseModel):
    """A page of schedules, by name."""

    items: list[Schedule]
    next: str | None = Field(description="The `after` of the next page; null on the last one.")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Options(_Body):
    """What a schedule says, and a change of it leaves as it is unless given."""

    cron: str = Field("", description=_CRON)
    every: WholeNumber = Field(60, ge=1, description="Seconds, in place of `cron`.")
    timezone: str = Field("UTC", description="An IANA zone name, in which the fields are read.")
    arguments: dict[str, Any] = Field({}, description="What the task is called with, by name.")
    missed: str = Field(
        "latest",
        pattern=r"^(latest|skip|all\([1-9][0-9]{0,3}\))$",
        description="The instants to fire later at which no worker was running.",
    )
    overlap: Literal["allow", "skip"] = Field(
        "allow", description="`skip`: no instant counts while an earlier job has not ended."
    )
    start: Moment = Field(None, description="No instant is before it; null: there is no start.")
    end: Moment = Field(None, description="No instant is after it; null: there is no end.")
    spread: float = Field(
        0.0,
        ge=0,
        le=86_400,
        description="Seconds within which each job is due after its instant.",
    )
    unchecked: bool = Field(
        default=False, description="Also for a task that the service does not know."
    )

    def given(self) -> dict[str, Any]:
        """Returns the options that were sent, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewSchedule(_Options):
    """A schedule that is added: with `cron` or `every`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "nightly", "task": "reports.make", "cron": "30 9 * * 1-5"}]
        }
    )

    name: str = Field(description="Unique, and made like the name of a task.")
    task: str = Field(description="The task that it fires.")


class ScheduleChange(_Options):
    """What changes of a schedule; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cron": "0 6 * * *", "timezone": "Europe/Oslo"}]}
    )

    task: str = Field("", description="The task that it fires.")


class BackfillBody(_Body):
    """A time that is over, for whose instants jobs are to be stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "7d", "dry_run": True}]})

    since: str = Field(description=f"From when: {_WHEN}.")
    until: str | None = Field(None, description=f"Until when: {_WHEN}; now unless given.")
    dry_run: bool = Field(default=False, description="Change nothing; say what would be stored.")


class Backfill(BaseModel):
    """The instants that have become jobs, or would."""

    dry_run: bool
    count: int
    items: list[datetime] = Field(description="The first 1,000 of them, in order.")


class Instants(BaseModel):
    """Instants of a schedule, in order."""

    items: list[datetime]
