"""The landing page shows every task with its form, and nothing that a task says is ever run."""

import datetime as dt
import enum
import json
import re
import uuid
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.testclient import TestClient

import rotulus.service.landing
import rotulus.workflow as wf
from rotulus import App, Job, TaskRegistry, task
from rotulus._app.inline import InlineCalls
from rotulus.service import Auth, Database
from rotulus.service.landing import make_landing_router
from rotulus.service.landing.fields import fields_of
from rotulus.service.landing.markup import element, prose
from rotulus.service.router import TaskRouter
from rotulus.service.state import ServiceInfo, ServiceState

ASSETS = Path(rotulus.service.landing.__file__).parent
VOID = {"meta", "link", "input"}
HOSTILE = [
    "<script>window.owned = 1</script>",
    "</script><script>window.owned = 1</script>",
    "</template></details></textarea></select><img src=x onerror='window.owned = 1'>",
    '"><svg onload="window.owned = 1">',
    "' autofocus onfocus='window.owned = 1",
    "javascript:window.owned=1",
    "<!--<script>window.owned = 1//-->",
    "<style>@import 'http://example.com/x.css'</style>",
    "&lt;script&gt;window.owned = 1&lt;/script&gt;",
    "`<b onclick=x>`",
    "[x](javascript:window.owned=1) [x](JavaScript:1) [x](data:text/html,1) [x](\tjavascript:1)",
    "\x00<scr\x00ipt>\u202e\x85",
    "${window.owned = 1} {{constructor.constructor('window.owned = 1')()}}",
]


class Node:
    """An element of a parsed page."""

    def __init__(self, name, attributes, parent=None):
        self.name, self.attributes, self.parent = name, attributes, parent
        self.children = []

    def walk(self):
        """The node and all below it."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def find(self, name=None, **attributes):
        """The nodes below with a name and with attributes."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            node
            for node in self.walk()
            if (name is None or node.name == name)
            and all(node.attributes.get(key, ...) == value for key, value in wanted.items())
        ]

    @property
    def text(self):
        """What stands in it."""
        return "".join(c.text if isinstance(c, Node) else c for c in self.children)


class Page(HTMLParser):
    """Reads a page into a tree, and refuses one whose elements do not close as they opened."""

    def __init__(self, html):
        super().__init__()
        self.root = self.at = Node("", {})
        self.feed(html)
        self.close()
        assert self.at is self.root

    def handle_starttag(self, tag, attrs):
        node = Node(tag, dict(attrs), self.at)
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag):
        assert tag == self.at.name
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)


class Colour(enum.Enum):
    """What a picture is framed in."""

    RED = "red"
    BLUE = "blue"


class Crop(BaseModel):
    """What is cut out of a picture."""

    left: int = 0
    sides: list[str] = []


def service(registry, info=None, *, auth=None, **options):
    """An application that executes and enqueues the tasks of a registry, and has their page."""
    app = FastAPI(**options)
    if info is not None:
        app.state.rotulus = ServiceState(App("sqlite://", registry=registry), info, auth=auth)

    app.include_router(TaskRouter.create(registry=registry).router)
    app.include_router(make_landing_router(registry))
    return app


def shown(app, path="/"):
    """The page of an application, read."""
    answer = TestClient(app).get(path)
    assert answer.status_code == 200
    return Page(answer.text).root


@pytest.fixture
def registry():
    """Tasks of no one else."""
    return TaskRegistry()


@pytest.fixture
def fields(registry):
    """Makes the fields of a function, by their names."""

    def make(function):
        task("t", registry=registry)(function)
        shape = InlineCalls(registry, {}, {}).shape("t")
        return {field.name: field for field in fields_of(shape.arguments, registry.get_info("t"))}

    return make


