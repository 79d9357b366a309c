"""The JSON of webhooks and their deliveries, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from rotulus import Delivery as DeliveryInfo
from rotulus import State
from rotulus import WebhookInfo as WebhookStanding
from rotulus.service.pages import DEFAULT_LIMIT, LARGEST_LIMIT


class Webhook(BaseModel):
    """A webhook as it stands."""

    name: str
    url: str
    events: list[str]
    task: str | None
    queue: str | None
    labels: dict[str, str]
    state: Literal["active", "paused", "gone"]
    paused_at: datetime | None = Field(description="Since when it is paused.")
    missed_at: datetime | None = Field(description="When events were found to be missing last.")
    slow_until: datetime | None = Field(description="Its receiver wants to be left alone so long.")
    old_secret_until: datetime | None = Field(description="Its old secret signs, too, so long.")
    version: int
    created_at: datetime
    updated_at: datetime | None

    @classmethod
    def of(cls, webhook: WebhookStanding) -> Self:
        """Returns the model of a webhook."""
        return cls.model_validate(webhook.to_dict())


class WebhookSecret(Webhook):
    """A webhook with its secret, which no other answer has."""

    secret: str = Field(description="What its messages are signed with.")


class Webhooks(BaseModel):
    """All webhooks, by name."""

    items: list[Webhook]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewWebhook(_Body):
    """A webhook that is added."""

    name: str
    url: str = Field(description="Where messages are sent.")
    events: list[str] = Field(min_length=1, description="Such as `job.failed`, or `run.*`.")
    task: str | None = Field(None, description="Only of this task; `mail.*`: all that begin so.")
    queue: str | None = Field(None, description="Only of this queue.")
    labels: dict[str, str] | None = Field(None, description="Only of jobs with these labels.")
    secret: str | None = Field(None, description="Made unless given: `whsec_` and base64.")


class WebhookChange(_Body):
    """What changes of a webhook; what is left out stays."""

    url: str = Field("", description="Where messages are sent.")
    events: list[str] = Field([], description="Such as `job.failed`, or `run.*`.")
    task: str | None = Field(None, description="Only of this task; null: of all.")
    queue: str | None = Field(None, description="Only of this queue; null: of all.")
    labels: dict[str, str] | None = Field(None, description="Only with these; null: with any.")


class NewSecret(_Body):
    """Another secret."""

    secret: str | None = Field(None, description="Made unless given: `whsec_` and base64.")


class Delivery(BaseModel):
    """A message of a webhook, and how far it has got."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    webhook: str
    message: str = Field(description="The same in every try, and when it is sent again.")
    event: str
    subject: str | None = Field(description="The id of the job that it is about.")
    state: State
    tries: int = Field(description="How many tries have failed.")
    status: int | None = Field(description="What the receiver answered when it took it.")
    error: str | None = Field(description="Why the last try failed.")
    next_at: datetime | None = Field(description="When it is tried next.")
    created_at: datetime
    ended_at: datetime | None
    body: Any = Field(description="What is sent.")

    @classmethod
    def of(cls, delivery: DeliveryInfo) -> Self:
        """Returns the model of a delivery."""
        return cls.model_validate(delivery.to_dict())


class DeliveryQuery(BaseModel):
    """Which deliveries are wanted."""

    model_config = ConfigDict(extra="forbid")

    webhook: str | None = Field(None, description="Only of this webhook.")
    state: list[State] = Field([], description="Only in this state, or in one of several.")
    limit: int = Field(
        DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="The most items of a page."
    )
    after: str | None = Field(None, description="The `next` of the page before.")


class DeliveryPage(BaseModel):
    """A page of deliveries, the last added first."""

    items: list[Delivery]
    next: str | None = Field(description="The `after` of the next page; null on the last one.")
