"""The OpenAPI document of an application, with an operation for each task in it."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Protocol

from fastapi import FastAPI

from rotulus.service.links import add_links
from rotulus.service.problems import MEDIA_TYPE, PROBLEM_RESPONSES


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
            _name_problems(document)
            _name_schemas(document)
            add_links(document)
            made[version] = document
        return made[version]

    app.openapi = openapi


def _name_problems(document: dict[str, Any]) -> None:
    """Give the answer with a problem a name, and have every operation refer to it."""
    problem = deepcopy(PROBLEM_RESPONSES["default"])
    components = document.setdefault("components", {})
    content = problem["content"][MEDIA_TYPE]
    components.setdefault("schemas", {})["Problem"] = content["schema"]
    content["schema"] = {"$ref": "#/components/schemas/Problem"}
    components.setdefault("responses", {})["Problem"] = problem
    for methods in document["paths"].values():
        for operation in methods.values():
            answers = operation["responses"]
            if answers.get("default") == PROBLEM_RESPONSES["default"]:
                answers["default"] = {"$ref": "#/components/responses/Problem"}


def _name_schemas(document: dict[str, Any]) -> None:
    """Give each body and answer of JSON a name, after its operation unless it has one."""
    schemas = document["components"]["schemas"]

    def name(described: Mapping[str, Any], word: str) -> None:
        content: dict[str, Any] = described.get("content", {}).get("application/json", {})
        schema = content.get("schema")
        if schema and "$ref" not in schema:
            schemas[word] = schema
            content["schema"] = {"$ref": f"#/components/schemas/{word}"}

    for methods in document["paths"].values():
        for operation in methods.values():
            word = operation.get("operationId")
            if word:
                name(operation.get("requestBody", {}), f"{word}-body")
                for status, answer in operation["responses"].items():
                    name(answer, f"{word}-{status}")


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
