"""`rotulus dev --push` and `serve --push`: the whole push loop on one machine, and who comes in."""

import json
import os
import subprocess
import sys
import urllib.request

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from doors.wrong import Folder
from programs import Program
from rotulus import App, State, TaskRegistry
from rotulus.errors import ConfigurationError
from rotulus.service import Auth, leave_open, protect

pytestmark = pytest.mark.anywhere

SHOP = """
from rotulus import App, Job, task
from rotulus.pubsub import PubSubCarrier, TaskRoute
app = App("sqlite:///pushed.db")

@task(name="send", timeout=60)
def send(n: int, job: Job) -> int:
    if job.attempt == 1:
        raise OSError("not yet")
    return n * 2

@task(name="idle")
def idle() -> None: ...

app.carry(PubSubCarrier([TaskRoute(send, min_retry_delay=1, max_delivery_attempts=100)]))
"""


def until(process, words):
    """What it says in the line with these words."""
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return line.split()[-1]
    raise AssertionError(said)


@pytest.mark.parametrize("emulator", ["the fake", "google's"])
def test_the_whole_push_loop_runs_on_a_laptop(request, tmp_path, emulator):
    """A job is enqueued, pushed, fails, is pushed again and succeeds; there is no worker."""
    (tmp_path / "pushed.py").write_text(SHOP)
    environment = {
        **os.environ,
        "ROTULUS_TOKEN": "secret",
        "CLOUD_RUN_SERVICE_URL": "https://production.example",
    }
    if emulator == "google's":
        environment["PUBSUB_EMULATOR_HOST"] = request.getfixturevalue("pubsub_emulator").host
        environment["GCP_PROJECT_ID"] = f"dev-{os.getpid()}"
    command = [sys.executable, "-u", "-m", "rotulus", "dev", "pushed:app", "--push", "--port", "0"]
    with Program(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        url = until(process, "Serving ")
        asked = urllib.request.Request(
            f"{url}/api/v1/tasks/send/$enqueue",
            json.dumps({"params": {"n": 4}}).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer secret"},
        )
        job = json.load(urllib.request.urlopen(asked, timeout=30))
        with App(f"sqlite:///{tmp_path / 'pushed.db'}", registry=TaskRegistry()) as app:
            assert 8 == app.get(job["id"]).result(60)
            found = app.get(job["id"])
        assert (State.SUCCEEDED, 2) == (found.state, found.attempt)
        process.terminate()
        process.stderr.read()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an app without routes, and an application."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Folder(tmp_path)
    made.write("plain.py", "from fastapi import FastAPI\napplication = FastAPI()\n")
    yield made
    made.close()


def test_an_app_without_routes_has_no_pushes_to_answer(folder):
    """It is shown how to have some."""
    answer = folder.rotulus("serve", "shop:app", "--push", "--port", "0")

    assert 3 == answer.code
    assert "app.carry(PubSubCarrier([TaskRoute(send_welcome)]))" in answer.text


def test_an_application_of_ones_own_includes_the_router_itself(folder):
    """And is told so."""
    answer = folder.rotulus("serve", "plain:application", "--push", "--port", "0")

    assert 2 == answer.code
    assert "make_push_router(PushHandler(app, routes))" in answer.text


def test_nothing_is_left_open_where_nothing_is_protected():
    """It would be a mistake to believe that there were a guard."""
    with pytest.raises(ConfigurationError, match="protect"):
        leave_open(FastAPI(), "/tasks/pubsub/")


def test_open_paths_are_let_by_the_guard_and_no_others():
    """What answers there checks by itself who asks."""
    service = FastAPI()
    for path in ("/tasks/pubsub/", "/tasks/other"):
        service.add_api_route(path, lambda: "in", methods=["POST"])
    protect(service, Auth(token="secret"))
    leave_open(service, "/tasks/pubsub/")
    client = TestClient(service)

    assert 200 == client.post("/tasks/pubsub/").status_code
    assert 401 == client.post("/tasks/other").status_code
    assert 401 == client.post("/tasks/pubsub/more").status_code
