"""What is no success is a problem document, whatever raised it, and says no more than it should."""

import ast
import logging
import re
import tomllib
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from starlette.testclient import TestClient

import rotulus.service
from rotulus import errors
from rotulus.service import ProblemError, install_problems
from rotulus.service.problem_kinds import problem_kinds
from rotulus.service.problem_table import KINDS, kind_of, pointer_of
from rotulus.service.problems import PROBLEM_RESPONSES, ProblemRoute, problem_of

ERRORS_PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
SOURCE = Path(rotulus.service.__file__).parent


def made(kind, text="canary-4711"):
    """An error of a kind."""
    if kind is errors.ArgumentsError:
        return kind(f"f() argument 'a': no  (/srv/{text}.py:3)", ["argument 'a': no"])
    if kind is errors.TaskNotFoundError:
        return kind(text, "t")
    if kind is errors.JobFailedError:
        return kind(text, state="failed", reason=None)
    return kind(text)


@pytest.fixture(params=["routes of ours", "an application of ours"])
def asked(request):
    """Raises an error in a route; the answer."""

    def ask(error, **options):
        async def raising():
            raise error

        app = FastAPI()
        router = APIRouter()
        if request.param == "routes of ours":
            router = APIRouter(route_class=ProblemRoute)
        else:
            install_problems(app)
        router.add_api_route("/raise", raising, **options)
        app.include_router(router)
        return TestClient(app, raise_server_exceptions=False).get("/raise")

    return ask


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS], ids=lambda kind: kind.__name__)
def test_every_error_of_ours_is_a_document(asked, kind):
    """With its status, its stable type and code, and what to do."""
    answer = asked(made(kind))
    told = answer.json()

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == told["status"] == kind_of(made(kind)).status
    assert told["type"] == f"urn:rotulus:error:{told['code']}"
    assert all(told[name] for name in ("title", "detail", "hint"))
    assert (answer.status_code == 503) <= (int(answer.headers.get("retry-after", 0)) > 0)


@pytest.mark.parametrize("kind", [ValueError, errors.StoreUnavailableError, errors.InjectionError])
def test_what_the_server_is_to_blame_for_is_told_to_its_log_only(asked, kind, caplog):
    """The document has an id, under which the log has the error, and its traceback if it is new."""
    with caplog.at_level(logging.ERROR, "rotulus.service"):
        answer = asked(made(kind))
    [record] = [r for r in caplog.records if r.name == "rotulus.service"]

    assert answer.status_code >= 500
    assert "canary-4711" not in answer.text
    assert answer.json()["error_id"] in record.getMessage()
    assert "canary-4711" in record.getMessage()
    assert bool(record.exc_info) == (kind is not errors.StoreUnavailableError)


def test_each_problem_of_a_call_points_at_its_argument(asked):
    """And the document does not name the files of the server."""
    answer = asked(made(errors.ArgumentsError))

    assert answer.json()["errors"] == [{"pointer": "/params/a", "detail": "argument 'a': no"}]
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("sentence", "pointer"),
    [
        ("argument 'a': Input should be a valid integer (got a str)", "/params/a"),
        ("argument 'user.ages[2].x': no", "/params/user/ages/2/x"),
        ("argument 'user.prices[…].x': no", "/params/user/prices"),
        ("is missing the argument 'b'", "/params/b"),
        ("got an unknown argument 'a/b~c'; did you mean 'a'?", "/params/a~1b~0c"),
        ("got two values for 'a'", "/params/a"),
        ("takes 2 positional arguments, 3 were given", "/params"),
    ],
)
def test_a_sentence_about_an_argument_is_a_pointer(sentence, pointer):
    """To the place in the body; a key of a mapping is a value, and not shown."""
    assert pointer == pointer_of(sentence, "/params")


def test_statuses_of_the_framework_are_documents_too():
    """No such path, no such method, and a parameter that does not fit."""
    app = FastAPI()
    install_problems(app)

    @app.get("/items/{number}")
    def item(number: int, limit: int = 3):
        return number

    client = TestClient(app)
    missing, wrong = client.get("/nowhere"), client.post("/items/1")
    unfit = client.get("/items/1?limit=canary")

    assert (404, "not_found") == (missing.status_code, missing.json()["code"])
    assert (405, "method_not_allowed") == (wrong.status_code, wrong.json()["code"])
    assert wrong.headers["allow"] == "GET"
    assert (422, "invalid_request") == (unfit.status_code, unfit.json()["code"])
    [error] = unfit.json()["errors"]
    assert ("query", "limit") == (error["in"], error["parameter"])
    assert "canary" not in unfit.text


