"""The URL of a database of Django's settings, for connections without Django."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rotulus.errors import ConfigurationError

_DJANGOS = ("assume_role", "isolation_level", "pool", "server_side_binding")
"""Options of Django's own that libpq does not know."""


def url_of(connection: Any) -> str:
    """Returns the URL of the database of a connection of Django.

    Args:
        connection: as `django.db.connections[alias]` gives it. It is not opened.

    Raises:
        ConfigurationError: no other process could open it.
    """
    if connection.vendor == "sqlite":
        return _of_file(connection)
    if connection.vendor == "postgresql":
        return _of_postgres(connection.settings_dict)
    raise ConfigurationError(
        f"The database {connection.alias!r} is {connection.display_name}, and jobs live in "
        f"PostgreSQL or SQLite"
    )


def _of_file(connection: Any) -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.is_in_memory_db() or name.startswith("file:"):
        raise ConfigurationError(
            f"The database {connection.alias!r} is {name!r}, which a worker cannot open beside "
            f"Django: give the path of a file"
        )
    return f"sqlite:///{Path(name).absolute()}"


def _of_postgres(database: dict[str, Any]) -> str:
    options = {k: v for k, v in database["OPTIONS"].items() if k not in _DJANGOS and _is_plain(v)}
    if role := database["OPTIONS"].get("assume_role"):
        options["options"] = " ".join(filter(None, [options.get("options"), f"-c role={role}"]))
    host = database["HOST"]
    if host.startswith("/"):  # the folder of a socket, which has no place in front of the path
        options["host"], host = host, ""
    account = quote(database["USER"], safe="")
    if database["PASSWORD"]:
        account += f":{quote(database['PASSWORD'], safe='')}"
    port = f":{database['PORT']}" if database["PORT"] else ""
    place = f"{account}@" if account else ""
    place += f"[{host}]" if ":" in host else host
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgresql://{place}{port}/{quote(str(database['NAME'] or ''), safe='')}{query}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
