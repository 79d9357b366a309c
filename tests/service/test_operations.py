"""The typed operations of tasks in the OpenAPI document."""

from datetime import datetime
from enum import Enum

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from rotulus import Job, TaskRegistry, task
from rotulus._app.inline import InlineCalls
from rotulus.service.documents import document_operations
from rotulus.service.operations import Operations


class Colour(Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """Something inside of something."""

    count: int
    at: datetime | None = None


class Picture(BaseModel):
    """Something with a schema of its own."""

    name: str
    inner: Inner


@pytest.fixture
def document(registry):
    """The document of an application, as it is when it is asked for."""
    app = FastAPI()
    operations = Operations(registry, InlineCalls(registry, {}, {}), "/tasks", ["T"])
    document_operations(app, operations)
    return app.openapi


def params_of(document, path):
    """The schema of the arguments in the body of an operation."""

    def meant(schema):
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return meant(meant(body["schema"])["properties"]["params"])


def references(schema):
    """All that a schema refers to."""
    if isinstance(schema, dict):
        here = [schema["$ref"]] if "$ref" in schema else []
        return here + [found for value in schema.values() for found in references(value)]
    if isinstance(schema, list):
        return [found for value in schema for found in references(value)]
    return []


def test_each_task_has_an_operation_with_its_schema_its_text_and_an_example(registry, document):
    """And one to enqueue it."""

    @task(registry=registry, name="mail.send-it")
    def send(to: str, colour: Colour = Colour.RED, *, times: int = 2) -> list[int]:
        """Send something."""
        return [times]

    made = document()
    paths = made["paths"]
    execute = paths["/tasks/mail.send-it/$execute"]["post"]
    content = execute["requestBody"]["content"]["application/json"]
    params = params_of(made, "/tasks/mail.send-it/$execute")

    assert "execute_mail_send_it" == execute["operationId"]
    assert "Send something." == execute["description"]
    assert ["to"] == params["required"]
    assert ("string", 2, "red") == (
        params["properties"]["to"]["type"],
        params["properties"]["times"]["default"],
        params["properties"]["colour"]["default"],
    )
    assert {"params": {"to": "text", "colour": "red", "times": 2}} == content["example"]
    enqueue = paths["/tasks/mail.send-it/$enqueue"]["post"]
    assert "enqueue_mail_send_it" == enqueue["operationId"]
    assert {"200", "202", "default"} == set(enqueue["responses"])


def test_what_schemas_refer_to_is_in_the_document(registry, document):
    """Under names that no other task's schemas have."""

    @task(registry=registry)
    def one(picture: Picture) -> list[Inner]:
        return []

    @task(registry=registry)
    def two(picture: Picture) -> None: ...

    made = document()
    found = references(made)

    assert "#/components/schemas/one.Picture" in found
    for reference in set(found):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in made["components"][kind], reference


def test_two_names_that_differ_in_punctuation_have_two_operations(registry, document):
    """An operation's id is unique."""
    for name in ("a-b", "a_b", "a.b"):
        task(registry=registry, name=name)(lambda: None)

    operations = [path["post"]["operationId"] for path in document()["paths"].values()]

    assert len(set(operations)) == len(operations) == 6


def test_a_task_that_is_registered_later_is_in_the_next_document(registry, document):
    """And the document is made once for the same tasks."""
    assert {} == document()["paths"]
    task(registry=registry, name="later")(lambda: None)

    assert {"/tasks/later/$execute", "/tasks/later/$enqueue"} == set(document()["paths"])
    assert document() is document()


def test_what_is_filled_in_is_no_parameter(registry, document):
    """And a task that cannot be filled has no operation."""

    @task(registry=registry)
    def filled(job: Job, x: int) -> None: ...

    @task(registry=registry)
    def unfilled(it: TaskRegistry) -> None: ...

    made = document()

    assert ["x"] == list(params_of(made, "/tasks/filled/$execute")["properties"])
    assert "/tasks/unfilled/$execute" not in made["paths"]


def test_an_example_that_does_not_fit_is_left_out(registry, document):
    """A validator of the type may want something that nobody can guess."""

    @task(registry=registry)
    def at(moment: datetime) -> None: ...

    body = document()["paths"]["/tasks/at/$execute"]["post"]["requestBody"]
    assert "example" not in body["content"]["application/json"]
