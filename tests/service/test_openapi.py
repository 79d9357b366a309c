"""The OpenAPI document of a service, held to its answers: what it says is what happens."""

import logging

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema_rs import validator_for
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as conform
from schemathesis.specs.openapi.definitions import OPENAPI_31
from starlette.testclient import TestClient

from service.rich import NAMES, rich_app, rich_service

pytestmark = pytest.mark.anywhere

EXAMPLES = 2
"""Requests to each operation for each way to make them, and each kind of path."""

PARTS = 4
"""Tests that divide the operations among them: together they take minutes."""

ALWAYS = [
    not_a_server_error,
    conform.status_code_conformance,
    conform.content_type_conformance,
    conform.response_headers_conformance,
    conform.response_schema_conformance,
    conform.missing_required_header,
    conform.allow_header_conformance,
]

UNSAYABLE = {
    "changed_meanwhile",
    "idempotency_key_reused",
    "invalid_arguments",
    "invalid_artifact",
    "invalid_cursor",
    "invalid_option",
}
"""What is wrong with requests that fit the document, because JSON Schema cannot say it."""

METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "trace"}


TOKEN = {"Authorization": "Bearer correct-horse-battery-staple"}
"""The token of the settings: tokens that are added by chance close the service to others."""


@pytest.fixture
def served(monkeypatch):
    """A client of a service with rich tasks."""
    monkeypatch.setenv("ROTULUS_TOKEN", TOKEN["Authorization"].partition(" ")[2])
    app = rich_app("sqlite://")
    with TestClient(rich_service(app), headers=TOKEN) as client:
        yield client
    app.close()


@pytest.fixture
def document(served):
    """Its document."""
    return served.get("/openapi.json").json()


def operations(document):
    """Each operation, with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield method, path, operation


def test_the_document_is_openapi_3_1(document):
    """By the schema of the standard, and each schema within it by JSON Schema."""
    assert [] == [str(error) for error in validator_for(OPENAPI_31).iter_errors(document)]
    assert document["openapi"].startswith("3.1.")


def test_operations_have_ids_of_their_own_and_say_what_they_do(document):
    """With no word of how the code is called, which might change."""
    found = list(operations(document))
    ids = [operation["operationId"] for _, _, operation in found]

    assert len(ids) == len(set(ids))
    assert {f"execute_{name}" for name in NAMES} <= set(ids)
    assert [] == [one for one in ids if not one.replace("_", "").isalnum() or "api_v1" in one]
    assert [] == [
        (method, path)
        for method, path, operation in found
        if not (operation.get("summary") and operation.get("description"))
    ]


def test_the_document_is_the_same_in_every_process(document):
    """For those who generate clients from it."""
    app = rich_app("sqlite://")
    with TestClient(rich_service(app), headers=TOKEN) as client:
        assert document == client.get("/openapi.json").json()
    app.close()


def test_every_operation_documents_its_problems(document):
    """As `default`, but for those that answer nothing else than what they say."""
    bare = [
        path
        for _, path, operation in operations(document)
        if "default" not in operation["responses"]
    ]

    assert {"/health", "/health/live", "/health/ready"} == set(bare)


class Attack:
    """Asks each operation what the document allows, and what it does not allow.

    Args:
        client: of the service.
        known: ids and names that exist, by the parameter of a path.
        examples: how many requests of each kind are sent.
    """

    def __init__(self, client, known, examples):
        self._client = client
        self._known = known
        self._examples = examples
        self.asked = 0
        self.wrong = {}

    def ask(self, operation):
        """Ask one operation, with paths that are made up and with those that exist."""
        known = {
            name: value for name, value in self._known.items() if f"{{{name}}}" in operation.path
        }
        if "$stream" in operation.path:
            known = {"job_id": "0"}  # a live one does not end
        if operation.path.endswith("/changes"):
            return  # it does not end; test_changes.py asks it
        for mode in GenerationMode:
            for path_parameters in [None, known] if known else [None]:
                cases = operation.as_strategy(generation_mode=mode, path_parameters=path_parameters)
                self._ask(cases, mode)

    def _ask(self, cases, mode):
        @settings(
            max_examples=self._examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases)
        def ask(case):
            self._send(case, mode)

        try:
            ask()
        except Unsatisfiable:  # nothing that it takes can be wrong
            assert mode is GenerationMode.NEGATIVE

    def _send(self, case, mode):
        if case.headers is not None:
            case.headers.pop("Prefer", None)  # nobody works here: it would wait
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent.pop("cookies", None)
        sent["content"] = sent.pop("data", None)
        answer = self._client.request(**sent, follow_redirects=False)
        self.asked += 1
        for check in [*ALWAYS, *self._checks(case, answer, mode)]:
            try:
                case.validate_response(answer, checks=[check])
            except BaseException as error:  # of a class of its own, a group
                place = (case.method, case.path, check.__name__, answer.status_code)
                self.wrong.setdefault(place, f"{error}\n{sent}\n{answer.text[:500]}")

    def _checks(self, case, answer, mode):
        """What else it is held to: what fits is taken, and what does not fit is refused."""
        if mode is GenerationMode.NEGATIVE:
            # $execute tells in its envelope; each text is a tag.
            told = case.path.endswith("/$execute") or case.path == "/api/v1/tasks"
            return [] if told else [conform.negative_data_rejection]
        return [] if is_unsayable(answer) else [conform.positive_data_acceptance]


def is_unsayable(answer):
    """Whether a request was refused for what no schema says; a media type has a grammar, too."""
    if answer.status_code < 400:
        return False
    told = answer.json()
    places = {error.get("pointer") for error in told.get("errors", [])}
    return told["code"] in UNSAYABLE or places in ({"/media_type"}, {""})


@pytest.mark.parametrize("part", range(PARTS))
def test_the_service_answers_as_the_document_says(served, part, examples):
    """Each operation, asked for what fits and for what does not fit."""
    stored = served.post("/api/v1/tasks/add/$enqueue", json={"params": {"a": 1}}).json()
    saved = served.post("/api/v1/artifacts", json={"data": 1}).json()
    schedule = {"name": "add", "task": "add", "every": 3_600, "arguments": {"a": 1}}
    assert 201 == served.post("/api/v1/schedules", json=schedule).status_code
    group = served.post("/api/v1/groups", json={"name": "add", "then": "report"}).json()
    known = {"job_id": stored["id"], "artifact_id": saved["id"], "name": "add"}
    known |= {"run_id": group["job"]["id"], "fingerprint": "0123456789ab"}
    attack = Attack(served, known, EXAMPLES * examples)
    logging.disable(logging.CRITICAL)
    try:
        described = schemathesis.openapi.from_asgi("/openapi.json", served.app, headers=TOKEN)
        for found in list(described.get_all_operations())[part::PARTS]:
            attack.ask(found.ok())
    finally:
        logging.disable(logging.NOTSET)

    told = "\n\n".join(f"{place}: {text}" for place, text in list(attack.wrong.items())[:6])
    assert not attack.wrong, f"{len(attack.wrong)} of {attack.asked}:\n{told}"
    assert attack.asked > 400 / PARTS
