"""The guide as a site: built strictly, whole, and of nothing that is fetched from elsewhere."""

import fcntl
import inspect
import json
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import rotulus
from rotulus.workflow import Run

pytestmark = pytest.mark.anywhere

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
GUIDE = sorted(DOCS.glob("*.md"))
PACKAGES = (
    "rotulus",
    "rotulus.django",
    "rotulus.errors",
    "rotulus.events",
    "rotulus.pubsub",
    "rotulus.service",
    "rotulus.store",
    "rotulus.testing",
    "rotulus.workflow",
    "rotulus_graph",
)
RESOURCES = (
    "img",
    "script",
    "iframe",
    "source",
    "video",
    "audio",
    "embed",
    "object",
    "use",
    "image",
)
"""Elements that load what their `src` or `href` names; a `link` does, too, unless it only tells."""


class Html(HTMLParser):
    """What a page refers to: the links that people follow, what it loads, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], {"", "__skip"}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        target = (
            given.get("src") or given.get("href") or given.get("data") or given.get("xlink:href")
        )
        if tag == "a" and target:
            self.links.append(target)
        elif target and (
            tag in RESOURCES
            or (tag == "link" and given.get("rel") not in ("prev", "next", "canonical"))
        ):
            self.loaded.append(target)
        self.loaded += [part.split()[0] for part in given.get("srcset", "").split(",") if part]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built once however many processes test."""
    pytest.importorskip("mkdocs")  # not in an environment made before the site was
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "site"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "objects.inv").exists():
            program = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
            told = subprocess.run(
                [*program, "--site-dir", folder],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert told.returncode == 0, told.stdout + told.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site):
    """Every page of the site, read."""
    return {path: Html(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def is_elsewhere(target):
    """Whether an address leads out of the site."""
    parts = urlsplit(target)
    return bool(parts.scheme or parts.netloc) and parts.scheme != "data"


def test_no_page_loads_anything_from_elsewhere(site, pages):
    """No font, no script, no picture; what style sheets and drawings name is local, too."""
    loaded = {
        f"{path.relative_to(site)}: {target}"
        for path, page in pages.items()
        for target in page.loaded
        if is_elsewhere(target)
    }
    for path in (*site.rglob("*.css"), *site.rglob("*.svg")):
        named = re.findall(
            r"(?:url\(|@import\s*|href=)[\"']?([^\"')\s]+)", path.read_text(encoding="utf-8")
        )
        loaded |= {f"{path.relative_to(site)}: {name}" for name in named if is_elsewhere(name)}

    assert set() == loaded


def test_every_link_and_anchor_of_the_site_leads_somewhere(site, pages):
    """In the navigation, in the reference and in the text; what is loaded is there as well."""
    missing = set()
    for path, page in pages.items():
        for target in (*page.links, *page.loaded):
            parts = urlsplit(target)
            if is_elsewhere(target) or parts.scheme == "data" or path.name == "404.html":
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            known = pages[there].anchors if there in pages else {parts.fragment}
            if not there.is_file() or unquote(parts.fragment) not in known:
                missing.add(f"{path.relative_to(site)}: {target}")

    assert len(pages) > 80
    assert set() == missing


def public_names():
    """What users call: every name of a public module that is ours, and what its classes offer."""
    for package in PACKAGES:
        module = import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if getattr(value, "__module__", "rotulus").startswith("rotulus"):
                yield f"{package}.{name}"
    for kind in (rotulus.App, rotulus.Job, rotulus.Task, rotulus.TaskRegistry, Run):
        for name in dir(kind):
            member = inspect.getattr_static(kind, name)
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                yield f"{kind.__module__}.{kind.__name__}.{name}"


def test_every_public_name_is_in_the_reference(site):
    """Each with an anchor of its own, the methods and properties of classes as well."""
    inventory = zlib.decompress((site / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()
    known = {line.split(" ")[0] for line in inventory.splitlines()}
    public = set(public_names())

    assert len(public) > 300
    assert [] == sorted(public - known)


def test_the_search_finds_what_pages_are_about(site):
    """The index is in the site, and has every page."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}

    assert {
        "start.html",
        "from-celery.html",
        "reference/jobs.html",
        "decisions/0003-fence.html",
    } <= found


def test_every_page_of_the_guide_is_in_the_navigation(site):
    """A page that is in no menu is read by nobody."""
    home = (site / "index.html").read_text(encoding="utf-8")
    nav = home[: home.index("<main") if "<main" in home else None] + home

    assert [] == [page.stem for page in GUIDE if f'href="{page.stem}.html"' not in nav]


def test_every_page_of_the_guide_ends_with_what_to_read_next():
    """In one line, with a link at least."""
    last = {page.name: page.read_text(encoding="utf-8").rstrip().splitlines()[-1] for page in GUIDE}

    assert [] == [name for name, line in last.items() if not re.match(r"Next: .*\]\(", line)]


def test_the_pictures_are_what_is_drawn(tmp_path, monkeypatch):
    """Run scripts/pictures.py after a change of it."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    pictures = import_module("pictures")
    drawn = {f"{draw.__name__}.svg": str(draw()) for draw in pictures.PICTURES}

    assert drawn == {
        path.name: path.read_text(encoding="utf-8") for path in (DOCS / "pictures").glob("*.svg")
    }


def test_the_files_that_the_page_about_the_inside_names_exist():
    """Whoever goes from the page to the code arrives."""
    text = (DOCS / "inside.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "rotulus"
    named = {
        name for name in re.findall(r"`([\w/.]+)`", text) if "/" in name and "rotulus" not in name
    }
    homes = (source, source / "stores" / "sqlite", source / "stores" / "postgres", ROOT)
    missing = [name for name in sorted(named) if not any((home / name).exists() for home in homes)]
    classes = set(re.findall(r"`([A-Z]\w+)`", text)) - {"NOTIFY"}
    defined = "".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py"))

    assert len(named) > 30
    assert [] == missing
    assert [] == [name for name in sorted(classes) if f"class {name}" not in defined]


def manifests():
    """The YAML documents of the page about going live."""
    yaml = pytest.importorskip("yaml")
    text = (DOCS / "production.md").read_text(encoding="utf-8")
    return [
        document
        for found in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for document in yaml.safe_load_all(found)
    ]


def test_what_stops_a_worker_gives_it_the_time_that_a_stop_takes():
    """The grace of compose, systemd and Kubernetes is the default drain and 25 seconds at least."""
    from rotulus.config import SETTINGS

    least = SETTINGS["drain"].default + 25
    found = manifests()
    graces = [
        document["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        for document in found
        if document.get("kind") == "Deployment"
    ]
    graces += [
        int(d["services"]["worker"]["stop_grace_period"][:-1]) for d in found if "services" in d
    ]
    text = (DOCS / "production.md").read_text(encoding="utf-8")
    graces += [
        int(seconds) for seconds in re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    ]

    assert len(graces) == 4
    assert [] == [grace for grace in graces if grace < least]


def test_the_commands_of_containers_are_ones_there_are():
    """Words and options of `args`, `command`, `CMD` and `ExecStart`, as the program reads them."""
    from rotulus.cli.main import main

    text = (DOCS / "production.md").read_text(encoding="utf-8")
    lists = re.findall(r"(?:args|command|CMD):? (\[\"rotulus.*?\])", text)
    commands = [json.loads(found)[1:] for found in lists]
    commands += [
        line.split() for line in re.findall(r"^ExecStart=\S+/rotulus (.*)$", text, re.MULTILINE)
    ]

    assert len(commands) == 6
    for words in commands:
        command = main.get_command(None, words[0])
        assert command.make_context(words[0], words[1:], resilient_parsing=False)
