"""Named SQL statements, read from a file in which each stands under a `-- name:` line."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_HEADING = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load_statements(path: Path) -> Mapping[str, str]:
    """The statements of a file, by name. Each name stands once."""
    parts = _HEADING.split(path.read_text(encoding="utf-8"))[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) < len(names):
        raise ValueError(f"{path} holds a statement name twice")
    return MappingProxyType(
        {name: body.strip().removesuffix(";") for name, body in zip(names, bodies, strict=True)}
    )