def test_a_route_keeps_the_headers_of_what_it_raised(asked):
    """Of an HTTPException, and of a problem."""
    challenge = {"WWW-Authenticate": "Bearer"}
    plain = asked(HTTPException(401, "who are you?", challenge))
    ours = asked(ProblemError(401, "c", "t", "d", headers=challenge))

    assert ["Bearer"] * 2 == [a.headers["www-authenticate"] for a in (plain, ours)]
    assert ("unauthorized", "who are you?") == (plain.json()["code"], plain.json()["detail"])


def test_a_detail_that_is_no_text_is_left_to_the_framework(asked):
    """It is what the user wanted to say."""
    answer = asked(HTTPException(409, {"my": "detail"}))

    assert (409, {"detail": {"my": "detail"}}) == (answer.status_code, answer.json())


def test_an_application_may_answer_its_own_errors_in_its_own_way():
    """Those that it has a handler for are not ours, even in routes of ours."""

    class Mine(Exception):
        pass

    app = FastAPI()
    router = APIRouter(route_class=ProblemRoute)

    @router.get("/mine")
    async def mine():
        raise Mine

    @app.exception_handler(Mine)
    async def handle(request, error):
        return ProblemError(418, "mine", "Mine", "as I like it").response()

    app.include_router(router)

    assert TestClient(app).get("/mine").status_code == 418


def test_a_problem_holds_what_it_was_given():
    """Every member of RFC 9457, and our own."""
    told = ProblemError(
        400, "c", "t", "d", hint="h", errors=[{"pointer": "/a"}], instance="urn:x", members={"m": 1}
    )

    assert told.document == {
        "type": "urn:rotulus:error:c",
        "title": "t",
        "status": 400,
        "detail": "d",
        "code": "c",
        "hint": "h",
        "instance": "urn:x",
        "errors": [{"pointer": "/a"}],
        "m": 1,
    }
    assert told is problem_of(told)
    assert b'"c"' in told.response().body


def test_problems_stand_in_the_api_document():
    """As the default response of a route."""
    app = FastAPI()

    @app.get("/a/{b}", responses=PROBLEM_RESPONSES)
    def a(b: int):
        return b

    responses = app.openapi()["paths"]["/a/{b}"]["get"]["responses"]
    assert {"200", "default"} == set(responses)
    assert ["application/problem+json"] == list(responses["default"]["content"])


def codes_in(path):
    """The codes of problems that a module makes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "problem",
            "ProblemError",
            "Kind",
        ):
            found = [a.value for a in node.args[:2] if isinstance(a, ast.Constant)]
            yield from [code for code in found if isinstance(code, str)]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_unavailable":
            yield node.args[0].value


def test_every_code_is_documented():
    """In docs/errors.md, with its status, and none is there that is not made."""
    made_ = {code for path in SOURCE.rglob("*.py") for code in codes_in(path)}
    page = ERRORS_PAGE.read_text().split("## Over HTTP")[1]
    documented = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.*) \|$", page, re.MULTILINE)
    table = tomllib.loads((SOURCE / "problems.toml").read_text())

    assert made_ == set(table)
    assert documented == [(c, str(k["status"]), k["meaning"]) for c, k in sorted(table.items())]


def titles_in(path):
    """The statuses, codes and titles of problems that a module makes, where it names them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            told = [a.value if isinstance(a, ast.Constant) else None for a in node.args]
            kind = getattr(node.func, "id", "")
            if kind in ("ProblemError", "Kind") and len(told) > 2 and isinstance(told[1], str):
                yield told[0], told[1], told[2]
            elif kind == "_unavailable" and isinstance(told[0], str):
                yield 503, told[0], told[1]


def test_every_problem_is_as_the_table_has_it():
    """Its status and its title; the page of a problem is made of the table."""
    table, seen = problem_kinds(), 0
    for path in SOURCE.rglob("*.py"):
        for status, code, title in titles_in(path):
            seen += 1
            assert status in (None, table[code].status), code
            assert title in (None, table[code].title), code

    assert seen > 50
    assert [] == [code for code, kind in table.items() if not (kind.title and kind.status >= 400)]
