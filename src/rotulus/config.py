"""Settings: an argument or flag, else `ROTULUS_*`, else `[tool.rotulus]`, else the default.

Each setting has one name everywhere: `slots` is the argument `slots=`, the flag `--slots`, the
variable `ROTULUS_SLOTS` and the key `slots` in `[tool.rotulus]` of the nearest `pyproject.toml`.
"""

import logging
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from rotulus._tasks.masking import MASKED_NAMES, MaskedNames
from rotulus._text.names import check_queue_name, did_you_mean
from rotulus._text.urls import check_store_url, check_trace_url, without_password
from rotulus._time.lengths import LONGEST
from rotulus.errors import OptionError

__all__ = [
    "MASKED_NAMES",
    "Origin",
    "SETTINGS",
    "Setting",
    "SettingKind",
    "find_project_settings",
    "is_token",
    "load_settings",
]

PREFIX = "ROTULUS_"
LEVELS = ("debug", "info", "warning", "error")
KEPT = (*LEVELS, "off")
FORMATS = ("auto", "lines", "json")

_OF_A_SERVICE = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_|$)|$)")
"""The end of a variable that Kubernetes sets for a service."""

_OF_PUBSUB = ("ROTULUS_OIDC_JWKS_URL", "ROTULUS_PUSH_SUBSCRIPTIONS", "ROTULUS_REJECT_STATUS")
"""Variables that `rotulus.pubsub` reads. Its others have no prefix of ours."""

SECRETS = ("token",)
"""The settings that are shown nowhere."""

_WARNED: set[str] = set()
"""The variables that have been told of."""
TRACEBACKS = ("folded", "full")


Origin = Literal["argument", "environment", "file", "default"]
"""The giver of a setting."""


_WITHOUT_PLACE: Mapping[str, Origin] = {"argument": "argument", "default": "default"}


class Setting(NamedTuple):
    """The value of a setting, and where it comes from."""

    value: Any
    origin: str

    @property
    def kind(self) -> Origin:
        """The giver of the value."""
        if self.origin.startswith(PREFIX):
            return "environment"
        return _WITHOUT_PLACE.get(self.origin, "file")

    @property
    def place(self) -> str | None:
        """The name of the variable, or the path of the file and its table; else None."""
        return self.origin if self.kind in ("environment", "file") else None


@dataclass(frozen=True, slots=True)
class SettingKind:
    """What a setting may be.

    Attributes:
        default: its value when nobody gives one.
        read: its value from a text or a TOML value; raises `ValueError` to refuse.
        help: what it is for, in one sentence.
    """

    default: Any
    read: Callable[[Any], Any]
    help: str


