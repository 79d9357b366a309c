"""`rotulus serve`: on a port of this machine, and on others' sight of it only with auth."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.anywhere

APP = """
from fastapi import FastAPI
from rotulus import App, task
from rotulus.service import Auth, protect

app = App("sqlite:///jobs.db")

@task(name="add")
def add(a: int, b: int = 1) -> int:
    return a + b

own = FastAPI()

@own.get("/mine")
def mine():
    return "mine"

guarded = FastAPI()
protect(guarded, Auth(dependency=lambda x_key: None))

async def plain(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain"})

class Lame:
    def __call__(self, scope):
        raise ValueError
"""


def command(*words):
    """The words that serve."""
    return [sys.executable, "-u", "-m", "rotulus", "serve", *words]


@pytest.fixture
def shop(tmp_path):
    """A module with an app and applications, in this folder."""
    (tmp_path / "shop.py").write_text(APP)


@pytest.fixture
def served(shop):
    """Starts `rotulus serve` on a free port; the URL, once it can be reached."""
    started = []

    def start(*words, **variables):
        process = subprocess.Popen(
            command(*words, "--port", "0"),
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        started.append(process)
        for line in process.stderr:
            if told := re.search(r"Serving (http://\S+)", line):
                return told[1].replace("0.0.0.0", "127.0.0.1"), process
        raise AssertionError(process.wait())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def get(url, **headers):
    """The status and the text of an answer."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("removed", [True, False])
def test_a_proxy_that_has_it_below_a_path_removes_that_or_not(served, removed):
    """Either way the console and the API are there, and addresses are those of the proxy."""
    url, _ = served("shop:app", "--root-path", "jobs/")
    assert url.endswith("/jobs")
    asked = url.removesuffix("/jobs") if removed else url
    status, page = get(f"{asked}/console/")
    document = json.loads(get(f"{asked}/openapi.json")[1])

    assert 200 == status
    assert "<title>" in page
    assert ["/jobs"] == [server["url"] for server in document["servers"]]
    assert 200 == get(f"{asked}/api/v1/jobs/")[0]


def refusal(*words, **variables):
    """What a server that does not start says; its exit code."""
    told = subprocess.run(
        command(*words), capture_output=True, text=True, env={**os.environ, **variables}
    )
    assert "Traceback" not in told.stderr
    return told.returncode, told.stderr


@pytest.mark.parametrize("name", ["app", "own", "plain"])
def test_without_a_token_no_other_machine_is_served(shop, name):
    """Whatever is served: it refuses to start there, and says what to do."""
    for host in ("0.0.0.0", "::"):
        code, told = refusal(f"shop:{name}", "--host", host)
        assert 3 == code
        assert all(word in told for word in ("ROTULUS_TOKEN", "--token", "protect", "127.0.0.1"))


@pytest.mark.parametrize(("name", "path"), [("own", "/mine"), ("plain", "/")])
def test_an_application_of_ones_own_is_served_and_guarded(served, name, path):
    """To this machine without a token, and not to other names of it."""
    url, process = served(f"shop:{name}")

    assert (200, name.replace("own", '"mine"')) == get(url + path)
    assert 403 == get(url + path, Host="evil.example")[0]
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(30)


@pytest.mark.parametrize("how", ["flag", "variable"])
@pytest.mark.parametrize("name", ["own", "plain"])
def test_with_a_token_it_is_served_everywhere(served, how, name):
    """To those who know it."""
    words, variables = (["--token", "t0"], {}) if how == "flag" else ([], {"ROTULUS_TOKEN": "t0"})
    url, _ = served(f"shop:{name}", "--host", "0.0.0.0", *words, **variables)
    path = "/mine" if name == "own" else "/"

    assert 401 == get(url + path)[0]
    assert 200 == get(url + path, Authorization="Bearer t0")[0]


def test_an_app_is_served_with_a_worker_beside_it(served):
    """With health and metrics; its jobs are run in the same process."""
    url, process = served("shop:app", "--worker", "--token", "t0")
    status, text = get(url + "/health/ready")

    assert (200, {"store": "healthy", "worker": "healthy"}) == (status, json.loads(text)["checks"])
    assert 401 == get(url + "/metrics")[0]
    words = [
        sys.executable,
        "-m",
        "rotulus",
        "enqueue",
        "--app",
        "shop:app",
        "add",
        "a=1",
        "--wait",
    ]
    assert "2" == subprocess.run(words, capture_output=True, text=True).stdout.split()[-1]
    figures = get(url + "/metrics", Authorization="Bearer t0")[1]
    workers = re.findall(r'^rotulus_workers\{state="\w+"\} (\d+)', figures, re.MULTILINE)
    assert 2 == sum(map(int, workers))
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(30)


def test_a_source_that_changes_is_served_anew(served, tmp_path):
    """With --reload; and the token is on no command line."""
    url, process = served("shop:app", "--token", "s3cret-t0", "--reload")
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    child = Path(children).read_text().split()[0]
    assert "s3cret" not in Path(f"/proc/{child}/cmdline").read_text()
    (tmp_path / "other.py").write_text("")
    for line in process.stderr:
        if "Serving" in line:
            break
    assert child != Path(children).read_text().split()[0]
    assert url
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(30)


def test_an_application_that_has_an_auth_is_served_everywhere(served):
    """It was told who may come in."""
    url, _ = served("shop:guarded", "--host", "0.0.0.0")

    assert 422 == get(url + "/")[0]


def migrate():
    """Make the tables of the app."""
    called = [sys.executable, "-m", "rotulus", "migrate", "--app", "shop:app"]
    subprocess.run(called, capture_output=True, check=True)


def tokens(*words):
    """What `rotulus token` prints."""
    called = [sys.executable, "-m", "rotulus", "token", *words, "--app", "shop:app"]
    return subprocess.run(called, capture_output=True, text=True, check=True).stdout.strip()


def test_with_a_stored_token_an_app_is_served_everywhere(served):
    """To those who have one, as the one that was added is; it is asked for until the end."""
    migrate()
    secret = tokens("add", "ci", "--role", "viewer", "--expires", "1h")
    url, process = served("shop:app", "--host", "0.0.0.0")

    assert 401 == get(url + "/api/v1/jobs")[0]
    assert 401 == get(url + "/api/v1/jobs", Authorization="Bearer rot_x")[0]
    status, text = get(url + "/api/v1/me", Authorization=f"Bearer {secret}")
    assert (200, "ci", "viewer") == (status, json.loads(text)["name"], json.loads(text)["role"])
    tokens("rm", "ci")
    end = time.monotonic() + 30
    while 200 == (status := get(url + "/api/v1/jobs", Authorization=f"Bearer {secret}")[0]):
        assert time.monotonic() < end
    assert 401 == status
    assert 401 == get(url + "/api/v1/jobs")[0]
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(30)


def test_a_token_that_lets_nobody_in_is_no_reason_to_serve_others(shop):
    """None, or one that has expired: it refuses to start there, and says how to add one."""
    code, told = refusal("shop:app", "--host", "0.0.0.0")
    assert (3, True) == (code, "rotulus token add" in told)
    migrate()
    tokens("add", "ci", "--expires", "0.001")
    assert 3 == refusal("shop:app", "--host", "0.0.0.0")[0]


def test_a_port_that_is_taken_is_one_clear_line(shop):
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, told = refusal("shop:own", "--port", str(taken.getsockname()[1]))

    assert 3 == code
    assert "in use" in told
    assert "--port" in told
    assert 1 == len(told.splitlines())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["shop:own", "--host", "no.such.host.invalid", "--token", "t"], 3, "no address"),
        (["shop:own", "--worker"], 2, "lifespan=app.lifespan"),
        (["shop:none"], 3, "named 'none'"),
        (["shop:own", "--token", "a b"], 2, "visible ASCII"),
        (["shop:own", "--port", "70000"], 2, "65535"),
        ([], 3, "Which app?"),
    ],
)
def test_what_cannot_be_served_is_said(shop, words, code, says):
    """In words, with an exit code that fits."""
    found, told = refusal(*words)

    assert code == found
    assert says in told.replace(",", "")


@pytest.mark.parametrize("missing", ["uvicorn", "fastapi"])
def test_without_the_extra_it_says_what_to_install(tmp_path, missing):
    """In a line."""
    (tmp_path / "bare.py").write_text("from rotulus import App\napp = App('sqlite:///jobs.db')\n")
    code = f"import sys; sys.modules[{missing!r}] = None; from rotulus.cli.main import main; main()"
    told = subprocess.run(
        [sys.executable, "-c", code, "serve", "bare:app"], capture_output=True, text=True
    )

    assert 3 == told.returncode
    assert "pip install 'rotulus[service]'" in told.stderr
    assert 1 == len(told.stderr.splitlines())
