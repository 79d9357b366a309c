"""The landing page in a real browser: its script runs, and nothing else does."""

import shutil
import subprocess
import threading

import pytest
import uvicorn
from fastapi import FastAPI

from rotulus import App, TaskRegistry, task
from rotulus.service.landing import make_landing_router
from rotulus.service.router import TaskRouter
from rotulus.service.state import ServiceInfo, ServiceState
from service.test_landing import HOSTILE, Page, within

pytestmark = pytest.mark.anywhere

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def serve():
    """Serves an application on a free port in a thread; its address."""
    running = []

    def start(app):
        ends = {"lifespan": "off", "timeout_graceful_shutdown": 5}
        config = uvicorn.Config(app, port=0, log_config=None, **ends)
        listening = config.bind_socket()
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=[[listening]])
        thread.start()
        running.append((server, thread, listening))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for server, thread, listening in running:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def rendered(tmp_path):
    """What a browser has made of an address, after its scripts have run."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")

    def render(address):
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000"]
        told = subprocess.run([*command, address], capture_output=True, text=True, timeout=120)
        assert told.returncode == 0, told.stderr
        return Page(told.stdout).root

    return render


def test_a_task_opens_with_its_form_and_hostile_text_does_nothing(serve, rendered):
    """The script makes the form, and looks at the health; what tasks say would change the title."""
    corpus = [text.replace("window.owned=", "document.title=") for text in HOSTILE]
    corpus = [text.replace("window.owned = 1", "document.title = 1") for text in corpus]
    registry, asked = TaskRegistry(), []
    for number, text in enumerate(corpus):

        def t(a: str = text, b: list[str] = [text], **more: str): ...

        t.__doc__ = f"{text}\n\n{text}"
        task(f"t{number}", registry=registry, tags=(text,))(t)
    app = FastAPI()
    info = ServiceInfo(display_name="Plain", summary=corpus[1], description=corpus[2])
    app.state.rotulus = ServiceState(App("sqlite://", registry=registry), info)
    app.include_router(TaskRouter.create(registry=registry).router)
    app.include_router(make_landing_router())

    @app.get("/health")
    async def health():
        asked.append("health")
        return {"status": corpus[0]}

    page = rendered(f"{serve(app)}/#task-t2")
    opened = [task for task in page.find("details", class_="task") if "open" in task.attributes]
    forms = [form for form in page.find("form") if not within(form, "template")]

    assert [title.text for title in page.find("title")] == ["Plain"]
    assert [task.attributes["data-task"] for task in opened] == ["t2"]
    assert [form.attributes["data-task"] for form in forms] == ["t2"]
    assert len(page.find("script")) == 1
    assert page.find("img") == page.find("svg") == page.find("b") == []
    assert page.find("span", id="health")[0].text == corpus[0]
    assert asked
    assert "hidden" not in page.find("div", id="picking")[0].attributes
