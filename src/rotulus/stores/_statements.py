"""Named SQL statements, read from the files of folders; each stands under a `-- name:` line.

What several of them have in common stands once, under a `-- piece:` line; `{piece}` puts it in. So
are lists of columns put in, which `rotulus.stores._columns` makes.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_HEADING = re.compile(r"^-- (name|piece): (\w+)\n", re.MULTILINE)
_DESCRIPTION = re.compile(r"\A(?:--.*\n)+")
_PLACE = re.compile(r"--.*|'[^']*'|\{([a-z_]+)\}")
"""A comment, a text or the place of a piece: braces in the first two are nobody's business."""


def load_statements(*folders: Path, made: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The statements of the `.sql` files in some folders, by name, with their pieces put in.

    Args:
        folders: where the files are.
        made: pieces that stand in none of the files, by name.

    Raises:
        ValueError: a name stands twice, or a piece is asked for that is in none of the files.
    """
    found: dict[str, dict[str, str]] = {"name": {}, "piece": {}}
    place = " and ".join(map(str, folders))
    for path in sorted(path for folder in folders for path in folder.glob("*.sql")):
        parts = _HEADING.split(path.read_text(encoding="utf-8"))[1:]
        for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if name in found[kind]:
                raise ValueError(f"{place} holds the {kind} {name!r} twice: rename one of them")
            found[kind][name] = body.strip().removesuffix(";")
    pieces = dict(made or {})
    pieces |= {name: _DESCRIPTION.sub("", body) for name, body in found["piece"].items()}
    try:
        return MappingProxyType(
            {name: _filled(text, pieces) for name, text in found["name"].items()}
        )
    except KeyError as error:
        raise ValueError(
            f"{place} has no piece {error}: write it under a `-- piece:` line"
        ) from error


def _filled(text: str, pieces: Mapping[str, str]) -> str:
    """A statement, or a piece, with its pieces put in."""

    def fill(place: re.Match[str]) -> str:
        return _filled(pieces[place[1]], pieces) if place[1] else place[0]

    return _PLACE.sub(fill, text)