def test_every_type_has_its_control(fields):
    """What has none is written as JSON."""

    def t(
        text: str,
        lines: str = "a\nb",
        whole: int = 3,
        real: float = 0.5,
        flag: bool = True,
        moment: dt.datetime | None = None,
        day: dt.date | None = None,
        time: dt.time | None = None,
        word: Literal["a", "b"] = "a",
        colour: Colour = Colour.RED,
        perhaps: bool | None = None,
        price: Decimal = Decimal("1.5"),
        crop: Crop | None = None,
        steps: list[int] = [1, 2],
        anything=None,
        key: uuid.UUID | None = None,
    ): ...

    kinds = {name: field.kind for name, field in fields(t).items()}

    assert kinds == {
        "text": "text", "lines": "lines", "whole": "integer", "real": "number", "flag": "flag",
        "moment": "moment", "day": "day", "time": "time", "word": "choice", "colour": "choice",
        "perhaps": "choice", "price": "scalar", "crop": "json", "steps": "json",
        "anything": "json", "key": "text",
    }  # fmt: skip


def test_a_default_is_filled_in_or_shown(fields):
    """A control holds what JSON can say, and Python's text tells the rest."""

    def t(
        name: str = 'Wör"ld',
        whole: int = -3,
        flag: bool = True,
        word: Literal["a", "b", 3] = 3,
        colour: Colour = Colour.BLUE,
        steps: list[int] = [1, 2],
        note: str | None = None,
        price: Decimal = Decimal("1.5"),
    ): ...

    found = {name: (field.initial, field.default) for name, field in fields(t).items()}

    assert found == {
        "name": ('Wör"ld', None),
        "whole": ("-3", None),
        "flag": ("true", None),
        "word": ("3", None),
        "colour": ("", "<Colour.BLUE: 'blue'>"),
        "steps": ("[1, 2]", None),
        "note": ("", None),
        "price": ("", "Decimal('1.5')"),
    }


def test_choices_are_json(fields):
    """The label is for people; one that stands for no value keeps the default."""

    def t(must: Literal["a", 1], colour: Colour = Colour.RED, perhaps: bool | None = None): ...

    found = {n: [(c.value, c.label) for c in f.choices] for n, f in fields(t).items()}

    assert found == {
        "must": [("", "Choose …"), ('"a"', "a"), ("1", "1")],
        "colour": [("", "The default"), ('"red"', "red"), ('"blue"', "blue")],
        "perhaps": [("true", "yes"), ("false", "no"), ("null", "nothing")],
    }


def test_limits_and_descriptions_come_from_the_type(fields):
    """Those that a browser can check as it does."""

    def t(
        width: Annotated[int, Field(gt=15, le=99, description="In pixels.")],
        name: Annotated[str, Field(min_length=2, max_length=5)],
        crop: Crop,
    ): ...

    found = fields(t)

    assert found["width"].limits == {"min": "16", "max": "99", "step": "1"}
    assert found["width"].description == "In pixels."
    assert found["name"].limits == {"minlength": "2", "maxlength": "5"}
    assert found["crop"].description == "What is cut out of a picture."
    assert json.loads(found["crop"].schema)["properties"].keys() == {"left", "sides"}


class Branch(BaseModel):
    """A type within itself."""

    twigs: "list[Branch]" = []


def test_a_type_within_itself_is_shown_with_its_definition(fields):
    """The schema stands on its own."""

    def t(branch: Branch, more: list[Branch]): ...

    found = fields(t)

    assert {"branch": "object", "more": "list"} == {n: f.words for n, f in found.items()}
    assert "Branch" in json.loads(found["more"].schema)["$defs"]


def test_the_page_shows_a_task_whole(registry):
    """Its name, text, tags and signature to read; its form where a script will open it."""

    def greet(name: str, times: int = 2) -> str:
        """Greet somebody.

        More than `once`.
        """

    rotulus.task("mail.greet", registry=registry, tags=("mail", "demo"))(greet)
    page = shown(service(registry, title="Mail", version="2.0"))
    (task,) = page.find("details", class_="task")
    (form,) = task.find("template")[0].find("form")

    assert [h.text for h in page.find("h1")] == ["Mail"]
    assert "2.0" in [node.text for node in page.find("span", class_="version")]
    assert task.attributes["data-task"] == "mail.greet"
    assert task.attributes["data-tags"] == '["mail", "demo"]'
    assert "(name: str, times: int = 2) -> str" in task.text
    assert [node.text for node in task.find("code") if node.parent.name == "p"] == ["once"]
    assert [dt.text for dt in task.find("dl", class_="reading")[0].find("dt")] == ["name", "times"]
    assert [b.attributes["data-do"] for b in form.find("button")] == [
        "execute", "enqueue", "curl", "raw",
    ]  # fmt: skip
    assert page.find("body")[0].attributes["data-tasks"] == "/api/v1/tasks"
    assert page.find("button", data_tag='"mail"')


