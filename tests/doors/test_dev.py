"""`rotulus dev`: what starting again would not mend is waited out."""

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from doors.terminals import shown

pytestmark = pytest.mark.anywhere

APP = "from rotulus import App, task\napp = App({url!r})\n@task\ndef f(): ...\n"


@pytest.fixture
def dev(tmp_path):
    """Starts `rotulus dev` with an app on a store, and waits for words of it."""
    started = []

    def start(url, *options):
        (tmp_path / "shop.py").write_text(APP.format(url=url))
        command = [sys.executable, "-u", "-m", "rotulus", "dev", "shop:app", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def until(process, words):
    """The lines that it says up to one with these words."""
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return said
    raise AssertionError(said)


def test_a_store_that_cannot_be_reached_is_waited_out(dev):
    """Until a file changes; and SIGTERM is no failure."""
    process = dev("postgresql://127.0.0.1:9/none")
    said = until(process, "Waiting for a change.")

    assert [] == [line for line in said if "starting again" in line]
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(20)


def test_tables_that_are_missing_are_offered(dev, database):
    """Where nobody can answer, it says what makes them; and with --migrate it makes them."""
    process = dev(database)
    said = until(process, "Waiting for a change.")
    assert "'rotulus migrate --app shop:app' makes the tables" in said[-1]
    assert [] == [line for line in said if "starting again" in line]
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(20)

    process = dev(database, "--migrate")
    until(process, "serves all queues")
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(20)


SLOW = "import sys, time\ntime.sleep(60 if 'serve' in sys.argv else 3)\n"


@pytest.mark.parametrize("slow", ["", SLOW], ids=["quick", "slow"])
def test_ctrl_c_at_the_offer_is_an_interruption(database, tmp_path, slow):
    """The tables are not made; nor does a server answer that was begun beside a slow worker."""
    (tmp_path / "shop.py").write_text(slow + APP.format(url=database))
    lines, code = shown(80, "dev", "shop:app", question="now? [y/N]", answer="\x03")

    assert 130 == code
    assert "Interrupted: nothing was done." == lines[-1]
    assert "Interrupted." not in lines


def test_the_app_is_served_beside_the_worker(dev, tmp_path):
    """Both start again when a file changes, and both stop."""
    process = dev("sqlite:///jobs.db", "--port", "0")
    for _ in range(2):
        [*_, told] = until(process, "Serving http://")
        with urllib.request.urlopen(told.split()[-1] + "/health/ready", timeout=30) as answer:
            assert 200 == answer.status
        (tmp_path / "other.py").write_text(told)
    until(process, "other.py has changed")
    [*_, told] = until(process, "Serving http://")
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(20)
    with pytest.raises(OSError):
        urllib.request.urlopen(told.split()[-1] + "/health/ready", timeout=30)


def test_nothing_is_served_that_nobody_wants(dev):
    """Nor does a port that is taken stop the worker."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = dev("sqlite:///jobs.db", "--port", str(taken.getsockname()[1]))
        said = until(process, "Cannot listen at 127.0.0.1")
    assert process.poll() is None
    assert [line for line in said if "serves all queues" in line]
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait(20)


def test_the_console_is_opened_in_a_browser_once(dev, tmp_path, monkeypatch):
    """And not again when a file has changed; without a server there is nothing to open."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    process = dev("sqlite:///jobs.db", "--open", "--port", "0")
    address = until(process, "Console http")[-1].split()[-1]
    (tmp_path / "shop.py").write_text(APP.format(url="sqlite:///other.db"))
    until(process, "Console http")

    assert [address] == opened.read_text().splitlines()
    refused = dev("sqlite:///jobs.db", "--open", "--no-serve")
    assert "--no-serve" in until(refused, "--open")[-1]
    assert 2 == refused.wait(20)
