"""`rotulus --url https://…`: what is refused, what goes wrong, and what it says then."""

import ast
import json
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from doors.shops import TOKEN, Shop, opened
from doors.test_cli import SHOP, lines
from doors.test_cli_groups import SOURCE as GROUPS
from doors.test_cli_workflows import SHOP as WORKFLOWS
from rotulus.cli import target
from rotulus.cli.main import main
from rotulus.client.served.app import ServedApp
from rotulus.service import service_of
from rotulus.testing import drain
from serving import served

pytestmark = pytest.mark.anywhere


@pytest.fixture
def shop(tmp_path):
    """A shop whose commands work over its service."""
    with opened(tmp_path, SHOP, "service") as made:
        yield made
        made.app.close()


def told(*words, code, **variables):
    """What the program says on stderr, when it ends with this code: one line."""
    result = CliRunner().invoke(main, list(words), env=variables)
    assert code == result.exit_code, result.output
    assert "" == result.stdout
    return result.stderr.strip().splitlines()[-1]


@contextmanager
def answering(status, body, kind="text/html"):
    """A server of something else, which always answers so; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_option_is_as_good_as_the_variable(shop):
    """And comes first."""
    job = shop("enqueue", "shout", "a").strip()
    words = ["ls", "jobs", "--url", shop.address]
    listed = CliRunner().invoke(main, words, env={"ROTULUS_TOKEN": TOKEN, "ROTULUS_APP": "no:app"})
    assert job in listed.stdout
    assert "a.db" in told("ls", "jobs", "--url", "sqlite:///a.db", code=4, ROTULUS_URL=shop.address)


@pytest.mark.parametrize(
    "words", ["ls jobs --app {}", "enqueue shout a --app {}", "worker {} --burst", "check --app {}"]
)
def test_an_app_on_the_command_line_means_its_store(tmp_path, monkeypatch, words):
    """Also where a variable says the address of a service; nobody listens there."""
    monkeypatch.chdir(tmp_path)
    named = Shop(tmp_path, SHOP)
    assert 0 == CliRunner().invoke(main, ["migrate", "--app", named.target]).exit_code
    fresh = Shop(tmp_path, SHOP)  # not imported yet
    done = CliRunner().invoke(
        main, words.format(fresh.target).split(), env={"ROTULUS_URL": "https://127.0.0.1:1"}
    )
    assert 0 == done.exit_code, done.output


@pytest.mark.parametrize("words", ["ls jobs --app {}", "worker {} --burst", "serve {}"])
def test_an_app_without_a_url_of_its_own_is_refused(tmp_path, words):
    """Its store would be the service that the variable says."""
    shop = Shop(tmp_path, SHOP.replace('"sqlite:///shop.db", ', ""))
    said = told(*words.format(shop.target).split(), code=2, ROTULUS_URL="https://127.0.0.1:1")
    assert "the setting 'url' (ROTULUS_URL) is the address of a service" in said


def test_a_token_may_have_the_newline_of_its_file(shop):
    """One that no header can have is refused, and not shown."""
    words = ["ls", "jobs", "--url", shop.address]
    env = {"ROTULUS_TOKEN": f" {TOKEN}\n"}
    assert 0 == CliRunner().invoke(main, words, env=env).exit_code
    said = told(*words, code=2, ROTULUS_TOKEN="of an\nADMIN")
    assert "token has characters" in said
    assert "ADMIN" not in said


def test_arguments_that_are_no_text_are_refused(shop):
    """Such as the bytes of another encoding, which a shell hands on."""
    shop("enqueue", "shout", "\udcff", code=2)
    assert "no JSON" in shop.err


def test_a_sender_without_a_token_is_told(shop):
    """With where the token is looked for; and so is one whose role is too low."""
    assert "ROTULUS_TOKEN" in told("ls", "jobs", "--url", shop.address, code=3)
    secret = shop("token", "add", "ci", "--role", "viewer").strip()
    variables = {"ROTULUS_URL": shop.address, "ROTULUS_TOKEN": secret}
    assert 0 == CliRunner().invoke(main, ["ls", "jobs"], env=variables).exit_code
    job = shop("enqueue", "shout", "a").strip()
    assert "operator" in told("cancel", job, code=3, **variables)
    assert "admin" in told("audit", code=3, **variables)
    assert "queued" == shop.app.get(job).state


@pytest.mark.parametrize(
    "words",
    [
        *("worker", "migrate", "check", "config", "dev", "serve", "run shout a", "mcp"),
        *("ls workflows", "graph etl"),
    ],
)
def test_what_needs_the_store_or_the_code_is_refused(words):
    """As wrong usage, with what to do: by the option, if there is one, and by the variable."""
    address = "https://jobs.example.com"
    said = told(*words.split(), code=2, ROTULUS_URL=address)
    assert "needs the store or the code itself" in said
    assert f"{address}: give it the URL of the store" in said
    if words in ("migrate", "check", "config", "run shout a", "ls workflows"):
        assert "--url is the address" in told(*words.split(), "--url", address, code=2)


def test_a_drawing_of_a_service_is_data(tmp_path):
    """And says so, where it is to be a picture."""
    with opened(tmp_path, GROUPS, "service") as shop:
        group = shop.app.group("g", then=shop.app.registry.get("report")).open()
        assert ["jobs", "callback"] == [
            box["id"] for box in json.loads(shop("graph", "--run", group.id, "--json"))["boxes"]
        ]
        shop("graph", "--run", group.id, code=2)
        assert "give --json" in shop.err
        shop.app.close()


def test_a_service_that_is_not_there_is_told():
    """With its address, and the exit code of a store that is not there."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    said = told("ls", "jobs", "--url", address, code=4)
    assert said.startswith(f"rotulus: The service at {address} does not answer")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", "text/html"),
        (404, b"<html>", "text/html"),
        (404, b'{"detail":"Not Found"}', "application/json"),
        (200, b"<html>", "application/json"),
    ],
)
def test_what_is_no_service_is_told(status, body, kind):
    """The address is that of something else, or the path below it is missing."""
    with answering(status, body, kind) as address:
        said = told("ls", "jobs", "--url", address, code=3)
    assert "Is this the address of a Rotulus service" in said


