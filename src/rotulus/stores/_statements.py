"""Named SQL statements, read from the files of a folder; each stands under a `-- name:` line."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_HEADING = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load_statements(folder: Path) -> Mapping[str, str]:
    """The statements of a folder's `.sql` files, by name. Each name stands once."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        parts = _HEADING.split(path.read_text(encoding="utf-8"))[1:]
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"{folder} holds the statement {name!r} twice")
            found[name] = body.strip().removesuffix(";")
    return MappingProxyType(found)
