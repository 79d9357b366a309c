"""The API and the console behind Django's own login, on a server of WSGI and on one of ASGI."""

import base64
import json
import re
import subprocess
import sys

import httpx2
import pytest

pytest.importorskip("fastapi")

from django_site import TASKS, Site

pytestmark = pytest.mark.anywhere

URLS = """
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("rotulus/", include("rotulus.django.urls")),
]
"""

SERVERS = {
    "wsgi": """
import os, sys, threading
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server
from django.core.wsgi import get_wsgi_application
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
server = make_server("127.0.0.1", 0, get_wsgi_application(), Server)
print(server.server_port, flush=True)
server.serve_forever()
""",
    "asgi": """
import asyncio, os, socket
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
import uvicorn
from django.core.asgi import get_asgi_application
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(get_asgi_application(), log_level="warning", lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
""",
}

USERS = """
from django.contrib.auth.models import Permission, User
words = {"vera": ["view_taskexecution"], "otto": ["view_taskexecution", "change_taskexecution"], "stan": []}
for name, codes in words.items():
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
User.objects.create_superuser("ada", password="x")
User.objects.create_user("paul", password="x")
"""


class Behind:
    """A project with its server, and clients of it."""

    def __init__(self, site, server, urls=URLS):
        self.clients = []
        site.write("site_urls.py", urls)
        for words in (["migrate"], ["shell", "-c", USERS]):
            subprocess.run(
                site.command(*words), cwd=site.folder, capture_output=True, text=True, check=True
            )
        self.process = subprocess.Popen(
            [sys.executable, "-c", server], cwd=site.folder, stdout=subprocess.PIPE, text=True
        )
        self.address = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def client(self, name=None):
        """A client that somebody has logged in with, or that nobody has."""
        made = httpx2.Client(base_url=self.address, timeout=30)
        self.clients.append(made)
        if name is not None:
            made.get("/admin/login/")
            told = {"csrfmiddlewaretoken": made.cookies["csrftoken"]}
            told |= {"username": name, "password": "x", "next": "/rotulus/"}
            answer = made.post("/admin/login/", data=told)
            assert name == "paul" or answer.status_code == 302, answer.text
        return made

    def enqueue(self):
        """The id of a new job."""
        body = {"params": {"text": "hello"}}
        answer = self.client("otto").post(
            "/rotulus/api/v1/tasks/shop.tasks.note/$enqueue", json=body
        )
        assert 202 == answer.status_code, answer.text
        return answer.json()["id"]

    def leave(self):
        """End its clients."""
        while self.clients:
            self.clients.pop().close()

    def close(self):
        """End the server, and its clients."""
        self.leave()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    """A project on a server of a kind, which takes seconds to begin: for all tests here."""
    folder = tmp_path_factory.mktemp("behind")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "shop.db")}
    made = Behind(
        Site(folder / "project", database, more="ALLOWED_HOSTS = ['*']"), SERVERS[request.param]
    )
    yield made
    made.close()


@pytest.fixture
def behind(server):
    """That project, with clients of a test's own."""
    yield server
    server.leave()


@pytest.fixture
def job(behind):
    """The id of a new job of the project."""
    return behind.enqueue()


def test_staff_look_and_steer_as_their_permissions_say(behind, job):
    """A viewer looks, an operator steers, a superuser sees the audit, with the user's name."""
    vera, otto, ada = (behind.client(name) for name in ("vera", "otto", "ada"))
    path = f"/rotulus/api/v1/jobs/{job}"
    assert ("queued", 200) == (vera.get(path).json()["state"], vera.get(path).status_code)
    refused = vera.post(f"{path}/$cancel")
    assert (403, "role_needed") == (refused.status_code, refused.json()["code"])
    assert ("viewer", "vera") == tuple(
        vera.get("/rotulus/api/v1/me").json()[name] for name in ("role", "name")
    )
    assert "cancelled" == otto.post(f"{path}/$cancel").json()["state"]
    assert 403 == otto.get("/rotulus/api/v1/audit").status_code
    entry = ada.get("/rotulus/api/v1/audit").json()["items"][0]
    assert job == entry["target"]
    assert ("otto", "django", "jobs.cancel") == tuple(
        entry[name] for name in ("actor", "door", "verb")
    )


