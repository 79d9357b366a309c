"""README and guide: every code block is run, and prints what the page says.

A block that begins with `# name.py` or `# name.toml` is saved under that name. Other Python is
run, page by page in one namespace; a `text` block after it is what it has to print. A `console`
block is run line by line; `...` stands for anything.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from rotulus import current_app, registry
from rotulus._tasks.registry import registered_tasks
from rotulus.errors import NoAppError
from rotulus.service import service_of
from serving import served

pytestmark = pytest.mark.anywhere

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")
INSTALL = re.compile(r"^\$ pip install .*\n", re.MULTILINE)
SERVER = "postgresql://me@localhost/shop"
"""What pages call the database that a test has."""
SERVICE = "https://jobs.example.com"
"""What pages call the service of their app."""


class Block(NamedTuple):
    """One fenced block of a page."""

    kind: str
    text: str
    line: int


def blocks(page, database=SERVER, service=SERVICE):
    """The fenced blocks of a page, in order."""
    source = page.read_text(encoding="utf-8").replace(SERVER, database).replace(SERVICE, service)
    return [
        Block(found[1], found[2], source[: found.start()].count("\n") + 2)
        for found in FENCE.finditer(source)
    ]


def fits(expected, printed):
    """Whether what was printed is what the page says; `...` is anything, spaces count as one."""

    def plain(text):
        return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines())

    pattern = re.sub(r"(\\ )?\\\.\\\.\\\.(\\ )?", ".*?", re.escape(plain(expected)))
    return re.fullmatch(pattern, plain(printed), re.DOTALL)


class Page:
    """Runs the blocks of one page in a folder of its own."""

    def __init__(self, name):
        self.name = name
        self.namespace = {"__name__": "page"}
        self.printed = ""
        scripts = str(Path(sys.executable).parent)
        self.environment = {
            **os.environ,
            "PATH": scripts + os.pathsep + os.environ["PATH"],
            "PYTHONPATH": ".",
            "COLUMNS": "200",
        }

    def run(self, block):
        """Run a block, and hold it to what the page says."""
        saved = SAVED.match(block.text)
        if saved and block.kind in ("python", "toml"):
            path = Path(saved[1])
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text)
        elif block.kind == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(block.text, f"{self.name}:{block.line}", "exec"), self.namespace)
            self.printed = output.getvalue()
        elif block.kind == "text" and self.printed:
            assert fits(block.text, self.printed), self.printed
            self.printed = ""
        elif block.kind == "console":
            self.run_console(INSTALL.sub("", block.text))

    def run_console(self, text):
        for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                self.environment[name] = value
                continue
            told = subprocess.run(
                ["bash", "-c", command],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
            )
            assert fits(expected, told.stdout), f"$ {command}\n{told.stdout}"


@pytest.fixture
def service():
    """The address of a service of the app that is open when it is asked first."""
    made = []

    async def answer(scope, receive, send):
        if not made:
            made.append(service_of(current_app()))
        await made[0](scope, receive, send)

    with served(answer) as server:
        yield server.address


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_runs(page, monkeypatch, tmp_path, request):
    """As it is pasted, with the output that is shown."""
    monkeypatch.syspath_prepend(str(tmp_path))
    text = page.read_text(encoding="utf-8")
    # Not in an environment made before the page was.
    for framework in ("fastapi", "flask", "opentelemetry", "sentry_sdk", "structlog"):
        if re.search(rf"^(from|import) {framework}", text, re.MULTILINE):
            pytest.importorskip(framework)
    needs_one = SERVER in text
    database = request.getfixturevalue("database") if needs_one else SERVER
    service = request.getfixturevalue("service") if SERVICE in text else SERVICE
    tasks, modules = list(registry), set(sys.modules)
    registry.clear()
    runner = Page(page.name)
    try:
        for block in blocks(page, database, service):
            runner.run(block)
    finally:
        for name in set(sys.modules) - modules:
            if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]
        with contextlib.suppress(NoAppError):
            while True:
                current_app().close()
        registry.clear()
        for task in tasks:
            registered_tasks(registry).add(task)


def test_the_readme_begins_with_code_that_runs():
    """By line 15, and no longer than a screen."""
    source = (ROOT / "README.md").read_text()
    lines = source.splitlines()
    first = next(number for number, line in enumerate(lines, 1) if line == "```python")

    assert first <= 15
    assert len(lines) <= 120


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """To a file that exists, in this repository."""
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]

    assert [] == missing


def test_every_test_the_guarantees_name_exists():
    """A promise is held by something."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "docs/guarantees.md").read_text()))

    assert len(named) > 8
    assert [] == [name for name in named if not (ROOT / name).exists()]
