"""The example of Django: a page that enqueues, with a worker, and with pushes of Pub/Sub."""

import os
import re
import signal
import subprocess
import sys
import threading
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
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with Program(command, env=environment, **pipes) as program:
        said = []
        for line in program.stdout:
            said.append(line)
            if found := re.match(r"The newsletter: (\S+)", line):
                break
        assert found, said
        rest = threading.Thread(target=lambda: said.extend(program.stdout))
        rest.start()
        yield found[1]
        program.send_signal(signal.SIGINT)
        rest.join(PATIENCE)
    assert program.returncode == 0, said


def until(found):
    """Wait until something is found."""
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end


def test_whoever_subscribes_gets_a_letter(page):
    """From a task that was stored with the row; a wrong address stores nothing."""
    transport = httpx.HTTPTransport(retries=12)  # each waits twice as long: the server starts
    options = {"base_url": page, "follow_redirects": True, "timeout": PATIENCE}
    with httpx.Client(transport=transport, **options) as client:
        first = client.get("/").text
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