def load_settings(
    arguments: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> dict[str, Setting]:
    """Returns all settings, each with its origin.

    Args:
        arguments: what was given as arguments or flags; None stands for not given.
        environment: the environment; the process's own unless given.
        folder: where to look for `pyproject.toml`, there and above; here unless given.

    Raises:
        OptionError: a name is not known, or a value is not allowed; the message says where. A
            variable of a name that is not known is left out, and logged once as a warning.
    """
    environment = os.environ if environment is None else environment
    path, project = find_project_settings(folder or Path.cwd())
    settings = {name: Setting(kind.default, "default") for name, kind in SETTINGS.items()}
    for name, value in project.items():
        settings[name] = _setting(name, value, f"{path} [tool.rotulus]")
    for variable, text in environment.items():
        if variable.startswith(PREFIX) and text and (name := _known_name(variable)):
            settings[name] = _setting(name, text, variable)
    for name, value in (arguments or {}).items():
        if value is not None:
            settings[name] = _setting(name, value, "argument")
    return settings


def find_project_settings(folder: Path) -> tuple[Path | None, dict[str, Any]]:
    """Returns the nearest `pyproject.toml` with `[tool.rotulus]`, here or above, and that table."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        table = _table(path)
        if table is not None:
            return path, table
    return None, {}


def _table(path: Path) -> dict[str, Any] | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{path} is not valid TOML: {error}") from None
    return cast("dict[str, Any] | None", document.get("tool", {}).get("rotulus"))


def _known_name(variable: str) -> str | None:
    """Returns the setting of a variable; None when there is no such setting, which is logged once.

    Others may set variables of that prefix: Kubernetes does for a service called rotulus.
    """
    name = variable.removeprefix(PREFIX).lower()
    if name in SETTINGS:
        return name
    expected = variable in _WARNED or variable in _OF_PUBSUB
    if not expected and not _OF_A_SERVICE.search(variable):
        _WARNED.add(variable)
        known = [PREFIX + name.upper() for name in SETTINGS]
        logging.getLogger("rotulus").warning(
            "There is no setting %s, so it is left out%s", variable, did_you_mean(variable, known)
        )
    return None


def _setting(name: str, value: Any, origin: str) -> Setting:
    kind = SETTINGS.get(name)
    if kind is None:
        raise OptionError(f"There is no setting {name!r}{did_you_mean(name, SETTINGS)} ({origin})")
    try:
        return Setting(kind.read(value), origin)
    except (ValueError, TypeError) as error:
        shown = "…" if name in SECRETS else _shown(value)
        raise OptionError(f"{name} = {shown} is not allowed: {error} ({origin})") from None


def _shown(value: object) -> str:
    """Returns a value for a message, and of a URL no password."""
    return (
        repr(without_password(value)) if isinstance(value, str) else without_password(repr(value))
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("give a text")


def _target(value: Any) -> str:
    if "://" in _text(value):
        raise ValueError("that is the URL of a store; give the app as module:app")
    return _text(value)


def is_token(text: str) -> bool:
    """Whether a text can be a token: visible ASCII, without spaces, at least one character."""
    return bool(text) and all("!" <= character <= "~" for character in text)


def _token(value: Any) -> str:
    if is_token(_text(value)):
        return _text(value)
    raise ValueError("give visible ASCII characters, without spaces")


def _word(value: Any) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", _text(value)):
        return _text(value)
    raise ValueError("give a word of letters, digits, '_' and '-', 32 characters at most")


def _program_version(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[\w.+-]{1,64}", value, re.ASCII) is None:
        raise ValueError("give letters, digits, '.', '+', '_' and '-', 64 characters at most")
    return value


def _count(value: Any) -> int:
    return _whole(value, "give a whole number from 1 to 10,000", 10_000)


def _positive(value: Any) -> int:
    return _whole(value, "give a whole number, 1 or more")


def _whole(value: Any, words: str, most: float = float("inf")) -> int:
    number = _number(value, words)
    if isinstance(value, bool) or not number.is_integer() or not 1 <= number <= most:
        raise ValueError(words)
    return int(number)


def _seconds(value: Any) -> float:
    words = "give a number of seconds, from 0 to those of a hundred years"
    number = _number(value, words)
    if not 0 <= number <= LONGEST:
        raise ValueError(words)
    return number


def _lease(value: Any) -> float:
    number = _seconds(value)
    if number < 0.1:
        raise ValueError("give a number of seconds, 0.1 or more")
    return number


def _number(value: Any, words: str) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        return float(value)
    except (ValueError, TypeError):
        raise ValueError(words) from None


def _queues(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else list(value)
    queues = tuple(check_queue_name(str(name).strip()) for name in names if str(name).strip())
    if not queues:
        raise ValueError("it names no queue: leave it out to serve all of them")
    return queues


def _names(value: Any) -> tuple[str, ...]:
    given = value.split(",") if isinstance(value, str) else list(value)
    names = tuple(str(name).strip() for name in given)
    MaskedNames(names)  # which says what is wrong
    return names


def _networks(value: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    texts = value.split(",") if isinstance(value, str) else list(value)
    try:
        return tuple(ip_network(str(text).strip()) for text in texts if str(text).strip())
    except ValueError as error:
        raise ValueError(f"give networks, such as 10.1.0.0/16,fd00::/8: {error}") from None


def _flag(value: Any) -> bool:
    text = str(value).lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise ValueError("choose true or false")


def _choice(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if str(value).lower() in choices:
            return str(value).lower()
        raise ValueError(f"choose one of {', '.join(choices)}")

    return read


_DAY = 86_400.0

SETTINGS: dict[str, SettingKind] = {
    "url": SettingKind("sqlite:///rotulus.db", check_store_url, "Where the jobs live."),
    "app": SettingKind(None, _target, "The app, as module:app."),
    "queues": SettingKind(None, _queues, "The queues a worker serves; all of them unless given."),
    "slots": SettingKind(10, _count, "How many jobs a worker runs at once."),
    "lease": SettingKind(30.0, _lease, "Seconds for which a claim is safe without renewal."),
    "drain": SettingKind(20.0, _seconds, "Seconds for running jobs to finish after a stop."),
    "processes": SettingKind(1, _count, "How many processes a worker runs in."),
    "recycle_jobs": SettingKind(None, _positive, "Replace a process after so many jobs."),
    "recycle_memory": SettingKind(None, _positive, "Replace a process that has so many MB."),
    "keep": SettingKind(7 * _DAY, _seconds, "Seconds to keep succeeded and skipped jobs."),
    "keep_failed": SettingKind(
        30 * _DAY, _seconds, "Seconds to keep failed, dead and cancelled jobs."
    ),
    "keep_stats": SettingKind(90 * _DAY, _seconds, "Seconds to keep statistics and the audit."),
    "keep_logs": SettingKind(
        "info", _choice(*KEPT), "The least level of the log lines that are kept; off: none are."
    ),
    "unknown_grace": SettingKind(
        None, _seconds, "Seconds a due job waits for a worker that knows its task."
    ),
    "max_bytes": SettingKind(1024 * 1024, _positive, "The largest arguments or result, in bytes."),
    "log_arguments": SettingKind(
        default=False, read=_flag, help="Whether errors and logs may hold arguments and results."
    ),
    "mask": SettingKind(
        MASKED_NAMES, _names, "Words of names whose values are secret, with commas in between."
    ),
    "log": SettingKind("info", _choice(*LEVELS), "The least level that is logged."),
    "log_format": SettingKind(
        "auto", _choice(*FORMATS), "Log lines or JSON; auto: lines on a terminal, else JSON."
    ),
    "token": SettingKind(None, _token, "The secret that users of the service present."),
    "streams": SettingKind(
        100, _count, "How many streams of server-sent events a process of the service has open."
    ),
    "environment": SettingKind(None, _word, "The environment that the console names: staging."),
    "trace_url": SettingKind(
        None, check_trace_url, "The page of a trace, to which the console links: {trace_id}."
    ),
    "version": SettingKind(
        None, _program_version, "The version of the program that its workers tell."
    ),
    "webhook_networks": SettingKind(
        (), _networks, "Networks that webhooks may be sent to, beside public addresses."
    ),
    "tracebacks": SettingKind(
        "folded", _choice(*TRACEBACKS), "Frames of libraries in the tracebacks of the log, or not."
    ),
}
"""Every setting, by name."""