def test_every_control_has_a_label_and_its_hint(registry):
    """Each id is there once, and each reference leads to one."""
    for number in range(3):

        def t(a: str, b: bool = False, c: list[int] = [], d: Literal["x"] = "x"): ...

        task(f"t{number}", registry=registry)(t)
    page = shown(service(registry))
    ids = [node.attributes["id"] for node in page.walk() if "id" in node.attributes]
    controls = [n for n in page.walk() if n.name in ("input", "select", "textarea")]
    labelled = [label.attributes["for"] for label in page.find("label")]
    described = [i for c in controls for i in c.attributes.get("aria-describedby", "").split()]

    assert len(ids) == len(set(ids))
    assert sorted(c.attributes["id"] for c in controls) == sorted(labelled)
    assert set(described) <= set(ids)
    assert len(controls) == 1 + 3 * 5


def test_a_workflow_is_enqueued_only(registry):
    """Its steps run in workers."""
    with wf.WorkflowBuilder("nightly", registry=registry):

        @wf.task(id="fetch")
        def fetch(context):
            return context

    (task,) = shown(service(registry)).find("details", class_="task", data_task="nightly")

    assert "workflow" in task.find("summary")[0].text
    assert "execute" not in [b.attributes["data-do"] for b in task.find("button")]


def test_a_task_that_cannot_be_called_says_why(registry):
    """The others have their forms."""

    def broken(reader: "io.BufferedReader"): ...  # noqa: F821 - it cannot be resolved

    def whole(): ...

    task("broken", registry=registry)(broken)
    task("whole", registry=registry)(whole)
    first, second = shown(service(registry)).find("details", class_="task")

    assert "Cannot be called here: " in first.text
    assert "reader" in first.text
    assert not first.find("form")
    assert second.find("form")


def test_what_the_framework_fills_in_is_no_field(registry):
    """Whether there is a database or not: the page describes tasks, and calls none."""

    def t(name: str, database: Database, session: AsyncSession, job: Job[Any]): ...

    task("t", registry=registry)(t)
    page = shown(service(registry))

    assert ["name"] == [
        n.attributes["data-field"] for n in page.walk() if "data-field" in n.attributes
    ]


def test_without_a_task_the_page_teaches(registry):
    """How to declare one."""
    page = shown(service(registry))

    assert [h.text for h in page.find("h2")] == ["No task yet"]
    assert "@task(name=" in page.text
    compile(page.find("pre")[0].text, "example", "exec")


def test_links_lead_to_what_is_there(registry):
    """And to nothing else."""

    async def there(): ...

    bare = FastAPI(docs_url=None, openapi_url=None)
    bare.include_router(make_landing_router(registry))
    rich = service(registry)
    for path in ("/metrics", "/health", "/api/v1/jobs"):
        rich.add_api_route(path, there)

    assert [a.attributes["href"] for a in shown(bare).find("a")] == ["#tasks"]
    assert [a.attributes["href"] for a in shown(rich).find("a")] == [
        "#tasks", "/docs", "/openapi.json", "/api/v1/jobs", "/metrics", "/health",
    ]  # fmt: skip
    assert "data-jobs" not in shown(bare).find("body")[0].attributes
    assert shown(rich).find("body")[0].attributes["data-health"] == "/health"


