"""The built console, for the tests that look at it; and where it cannot be built, a word why not."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import expect, sync_playwright

import rotulus.service.protection as protecting
from rotulus.console.files import BUILT
from rotulus.service.principal import Principal

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def built():
    """The folder with the files of the console, made by `make console`."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT TESTED: the console, which is built with Node 20.19 or newer and npm")
    folder = ROOT / "console" / "build"
    folder.mkdir(exist_ok=True)
    # One process at a time builds in a checkout, whoever began its session of tests.
    command = ["flock", str(folder / "lock"), str(ROOT / "scripts" / "console"), sys.executable]
    made = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if made.returncode == 3:
        pytest.skip(f"NOT TESTED: the console: {made.stderr.strip()}")
    assert made.returncode == 0, made.stdout + made.stderr
    return BUILT


expect.set_options(timeout=20_000)  # a machine may be busy with other tests

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def chromium(built):
    """A browser without windows.

    Playwright keeps an event loop running in this thread, in which no other test could run one: so
    the browser ends with the tests that look at it.
    """
    if CHROMIUM is None:
        pytest.skip("NOT TESTED: the console in a browser, which needs Chromium")
    with sync_playwright() as playwright:
        # Debian's script of that name writes a line to stderr where memory is ample.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens pages: each notes its errors and its requests, and a test fails if one had an error.

    Errors that have the text `page.expected` are expected.
    """
    contexts, pages, errors = [], [], []

    def told(said):
        return f"{said.text} {said.location.get('url', '')}"

    def make(*, width=1440, height=900, theme="light", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, **options
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.asked, page.expected, page.open = [], "", set()
        pages.append(page)
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("request", lambda request: page.open.add(request))
        page.on("requestfinished", lambda request: page.open.discard(request))
        page.on("requestfailed", lambda request: page.open.discard(request))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and errors.append(told(said)))
        page.errors = errors
        return page

    yield make
    for context in contexts:
        context.close()
    expected = [page.expected for page in pages if page.expected]
    assert [] == [text for text in errors if not any(one in text for one in expected)]


BUSY = """() => new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(() => shown(
  document.querySelector('[aria-busy="true"]') !== null
))))"""
"""Whether a part of a page waits for what it shows; two frames later."""


def settle(page):
    """Wait until all that a page has asked for has come, and is shown."""
    waits = True
    while waits:
        waits = page.evaluate(BUSY) or any("/changes" not in one.url for one in page.open)


@pytest.fixture
def sent_by(monkeypatch):
    """Makes every request one of a sender with a role."""

    def make(role):
        async def authorised(*_):
            return Principal("anna", role)

        monkeypatch.setattr(protecting, "authorised", authorised)

    return make


class Server:
    """A server of an application in a thread, which can go away and come back."""

    def __init__(self, make):
        self._make = make
        self._port = 0
        self.start()

    def start(self):
        """Begin to serve, at the same port as before."""
        ends = {"timeout_graceful_shutdown": 1, "log_config": None, "ws": "none"}
        config = uvicorn.Config(self._make(), port=self._port, **ends)
        self._listening = config.bind_socket()
        self._listening.listen()  # who comes early waits
        self._port = self._listening.getsockname()[1]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=[[self._listening]])
        self._thread.start()

    def stop(self):
        """Serve no more."""
        self._server.should_exit = True
        self._thread.join()
        self._listening.close()

    @property
    def address(self):
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"


@pytest.fixture
def serve():
    """Serves what a function makes; returns the server."""
    running = []

    def start(make):
        running.append(Server(make))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def address(shop, serve):
    """Where the console is, without a worker."""
    return f"{serve(lambda: shop.service(worker=False)).address}/console"
