"""Named SQL statements, read from a file in which each stands under a `-- name:` line."""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_HEADING = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load_statements(package: str, file: str = "statements.sql") -> Mapping[str, str]:
    """The statements of a file in a package, by name. Each name stands once."""
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    parts = _HEADING.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) < len(names):
        raise ValueError(f"{package}/{file} holds a statement name twice")
    return MappingProxyType(
        {name: body.strip().removesuffix(";") for name, body in zip(names, bodies, strict=True)}
    )
