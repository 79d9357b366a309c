"""The OpenAPI document as programs use it: its links, its names, its examples, and its types."""

import json
import logging
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from jsonschema_rs import validator_for
from starlette.testclient import TestClient

from rotulus.service.links import LINKS
from service.rich import NAMES, rich_app, rich_service
from service.test_openapi import ALWAYS, TOKEN, operations

pytestmark = pytest.mark.anywhere

CONSOLE = Path(__file__).parents[2] / "console"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A client of a service with rich tasks."""
    monkeypatch.setenv("ROTULUS_TOKEN", TOKEN["Authorization"].partition(" ")[2])
    app = rich_app(f"sqlite:///{tmp_path}/jobs.db")
    with TestClient(rich_service(app), headers=TOKEN) as client:
        yield client
    app.close()


@pytest.fixture
def document(served):
    """Its document."""
    return served.get("/openapi.json").json()


def links_of(document):
    """Each link: from which operation it leads, to which, and with what parameters."""
    for _, _, operation in operations(document):
        for answer in operation["responses"].values():
            for target, link in answer.get("links", {}).items():
                yield operation["operationId"], target, link["parameters"]


def test_links_lead_to_operations_that_take_what_they_give(document):
    """By a parameter of the path, from a member that the answer has."""
    parameters = {
        operation["operationId"]: {
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"
        }
        for _, _, operation in operations(document)
    }
    found = list(links_of(document))

    assert {target for _, target, given in found if set(given) != parameters[target]} == set()
    assert set(LINKS) | {f"enqueue_{name}" for name in NAMES} == {source for source, _, _ in found}
    assert {("enqueue_add", "cancel_job"), ("add_schedule", "run_schedule")} <= {
        (source, target) for source, target, _ in found
    }


def test_links_are_followed(served, document, serve):
    """By Schemathesis: what was made is read, changed and removed, as the document says."""
    address, seen, wrong = serve(served.app).address, Counter(), []
    described = schemathesis.openapi.from_dict(document)
    finite = described.exclude(path_regex=r"\$stream|/changes")

    class Machine(finite.as_state_machine()):
        def call(self, case, **_):
            (case.headers or {}).pop("Prefer", None)  # nobody works here: it would wait
            return case.call(base_url=address, headers=TOKEN, allow_redirects=False)

        def validate_response(self, response, case, **_):
            if response.status_code < 300:
                seen[case.operation.definition.raw["operationId"]] += 1
            try:
                case.validate_response(response, checks=ALWAYS)
            except BaseException as error:  # of a class of its own, a group
                wrong.append(f"{case.method} {case.path} {response.status_code}: {error}")

    usual = settings(
        max_examples=40,
        stateful_step_count=6,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    targets, followed = {target for _, target, _ in links_of(document)}, set()
    logging.disable(logging.CRITICAL)
    try:
        for _ in range(20):
            # What is stored stays from one example to the next: Hypothesis ends when it notices.
            with suppress(Flaky):
                Machine.run(settings=usual)
            followed = targets & set(seen)
            if wrong or len(followed) >= 3:
                break
    finally:
        logging.disable(logging.NOTSET)

    assert not wrong, "\n\n".join(wrong[:5])
    assert len(followed) >= 3, seen


def test_bodies_and_answers_have_names(document):
    """So that who generates code from the document gets a type for each."""
    bare = []
    for method, path, operation in operations(document):
        described = [operation.get("requestBody", {}), *operation["responses"].values()]
        for one in described:
            schema = one.get("content", {}).get("application/json", {}).get("schema")
            if schema and set(schema) != {"$ref"}:
                bare.append((method, path, schema))

    assert [] == bare
    assert {"Problem", "Job", "Schedule", "Run", "add-params", "StoredJob"} <= set(
        document["components"]["schemas"]
    )


def test_examples_fit(document):
    """What a schema, or a body, gives as an example is an example of it."""
    places = {f"#/components/schemas/{name}": one for name, one in _schemas(document)}
    given = [
        (place, example)
        for place, schema in places.items()
        for example in schema.get("examples", ())
    ]
    for _, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            given.append((content["schema"]["$ref"], content["example"]))

    assert len(given) > 10
    for place, example in given:
        schema = {"$ref": place, "components": document["components"]}
        assert [] == [str(error) for error in validator_for(schema).iter_errors(example)], place


def _schemas(document):
    return document["components"]["schemas"].items()


def test_types_are_generated_from_it(document, tmp_path, tmp_path_factory):
    """By openapi-typescript, without a word; and TypeScript takes them."""
    tool = CONSOLE / "node_modules" / ".bin" / "openapi-typescript"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT TESTED: the types of the document, which are made with Node and npm")
    lock = tmp_path_factory.getbasetemp().parent / "console.lock"  # processes of tests wait
    script = CONSOLE.parent / "scripts" / "console"
    made = _run("flock", lock, script, sys.executable)
    if made.returncode == 3:
        pytest.skip(f"NOT TESTED: the types of the document: {made.stderr.strip()}")
    assert made.returncode == 0, made.stdout + made.stderr
    source, types = tmp_path / "openapi.json", tmp_path / "schema.d.ts"
    source.write_text(json.dumps(document))
    made = _run(tool, source, "--output", types)

    assert (0, "") == (made.returncode, made.stderr)
    text = types.read_text()
    assert all(f"execute_{name}" in text for name in NAMES)
    checked = _run(tool.parent / "tsc", "--noEmit", "--strict", "--target", "es2022", types)
    assert (0, "") == (checked.returncode, checked.stdout)


def _run(*words):
    return subprocess.run(
        [str(word) for word in words], cwd=CONSOLE, capture_output=True, text=True, timeout=600
    )