def test_nobody_else_is_let_in(behind):
    """A person is led to the login, a program told; staff without the permission neither."""
    nobody, paul, stan = behind.client(), behind.client("paul"), behind.client("stan")
    led = nobody.get("/rotulus/console/")
    assert (302, "/admin/login/?next=/rotulus/console/") == (
        led.status_code, led.headers["location"]
    )  # fmt: skip
    asked = [one.get("/rotulus/api/v1/jobs") for one in (nobody, paul, stan)]
    assert [401, 401, 403] == [answer.status_code for answer in asked]
    assert {"application/problem+json"} == {answer.headers["content-type"] for answer in asked}
    assert 404 == nobody.get("/rotulus/apix/v1/jobs").status_code


def test_a_page_of_another_site_steers_nothing(behind, job):
    """Though the browser sends the cookie of the login."""
    otto = behind.client("otto")
    path = f"/rotulus/api/v1/jobs/{job}/$cancel"
    refused = otto.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert (403, "cross_site") == (refused.status_code, refused.json()["code"])


def test_the_console_and_its_files_are_served(behind):
    """Below the path of the project; or a page that says how they are made."""
    page = behind.client("vera").get("/rotulus/console/")
    assert 200 == page.status_code
    assert "text/html" in page.headers["content-type"]
    assert "default-src" in page.headers["content-security-policy"]


def test_what_happens_is_streamed(behind, job):
    """An event comes while the stream is open; a client that leaves is noticed."""
    vera, otto = behind.client("vera"), behind.client("otto")
    with vera.stream("GET", f"/rotulus/api/v1/jobs/{job}/$stream") as stream:
        lines = stream.iter_lines()
        first = next(line for line in lines if line.startswith("data:"))
        otto.post(f"/rotulus/api/v1/jobs/{job}/$cancel")
        last = next(line for line in lines if line.startswith("data:") and "cancelled" in line)
    assert "queued" == json.loads(first.removeprefix("data:"))["state"]
    assert "cancelled" == json.loads(last.removeprefix("data:"))["state"]


@pytest.mark.usefixtures("job")
def test_tasks_of_django_are_enqueued(behind):
    """By their names, with their arguments checked; large bodies and pages go through whole."""
    otto = behind.client("otto")
    body = {"params": {"text": "x" * 100_000}}
    stored = otto.post("/rotulus/api/v1/tasks/shop.tasks.note/$enqueue", json=body)
    assert 202 == stored.status_code
    assert stored.headers["location"].startswith("/rotulus/api/v1/jobs/")
    found = otto.get(stored.headers["location"]).json()
    assert 100_000 == len(found["arguments"]["text"])
    page = otto.get("/rotulus/api/v1/jobs", params={"limit": 1})
    assert re.match(r"<\?limit=1&after=.*>; rel=\"next\"", page.headers["link"])


PUSHED = """
TASKS = {
    "default": {
        "BACKEND": "rotulus.django.PubSubBackend",
        "OPTIONS": {"project_id": "shop-dev", "insecure_local": True},
    }
}
CLOUD_RUN_SERVICE_URL = "http://127.0.0.1:9"
TASKS_SERVICE_ACCOUNT = "pubsub-invoker@shop-dev.iam.gserviceaccount.com"
PUBSUB_EMULATOR_HOST = "127.0.0.1:9"
ALLOWED_HOSTS = ["*"]
"""


def test_pushes_of_the_process_are_shown(tmp_path):
    """They are taken by the app on Django's connections, which is not the app of the service."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
    site = Site(tmp_path / "project", database, more=PUSHED)
    routes = "\nfrom rotulus.pubsub import TaskRoute\ntasks = [TaskRoute(one) for one in (note, slow, worker_pid)]\n"
    site.write("shop/tasks.py", TASKS + routes)
    urls = URLS.replace("rotulus/", "tasks/")
    behind = Behind(site, SERVERS["wsgi"], urls)
    vera = behind.client("vera")
    wanted = vera.get("/tasks/api/v1/push").json()
    assert ("shop-dev", "127.0.0.1:9") == (wanted["place"]["project"], wanted["place"]["emulator"])
    assert "shop.tasks.note" in {one["task"] for one in wanted["resources"]}

    payload = {"task_name": "note", "args": [], "kwargs": {"text": "pushed"}}
    data = base64.b64encode(json.dumps(payload).encode()).decode()
    message = {"message": {"data": data, "messageId": "7"}, "subscription": "a-sub"}
    assert 200 == behind.client().post("/tasks/pubsub/", json=message).status_code
    [push] = vera.get("/tasks/api/v1/push/$deliveries").json()["items"]
    assert ("local", 200, "7") == (push["verdict"], push["status"], push["message_id"])
    assert 200 == vera.get(f"/tasks/api/v1/jobs/{push['job_id']}").status_code
    behind.close()
