"""The names of Google's resources: of topics, subscriptions and scheduler jobs.

Every name begins with the environment and the namespace, so several programs, and several
environments of one, can share a project.
"""

import re
from typing import NamedTuple, Protocol

from rotulus.errors import OptionError
from rotulus.pubsub.settings import check_word, setting_now

LONGEST_TOPIC = 255
LONGEST_JOB = 500
SUBSCRIPTION = "-sub"
"""The end of a subscription's name."""

_NOT_IN_A_TOPIC = re.compile(r"[^A-Za-z0-9._~+%-]")
_NOT_IN_A_JOB = re.compile(r"[^A-Za-z0-9_-]")


class Place(Protocol):
    """The owner of resources: settings, or `PlaceNow`."""

    @property
    def environment(self) -> str:
        """The beginning of the names, such as `prod`."""
        ...

    @property
    def namespace(self) -> str:
        """The program, such as `shop`."""
        ...


class PlaceNow(NamedTuple):
    """The environment and the namespace of the process."""

    environment: str
    namespace: str

    @classmethod
    def read(cls) -> "PlaceNow":
        """Returns the current settings of the environment. Raises `OptionError`."""
        return cls(*(check_word(name, setting_now(name)) for name in cls._fields))


def topic_name(path: str, place: Place) -> str:
    """Returns the topic of a task: `{environment}--{namespace}.tasks--{path}`.

    Args:
        path: the module and name of the task's function, such as `shop.tasks.send`.
        place: the owner of the topic.

    Raises:
        OptionError: Google does not take the name; the message says why.
    """
    name = topic_prefix(place) + path
    _check(name, _NOT_IN_A_TOPIC, LONGEST_TOPIC - len(SUBSCRIPTION), f"topic of task {path!r}")
    return name


def topic_prefix(place: Place) -> str:
    """The beginning of the names of all topics of tasks: `{environment}--{namespace}.tasks--`."""
    return f"{place.environment}--{place.namespace}.tasks--"


def subscription_name(path: str, place: Place) -> str:
    """Returns the subscription of a task: `{topic}-sub`. Raises `OptionError`."""
    return topic_name(path, place) + SUBSCRIPTION


def scheduler_job_name(path: str, place: Place) -> str:
    """Returns the scheduler job of a task: `{environment}--{namespace}-scheduler--{path}`, no dots.

    Raises:
        OptionError: Google does not take the name; the message says why.
    """
    name = scheduler_prefix(place) + _without_dots(path)
    _check(name, _NOT_IN_A_JOB, LONGEST_JOB, f"scheduler job of task {path!r}")
    return name


def scheduler_prefix(place: Place) -> str:
    """Returns the beginning of the names of all scheduler jobs of tasks, and of nothing else."""
    return _without_dots(f"{place.environment}--{place.namespace}-scheduler--")


def tick_job_name(place: Place) -> str:
    """Returns the scheduler job of the ticks: `{environment}--{namespace}-tick`."""
    return _without_dots(f"{place.environment}--{place.namespace}-tick")


def dead_letter_topic_name(place: Place) -> str:
    """Returns the topic of messages that were delivered too often, one for all tasks."""
    return f"{place.environment}--{place.namespace}.tasks-dead-letter"


def _without_dots(name: str) -> str:
    return name.replace(".", "-")


def _check(name: str, forbidden: re.Pattern[str], longest: int, of: str) -> None:
    found = forbidden.search(name)
    if found:
        raise OptionError(
            f"The {of} cannot be called {name!r}: Google does not allow {found[0]!r} there; "
            f"rename the function or its module"
        )
    if len(name) > longest:
        raise OptionError(
            f"The {of} cannot be called {name!r}: that has {len(name)} characters, of {longest} "
            f"at most; use a shorter module, function, TASKS_NAMESPACE or TASKS_ENVIRONMENT"
        )