@pytest.mark.parametrize("root", ["/pictures", "/pictures/", "//pictures"])
def test_behind_a_proxy_links_begin_with_its_path(registry, root):
    """With one slash: two would lead to another host."""
    page = Page(TestClient(service(registry), root_path=root).get("/").text).root

    assert [a.attributes["href"] for a in page.find("a")][1:] == [
        "/pictures/docs",
        "/pictures/openapi.json",
    ]
    assert page.find("body")[0].attributes["data-tasks"] == "/pictures/api/v1/tasks"


def test_below_a_mount_links_begin_with_its_path(registry):
    """As behind a proxy."""
    outer = FastAPI()
    outer.mount("/inner", service(registry))

    assert shown(outer, "/inner/").find("a", href="/inner/docs")


def test_a_prefix_of_ones_own_is_found(registry):
    """Wherever the router of the tasks was included."""
    app = FastAPI()
    app.include_router(TaskRouter.create(prefix="/run", registry=registry).router)
    app.include_router(make_landing_router(registry), prefix="/home")
    body = shown(app, "/home/").find("body")[0]

    assert body.attributes["data-tasks"] == "/run"


def test_nothing_runs_that_the_page_did_not_bring(registry):
    """The policy says so, with a nonce of each answer."""
    client = TestClient(service(registry))
    policies = []
    for _ in range(2):
        answer = client.get("/")
        policy = answer.headers["content-security-policy"]
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
        page = Page(answer.text).root
        policies.append(policy)

        assert {s.attributes["nonce"] for s in page.find("script") + page.find("style")} == {nonce}
        assert "default-src 'none'" in policy
        assert "connect-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    assert policies[0] != policies[1]


def test_nothing_comes_from_elsewhere():
    """No address of another host in what the page brings, and no handler in an attribute."""
    told = "".join(path.read_text() for path in ASSETS.iterdir() if path.suffix in (".css", ".js"))

    assert not re.search(r"https?:|//[a-z]+\.[a-z]|@import|\burl\(|@font-face", told)
    assert "innerHTML" not in told
    assert "insertAdjacentHTML" not in told
    assert "eval(" not in told
    assert "</" not in told
    assert [] == [p for p in ASSETS.glob("*.js") if len(p.read_text().splitlines()) >= 400]


TEXT_ON = [
    ("ink", "paper"), ("ink", "code"), ("quiet", "paper"), ("quiet", "sheet"), ("quiet", "code"),
    ("rubric", "paper"), ("rubric", "sheet"), ("rubric-strong", "paper"), ("on-rubric", "rubric"),
    ("on-rubric", "rubric-strong"), ("good", "good-back"), ("bad", "bad-back"), ("bad", "sheet"),
]  # fmt: skip