def test_a_connection_that_is_not_encrypted_as_it_should_be_is_told():
    """One line, and no traceback."""
    with answering(200, b"") as address:
        said = told("ls", "jobs", "--url", address.replace("http:", "https:"), code=4)
    assert "does not answer" in said
    assert "SSL" in said or ssl.SSLError.__name__ in said


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("https://", "no address of a service"),
        ("https://[::1", "no address of a service"),
        ("https://ada:secret@jobs.example.com", "ROTULUS_TOKEN"),
    ],
)
def test_what_is_no_address_is_refused(address, says):
    """Before anything is sent; a password is not repeated."""
    said = told("ls", "jobs", "--url", address, code=2)
    assert says in said
    assert "secret" not in said


def test_a_token_is_not_printed(shop):
    """Neither in a list nor in an error."""
    output = shop("ls", "jobs", "--json") + shop.err
    shop("show", "01020304-0000-7000-8000-000000000000", code=5)
    assert TOKEN not in output + shop.err


def test_a_service_lists_no_jobs_before_one(shop):
    """It takes cursors, and says what to give."""
    job = shop("enqueue", "shout", "a").strip()
    shop("ls", "jobs", "--before", job, code=2)
    assert "--after" in shop.err


def test_the_help_loads_nothing_of_http():
    """A program pays only for what it takes."""
    code = (
        "import sys\n"
        "import rotulus, rotulus.cli.main, rotulus.cli.ls, rotulus.cli.target\n"
        "print([name for name in ('httpx2', 'rotulus.client.wire') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


def test_the_store_of_a_service_is_that_of_its_app(shop):
    """As `rotulus store` tells it where the store is."""
    shop("enqueue", "shout", "a")
    there = json.loads(shop("store", "--json"))
    here = shop.app.store.size()
    assert (here.migrations, []) == (there["migrations"], there["missing"])
    assert [table._asdict() for table in here.tables] == there["tables"]
    assert shop.address == there["url"]
    assert "rotulus_jobs" in shop("store")


def test_many_jobs_take_many_requests(shop, monkeypatch):
    """Of a list as of a verb, and nobody notices."""
    monkeypatch.setattr("rotulus.client.served.jobs._PAGE", 2)
    monkeypatch.setattr("rotulus.client.served.jobs._AT_ONCE", 2)
    jobs = [job.id for job in shop.app.registry.get("shout").enqueue_many(["a"] * 5)]

    listed = [json.loads(line)["id"] for line in lines(shop("ls", "jobs", "--json"))]
    assert [*reversed(jobs)] == listed
    assert 3 == len(lines(shop("ls", "jobs", "--limit", "3", "--json")))
    assert "--after" in shop.err
    told = json.loads(shop("cancel", "--task", "shout", "--yes", "--json"))
    assert (5, True, set(jobs)) == (told["total"], told["exact"], {j["id"] for j in told["jobs"]})
    assert 5 == shop.app.jobs.count(state="cancelled")


ELSEWHERE = {"admin", "dev", "gcp", "push", "run_here", "worker"}
"""Modules of commands that work here only."""

HERE = {"app.acting_as", "app.carrier", "app.check", "app.runs.latest"}
"""What else works here only: who acts is told by the token, and the others are of the code."""


def asked(tree):
    """What a module asks of an app: its attributes, and theirs."""
    found = set()
    for whole in ast.walk(tree):
        node, parts = whole, []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if parts and isinstance(node, ast.Name) and node.id == "app":
            found.add(".".join(["app", *reversed(parts)][:3]))
    return found


def test_what_commands_ask_of_an_app_one_of_a_service_has():
    """So that a command that learns something new works there, or says that it does not."""
    there = ServedApp("http://127.0.0.1:1")
    missing = set()
    for path in Path(target.__file__).parent.glob("*.py"):
        if path.stem in ELSEWHERE:
            continue
        for name in asked(ast.parse(path.read_text())):
            value = there
            for part in name.split(".")[1:]:
                value = getattr(value, part, None) if value is not None else None
            if value is None:
                missing.add(name)
    there.close()

    assert missing == HERE


@pytest.mark.parametrize("what", ["jobs", "runs"])
def test_the_arguments_of_a_list_are_asked_for_together(tmp_path, monkeypatch, what):
    """By one request for 100 of them, and not by one for each; and only where they are shown."""
    with opened(tmp_path, WORKFLOWS) as local:
        for number in range(3):
            local.app.enqueue("etl", day=number)
        drain(local.app)
        asked = []

        async def counting(scope, receive, send):
            asked.append((scope["path"], "arguments=true" in str(scope.get("query_string"))))
            await application(scope, receive, send)

        monkeypatch.setenv("ROTULUS_TOKEN", TOKEN)
        application = service_of(local.app)
        with served(counting) as server:
            words = ["ls", what, "--json"]
            env = {"ROTULUS_URL": server.address, "ROTULUS_TOKEN": TOKEN}
            over = CliRunner().invoke(main, words, env=env)
            at_once = [*asked]
            CliRunner().invoke(main, words[:2], env=env)

        assert lines(local(*words)) == lines(over.stdout)
        assert [(f"/api/v1/{what}", False), (f"/api/v1/{what}", True)] == at_once
        assert [at_once[0]] == asked[2:]
        local.app.close()


@pytest.mark.parametrize("front", [["--url", "{}"], ["--url={}"], ["--app=no:app", "--url", "{}"]])
def test_the_address_may_stand_in_front_of_the_command(shop, front):
    """Where many people write it; the words of a task stay where they are."""
    words = [word.format(shop.address) for word in front]
    variables = {"ROTULUS_TOKEN": TOKEN}
    job = CliRunner().invoke(main, [*words, "enqueue", "shout", "--", "-a"], env=variables)
    assert 0 == job.exit_code, job.output
    listed = CliRunner().invoke(main, [*words, "ls", "jobs"], env=variables)
    assert job.stdout.strip() in listed.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--json ls jobs", "--url, --app, --version and --help may stand there"),
        ("--url https://jobs.example.com", "'--url' needs a value, and a command behind it"),
        ("--url https://jobs.example.com --help", "needs a value, and a command behind it"),
        ("--app", "'--app' needs a value, and a command behind it"),
        ("--url sqlite:///a.db cron preview @daily", "No such option '--url'"),
        ("--url sqlite:///a.db ls jobs --url sqlite:///b.db", "'--url' stands in front of the"),
        ("--url sqlite:///a.db ls jobs --state", "Option '--state' requires an argument"),
        ("--url=sqlite:///a.db failures show", "Missing argument 'GROUP'"),
        ("--url sqlite:///a.db lss jobs", "No such command 'lss'; did you mean 'ls'?"),
        ("--app shop:app worker", "the app is an argument, as in 'main worker MODULE:APP'"),
    ],
)
def test_options_that_a_command_has_not_are_refused_in_front_of_it_too(words, says):
    """With the place where they may stand."""
    assert says in told(*words.split(), code=2)
