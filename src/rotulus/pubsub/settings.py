"""Settings of the Pub/Sub door: environment variables, each checked when it is read.

The names are those of the platform, so they have no common prefix.
"""

import os
import re
from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit

from rotulus.errors import ConfigurationError, OptionError

DEFAULT_NAMESPACE = "rotulus"
GOOGLE_KEYS = "https://www.googleapis.com/oauth2/v3/certs"
"""The address of the public keys of Google's OIDC tokens."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")

_SUBSCRIPTION = re.compile(r"[A-Za-z*][A-Za-z0-9._~+%*-]*")

_sources: ChainMap[str, str] = ChainMap(cast("MutableMapping[str, str]", os.environ))


class Variable(NamedTuple):
    """An environment variable: its name, its meaning, and an example."""

    name: str
    says: str
    example: str


VARIABLES = {
    "project_id": Variable(
        "GCP_PROJECT_ID", "the Google Cloud project of Pub/Sub and Cloud Scheduler", "shop-prod"
    ),
    "service_url": Variable(
        "CLOUD_RUN_SERVICE_URL",
        "the address of this service, which is also the audience of its tokens",
        "https://shop-xyz123-ew.a.run.app",
    ),
    "service_account": Variable(
        "TASKS_SERVICE_ACCOUNT",
        "the service account that pushes come from",
        "pubsub-invoker@shop-prod.iam.gserviceaccount.com",
    ),
    "environment": Variable("TASKS_ENVIRONMENT", "the beginning of the names of resources", "prod"),
    "namespace": Variable("TASKS_NAMESPACE", "the program that resources belong to", "shop"),
    "scheduler_location": Variable(
        "SCHEDULER_LOCATION", "the region of Cloud Scheduler", "europe-west2"
    ),
    "keys_url": Variable("ROTULUS_OIDC_JWKS_URL", "the address of the keys of tokens", GOOGLE_KEYS),
    "reject_status": Variable(
        "ROTULUS_REJECT_STATUS", "the answer to a message that can never run", "400"
    ),
    "subscriptions": Variable(
        "ROTULUS_PUSH_SUBSCRIPTIONS",
        "the subscriptions that are let in",
        "prod--shop.tasks--*,orders-sub",
    ),
    "pubsub_emulator": Variable(
        "PUBSUB_EMULATOR_HOST", "the address of an emulator of Pub/Sub", "127.0.0.1:8085"
    ),
    "scheduler_emulator": Variable(
        "CLOUD_SCHEDULER_EMULATOR_HOST",
        "the address of an emulator of Cloud Scheduler",
        "127.0.0.1:8086",
    ),
}
"""The variable of each setting."""


@dataclass(frozen=True, kw_only=True)
class PubSubSettings:
    """Settings of the Pub/Sub door. Unknown ones are empty texts.

    Args:
        project_id: the Google Cloud project, `GCP_PROJECT_ID`.
        service_url: the address of this service, `CLOUD_RUN_SERVICE_URL`. Pushes go there, and
            their tokens have it as audience.
        service_account: the e-mail address of the service account that pushes come from,
            `TASKS_SERVICE_ACCOUNT`.
        environment: the beginning of the names of resources, `TASKS_ENVIRONMENT`.
        namespace: the program that resources belong to, `TASKS_NAMESPACE`.
        scheduler_location: the region of Cloud Scheduler, `SCHEDULER_LOCATION`.
        keys_url: the address of the public keys of tokens, `ROTULUS_OIDC_JWKS_URL`.
        reject_status: the answer to a message that can never run, `ROTULUS_REJECT_STATUS`: after
            400 Pub/Sub delivers again until its dead-letter limit, after 204 it does not.
        subscriptions: the names of the subscriptions that are let in, `ROTULUS_PUSH_SUBSCRIPTIONS`,
            with commas between; `*` stands for any characters. None: all subscriptions are.
        pubsub_emulator: `host:port` of an emulator of Pub/Sub, `PUBSUB_EMULATOR_HOST`.
        scheduler_emulator: `host:port` of an emulator of Cloud Scheduler,
            `CLOUD_SCHEDULER_EMULATOR_HOST`.

    Raises:
        OptionError: a value is not allowed; the message names the variable.
    """

    project_id: str = ""
    service_url: str = ""
    service_account: str = ""
    environment: str = "dev"
    namespace: str = DEFAULT_NAMESPACE
    scheduler_location: str = "europe-west2"
    keys_url: str = GOOGLE_KEYS
    reject_status: int = 400
    subscriptions: tuple[str, ...] = ()
    pubsub_emulator: str = ""
    scheduler_emulator: str = ""

    def __post_init__(self) -> None:
        for name in ("service_url", "keys_url"):
            _check_url(name, getattr(self, name))
        for name in ("environment", "namespace"):
            check_word(name, getattr(self, name))
        if self.service_account and "@" not in self.service_account:
            raise _refused("service_account", self.service_account, "it is no e-mail address")
        if self.reject_status not in (400, 204):
            raise _refused("reject_status", self.reject_status, "choose 400 or 204")
        for name in self.subscriptions:
            if not _SUBSCRIPTION.fullmatch(name):
                raise _refused("subscriptions", name, "it is no name of a subscription")

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Returns the settings of the environment, with defaults for variables that are not set.

        Args:
            environment: the variables; those of the process unless given.

        Raises:
            OptionError: a value is not allowed; the message names the variable.
        """
        found = _sources if environment is None else environment
        values: dict[str, Any] = {
            name: found[variable.name].strip()
            for name, variable in VARIABLES.items()
            if found.get(variable.name, "").strip()
        }
        if "reject_status" in values:
            values["reject_status"] = _read_status(values["reject_status"])
        if "subscriptions" in values:
            values["subscriptions"] = _read_names(values["subscriptions"])
        return cls(**values)

    def missing(self, *names: str) -> list[Variable]:
        """Returns the variables of those settings that are not known.

        Args:
            names: the settings, such as `"project_id"`.
        """
        return [VARIABLES[name] for name in names if not getattr(self, name)]

    def require(self, *names: str) -> None:
        """Check that settings are known.

        Args:
            names: the settings, such as `"project_id"`.

        Raises:
            ConfigurationError: some are missing; the message names each variable, with an example.
        """
        missing = self.missing(*names)
        if missing:
            raise ConfigurationError(
                "Set "
                + "; and ".join(
                    f"{one.name} ({one.says}), such as {one.name}={one.example}" for one in missing
                )
            )


