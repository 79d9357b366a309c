"""The resources that routes need, each with every field that is set."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from rotulus.pubsub import names
from rotulus.pubsub.clients import GoogleClients
from rotulus.pubsub.fit import LONGEST_DELAY
from rotulus.pubsub.http import PUSH_PATH, TICK_PATH
from rotulus.pubsub.messages import TASK, write_scheduled
from rotulus.pubsub.provision.pubsub_resources import NEVER, SubscriptionResource, TopicResource
from rotulus.pubsub.provision.resource import Resource
from rotulus.pubsub.provision.scheduler_job import DUTIES, SchedulerJobResource
from rotulus.pubsub.route import TaskRoute
from rotulus.pubsub.settings import PubSubSettings

_MINUTELY = "* * * * *"
_RETRIES = {"retries": 3, "min_backoff": 5, "max_backoff": 300}
"""The retries of a failed firing: times, and seconds."""

_TICK_SECONDS = 55
"""The most seconds of a tick: the next one comes a minute later."""


@dataclass(frozen=True)
class DesiredState:
    """The resources of a project.

    Args:
        settings: the project, the names, and the address for pushes.
        clients: Google's.
    """

    settings: PubSubSettings
    clients: GoogleClients

    def shared(self) -> Iterator[Resource]:
        """Returns the shared resources: the topic of dead letters, and its subscription."""
        topic = self._topic(names.dead_letter_topic_name(self.settings))
        yield TopicResource(self.clients, topic)
        name = self._subscription(names.dead_letter_topic_name(self.settings) + names.SUBSCRIPTION)
        yield SubscriptionResource(self.clients, name, {"topic": topic, "expires": NEVER})

    def of(self, route: TaskRoute) -> Iterator[Resource]:
        """Returns the resources of a route, in the order of their creation."""
        topic = self._topic(names.topic_name(route.path, self.settings))
        yield TopicResource(self.clients, topic)
        name = self._subscription(names.subscription_name(route.path, self.settings))
        yield SubscriptionResource(self.clients, name, self._push(route, topic))
        if route.schedule is not None and self.has_scheduler:
            yield self._firing(route, route.schedule, topic)

    def tick(self) -> Iterator[Resource]:
        """Returns the job that calls for a tick each minute."""
        if self.has_scheduler:
            fields = {
                "schedule": _MINUTELY,
                "timezone": "Etc/UTC",
                "description": DUTIES.format(self.owner),
                "url": self._url(TICK_PATH),
                "attempt_deadline": _TICK_SECONDS,
                **self._token(),
                **_RETRIES,
            }
            name = f"{self.jobs}/jobs/{names.tick_job_name(self.settings)}"
            yield SchedulerJobResource(self.clients, name, fields, self.owner)

    @property
    def has_scheduler(self) -> bool:
        """Whether there is a Cloud Scheduler; beside an emulator only if it is emulated, too."""
        return not self.settings.pubsub_emulator or bool(self.settings.scheduler_emulator)

    @property
    def jobs(self) -> str:
        """The location of scheduler jobs."""
        return f"projects/{self.settings.project_id}/locations/{self.settings.scheduler_location}"

    @property
    def owner(self) -> str:
        """The owner of the resources: the beginning of their names."""
        return f"{self.settings.environment}--{self.settings.namespace}"

    @property
    def topics(self) -> str:
        """The beginning of the full names of all topics of tasks."""
        return self._topic(names.topic_prefix(self.settings))

    def orphan(self, name: str) -> Resource:
        """Returns a scheduler job of ours that no route needs."""
        return SchedulerJobResource(self.clients, name, {}, self.owner)

    def _push(self, route: TaskRoute, topic: str) -> dict[str, object]:
        dead = self._topic(names.dead_letter_topic_name(self.settings))
        return {
            "topic": topic,
            "ack_deadline": route.ack_deadline,
            "push_endpoint": self._url(PUSH_PATH),
            **self._token(),
            "min_retry_delay": min(route.min_retry_delay, LONGEST_DELAY),
            "max_retry_delay": min(route.max_retry_delay, LONGEST_DELAY),
            "dead_letter_topic": dead,
            "max_delivery_attempts": route.max_delivery_attempts,
            "expires": NEVER,
        }

    def _firing(self, route: TaskRoute, schedule: str, topic: str) -> Resource:
        name = f"{self.jobs}/jobs/{names.scheduler_job_name(route.path, self.settings)}"
        fields = {
            "schedule": schedule,
            "timezone": route.schedule_timezone,
            "description": f"Rotulus: fires {route.path}.",
            "topic": topic,
            "payload": write_scheduled(str(uuid5(NAMESPACE_URL, name)), route.name).decode(),
            "attributes": {TASK: route.task_name},
            **_RETRIES,
        }
        return SchedulerJobResource(self.clients, name, fields, self.owner)

    def _token(self) -> dict[str, object]:
        return {
            "audience": self.settings.service_url,
            "service_account": self.settings.service_account,
        }

    def _url(self, path: str) -> str:
        return self.settings.service_url.rstrip("/") + path

    def _topic(self, name: str) -> str:
        return f"projects/{self.settings.project_id}/topics/{name}"

    def _subscription(self, name: str) -> str:
        return f"projects/{self.settings.project_id}/subscriptions/{name}"