def luminance(colour):
    """How bright a colour is to the eye, as WCAG 2 has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Of two colours, by the same."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme):
    """Text has a contrast of 4.5, and the edge of a control one of 3."""
    styles = (ASSETS / "page.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", styles, re.DOTALL)
    told = re.findall(r"--([\w-]+): (#\w{6});", dark if scheme == "dark" else light)
    colours = dict(told)

    low = [(a, b) for a, b in TEXT_ON if contrast(colours[a], colours[b]) < 4.5]
    assert [] == low
    assert min(contrast(colours["edge"], colours[b]) for b in ("paper", "sheet")) >= 3


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(registry, text):
    """In names, tags, docstrings, defaults, choices, descriptions, and what the service says."""

    def t(
        a: str = text,
        b: Literal["x", text] = text,
        c: Annotated[str, Field(description=text)] = "x",
        d: list[str] = [text],
        e: Any = SimpleNamespace(text=text),
        **more: str,
    ): ...

    t.__doc__ = f"{text}\n\n{text}"
    task("t", registry=registry, tags=(text, "b"))(t)
    info = ServiceInfo(display_name=text, version=text, summary=text, description=text)
    page = shown(service(registry, info))
    plain = Page(TestClient(service(TaskRegistry())).get("/").text).root

    assert {node.name for node in page.walk()} <= {
        "", "html", "head", "meta", "title", "link", "style", "body", "header", "a", "div", "h1",
        "span", "p", "code", "nav", "ul", "li", "main", "h2", "label", "input", "button", "details",
        "summary", "pre", "dl", "dt", "dd", "template", "form", "select", "option", "textarea",
        "script",
    }  # fmt: skip
    assert [n.text for n in page.find("script")] == [n.text for n in plain.find("script")]
    assert [n.text for n in page.find("style")] == [n.text for n in plain.find("style")]
    for node in page.walk():
        assert not [key for key in node.attributes if key.startswith("on") or key == "style"]
        assert not node.attributes.get("href", "").startswith("javascript")
    shown_text = re.sub("[\x00\x85]", "\N{REPLACEMENT CHARACTER}", text)
    assert page.find("h1")[0].text == shown_text
    assert page.find("option", selected=None)[0].text in (shown_text, text)
    assert page.find("input", data_field="a")[0].attributes["value"] == shown_text


def test_prose_has_code_and_links():
    """To pages of the web, and to those of the service."""
    page = Page(prose("Call `f(x)`.\n\nSee [the *gallery*](/pictures/), [RFC](https://a.b/c#d)."))

    assert [node.text for node in page.root.find("code")] == ["f(x)"]
    assert [(node.text, node.attributes["href"]) for node in page.root.find("a")] == [
        ("the *gallery*", "/pictures/"),
        ("RFC", "https://a.b/c#d"),
    ]
    assert page.root.text == "Call f(x).See the *gallery*, RFC."


@pytest.mark.parametrize("text", HOSTILE)
def test_text_becomes_markup_in_one_place(text):
    """As a child, as an attribute, and in prose."""
    made = element("p", text, [text], prose(text), title=text)
    (node,) = Page(made).root.children

    assert {"p", "code"} >= {inner.name for inner in node.walk()}
    assert node.attributes.keys() == {"title"}


def test_half_a_character_is_none(registry):
    """A page is UTF-8, whatever a docstring holds."""

    def t(): ...

    t.__doc__ = "\ud800<script>"
    task("t", registry=registry)(t)

    assert "\N{REPLACEMENT CHARACTER}<script>" in shown(service(registry)).text


def test_a_token_is_asked_for_and_named_in_commands(registry):
    """The page is for those who know it."""
    app = service(registry, ServiceInfo(display_name="x"), auth=Auth("s3cret-token"))
    client = TestClient(app)
    answer = client.get("/", headers={"Authorization": "Bearer s3cret-token"})

    assert client.get("/").status_code == 401
    assert "data-token" in Page(answer.text).root.find("body")[0].attributes
    assert "s3cret-token" not in answer.text


def test_a_token_of_the_environment_is_named_too(registry, monkeypatch):
    """It is the token of every service of the process."""
    monkeypatch.setenv("ROTULUS_TOKEN", "s3cret-token")
    client = TestClient(service(registry), headers={"Authorization": "Bearer s3cret-token"})

    assert "data-token" in Page(client.get("/").text).root.find("body")[0].attributes


def test_another_host_is_refused(registry):
    """As for every other route."""
    answer = TestClient(service(registry)).get("/", headers={"Host": "evil.example"})

    assert answer.status_code == 403


def test_the_page_is_no_operation_of_the_api(registry):
    """The document lists what programs use."""
    assert "/" not in service(registry).openapi()["paths"]


def test_two_hundred_tasks_are_a_page(registry):
    """Their forms are made when they are opened, so there is no control but the filter."""
    for number in range(200):

        def t(a: str, b: int = 3, c: bool = False) -> str: ...

        task(f"t{number}", registry=registry, tags=(f"tag{number % 7}",))(t)
    answer = TestClient(service(registry)).get("/")
    page = Page(answer.text).root
    live = [
        node
        for node in page.walk()
        if node.name in ("input", "select", "textarea") and not within(node, "template")
    ]

    assert len(page.find("details", class_="task")) == 200
    assert [node.attributes["id"] for node in live] == ["filter"]
    assert len(answer.content) < 800_000


def within(node, name):
    """Whether an element of a name is around a node."""
    while node.parent is not None:
        node = node.parent
        if node.name == name:
            return True
    return False
