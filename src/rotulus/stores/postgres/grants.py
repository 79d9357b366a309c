"""The rights that roles need: those that enqueue, those that work, and those that look."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from rotulus.stores.postgres.session import in_schema

_FOLDER = Path(__file__).with_name("grants")


def grants(schema: str | None) -> Mapping[str, str]:
    """The statements that give rights, by what a role does; `:"role"` stands for the role.

    Pausing queues, cancelling and retrying is for the owner of the tables.
    """
    return MappingProxyType(
        {path.stem: _script(path, schema) for path in sorted(_FOLDER.glob("*.sql"))}
    )


def _script(path: Path, schema: str | None) -> str:
    text = in_schema(path.read_text(encoding="utf-8"), schema)
    return text.replace("SCHEMA public", f"SCHEMA {schema}") if schema else text
