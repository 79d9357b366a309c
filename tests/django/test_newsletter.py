"""The example of Django: a page that enqueues, with a worker, and with pushes of Pub/Sub."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from programs import Program

pytestmark = pytest.mark.anywhere

RUN = Path(__file__).parents[2] / "examples" / "newsletter" / "run.py"
PATIENCE = 60


@pytest.fixture(params=["worker", "push"])
def page(request, tmp_path):
    """The address of the page, whose tasks are run by a worker, or by pushes."""
    command = [sys.executable, RUN, "--port", "0"]
    command += ["--push"] if request.param == "push" else []
    environment = os.environ | {"NEWSLETTER_FOLDER": str(tmp_path)}
    log = tmp_path / "log.txt"
    with (
        log.open("w") as output,
        Program(command, env=environment, stdout=output, stderr=subprocess.STDOUT) as program,
    ):
        yield until(lambda: re.search(r"The newsletter: (\S+)", log.read_text()), log)[1]
        program.send_signal(signal.SIGINT)
    assert program.returncode == 0, log.read_text()


def until(found, log=None):
    """What is found before long."""
    end = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < end, log and log.read_text()
        time.sleep(0.1)
    return answer


def asked(client):
    """The page; None while the server does not listen yet."""
    try:
        return client.get("/").text
    except httpx.TransportError:
        return None


def test_whoever_subscribes_gets_a_letter(page):
    """From a task that was stored with the row; a wrong address stores nothing."""
    with httpx.Client(base_url=page, follow_redirects=True, timeout=PATIENCE) as client:
        first = until(lambda: asked(client))
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', first)[1]

        def subscribe(address):
            told = {"csrfmiddlewaretoken": token, "address": address}
            return client.post("/", data=told).text

        assert "None yet. Subscribe" in first
        assert "Enter a valid email address" in subscribe("nobody")
        assert "send_welcome" not in client.get("/").text

        subscribe("ada@example.org")
        until(lambda: "SUCCESSFUL" in client.get("/").text)

        shown = client.get("/").text
        assert 1 == shown.count("<td>ada@example.org</td><td>Welcome</td>")
        assert 1 == shown.count("send_welcome")
