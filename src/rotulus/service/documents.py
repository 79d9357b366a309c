"""The OpenAPI document of an application, with an operation for each task in it."""

from copy import deepcopy
from typing import Any, Protocol

from fastapi import FastAPI


class Documented(Protocol):
    """Operations that go into the document at each request for it."""

    @property
    def version(self) -> object:
        """A value that is equal as long as the operations are the same."""
        ...

    def add_to(self, document: dict[str, Any]) -> None:
        """Put the operations into a document."""
        ...


def document_operations(app: FastAPI, operations: Documented) -> None:
    """Add operations to the document of an application, made anew at each request for it.

    Tasks may be registered after their router was included, and after the document was read.
    """
    known: list[Documented] | None = getattr(app.state, "rotulus_operations", None)
    if known is None:
        known = app.state.rotulus_operations = list[Documented]()
        _extend(app, known)
    if operations not in known:
        known.append(operations)


def _extend(app: FastAPI, known: list[Documented]) -> None:
    plain = app.openapi
    made: dict[tuple[object, ...], dict[str, Any]] = {}

    def openapi() -> dict[str, Any]:
        version = tuple(operations.version for operations in known)
        if version not in made:
            made.clear()
            document = deepcopy(plain())
            for operations in known:
                operations.add_to(document)
            _say_optional_values(document)
            made[version] = document
        return made[version]

    app.openapi = openapi


def _say_optional_values(document: dict[str, Any]) -> None:
    """Take null from the types of parameters: one is left out, or has a value of its type."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                schema = parameter.get("schema", {})
                kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
                if len(kinds) == 1:
                    del schema["anyOf"]
                    parameter["schema"] = {**kinds[0], **schema}