def add_source(values: MutableMapping[str, str]) -> None:
    """Look settings up in a mapping before the environment, for frameworks with own settings.

    Args:
        values: texts by the names of the variables. It is read at each use.
    """
    if not any(values is known for known in _sources.maps):
        _sources.maps.insert(0, values)


def remove_source(values: MutableMapping[str, str]) -> None:
    """No longer look settings up in a mapping."""
    _sources.maps[:] = [known for known in _sources.maps if known is not values]


def setting_now(name: str) -> str:
    """Returns the current value of a setting in the environment, or its default."""
    text = _sources.get(VARIABLES[name].name, "").strip()
    return text or str(_DEFAULTS[name])


def check_word(name: str, value: str) -> str:
    """Returns a text that may be part of the names of Google's resources. Raises `OptionError`."""
    if not _WORD.fullmatch(value) or value.lower().startswith("goog") or "--" in value:
        raise _refused(
            name,
            value,
            "begin with a letter, but not with 'goog'; use letters, digits and '._-', and not "
            "'--', which stands between the parts of a name",
        )
    return value


def is_loopback_url(url: str) -> bool:
    """Returns whether an address is one of this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def _check_url(name: str, url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise _refused(name, url, "it is no URL") from None
    if not named or parts.scheme not in ("https", "http"):
        raise _refused(name, url, "it is no URL")
    if parts.scheme == "http" and not is_loopback_url(url):
        raise _refused(name, url, "only this machine may be asked without https")


def _read_status(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _refused("reject_status", text, "choose 400 or 204") from None


def _read_names(text: str) -> tuple[str, ...]:
    """Returns the names between commas, each without a project in front."""
    return tuple(name.strip().rpartition("/")[2] for name in text.split(","))


def _refused(name: str, value: object, problem: str) -> OptionError:
    variable = VARIABLES[name]
    return OptionError(
        f"{variable.name}={value!r} is not allowed: {problem}; an example is "
        f"{variable.name}={variable.example}"
    )


_DEFAULTS = {field.name: field.default for field in fields(PubSubSettings)}
