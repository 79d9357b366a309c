"""The console over HTTP: its page for every screen, its files, and where it is mounted."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rotulus import App, TaskRegistry
from rotulus.console.files import PAGE_HEADERS, ConsoleFiles
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.service import console as served
from rotulus.service.console import make_console_router
from rotulus.service.serving import service_of

HERE = "http://127.0.0.1"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The files of a small console in place of the real one."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(
        '<meta name="rotulus-api" content="%api%"><link href="./assets/style-Bd3fGh12.css">'
        '<script src="./assets/index-a1B2c3D4.js"></script></head>'
    )
    (tmp_path / "assets" / "index-a1B2c3D4.js").write_text("export const one = 1;\n" * 50)
    (tmp_path / "assets" / "style-Bd3fGh12.css").write_text("a { color: red }")
    (tmp_path / "mark.svg").write_text("<svg/>")
    made = ConsoleFiles(tmp_path)
    monkeypatch.setattr(served, "_FILES", made)
    return made


@pytest.fixture
def app():
    """An app without tasks."""
    with App("sqlite://", registry=TaskRegistry(), environment="staging") as made:
        yield made


@pytest.fixture
def client(files, app):
    """A client of a whole service."""
    return TestClient(service_of(app), base_url=HERE, client=("127.0.0.1", 1))


def test_every_screen_has_the_page_with_addresses_that_lead_to_its_files(client):
    """However deep its path is, also where a segment holds a slash."""
    for path in ("", "jobs", "jobs/0192", "queues/a/b", "queues/a%2Fb", "jobs/?q=state:failed"):
        answer = client.get(f"/console/{path}")

        assert 200 == answer.status_code
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        (link,) = re.findall(r'src="([^"]+)"', answer.text)
        assert str(answer.url.join(link)) == f"{HERE}/console/assets/index-a1B2c3D4.js", path
        assert client.get(str(answer.url.join(link))).text.startswith("export")


def test_the_page_of_jobs_asks_for_the_first_rows_by_itself(client):
    """Where the address has no filters: what these are in the API, the script knows."""
    rows = re.compile(r'<link rel="preload" as="fetch" crossorigin href="([^"]+)">')
    answer = client.get("/console/jobs")
    asked = [str(answer.url.join(one)) for one in rows.findall(answer.text)]

    assert [f"{HERE}/api/v1/me", f"{HERE}/api/v1/jobs?limit=100"] == asked
    for path in ("", "jobs?q=state:failed", "jobs/0192", "queues"):
        answer = client.get(f"/console/{path}")
        [one] = rows.findall(answer.text)
        assert f"{HERE}/api/v1/me" == str(answer.url.join(one))


def test_the_page_may_load_only_what_this_server_sends(client):
    """No inline script or style, no other server, no frame, and trusted types."""
    headers = client.get("/console/").headers
    policy = headers["content-security-policy"]

    assert policy == PAGE_HEADERS["Content-Security-Policy"]
    for part in ("default-src 'none'", "require-trusted-types-for 'script'", "base-uri 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-cache"


def test_files_with_a_hash_in_their_name_are_kept_for_ever_and_others_are_asked_for_again(client):
    """An unchanged one is answered with 304; a text is sent compressed to who takes it."""
    script = client.get("/console/assets/index-a1B2c3D4.js")
    mark = client.get("/console/mark.svg")

    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert mark.headers["cache-control"] == "no-cache"
    assert mark.headers["content-type"] == "image/svg+xml"
    again = client.get("/console/mark.svg", headers={"If-None-Match": mark.headers["etag"]})
    assert (304, b"") == (again.status_code, again.content)
    plain = client.get("/console/mark.svg", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_a_file_of_another_version_is_no_page(client):
    """A browser would run the page as a script, and say nothing of use."""
    answer = client.get("/console/assets/index-00000000.js")

    assert (404, b"") == (answer.status_code, answer.content)


@pytest.mark.parametrize("hostile", ["../files.py", "%2e%2e/files.py", "assets/../../__init__.py"])
def test_no_path_leads_out_of_the_folder(client, hostile):
    """Only names that were found in it are files."""
    answer = client.get(f"/console/{hostile}", headers={"Accept-Encoding": "identity"})

    assert "ConsoleFile" not in answer.text


def test_without_a_slash_at_the_end_it_is_found_too(client):
    """By a relative address, which is right behind a proxy that removes a prefix."""
    answer = client.get("/console", follow_redirects=False)

    assert (308, "console/") == (answer.status_code, answer.headers["location"])


def test_it_is_right_below_a_prefix_that_a_proxy_removes_and_below_a_mount(files, app):
    """All addresses are relative, also the one of the API."""
    outer = FastAPI()
    outer.mount("/tools/jobs", service_of(app))
    mounted = TestClient(outer, base_url=HERE, client=("127.0.0.1", 1))
    behind = TestClient(
        service_of(app), base_url=HERE, root_path="/some/prefix", client=("127.0.0.1", 1)
    )
    there = mounted.get("/tools/jobs/console/jobs/1")
    assert 'src="../assets/' in there.text
    assert 'content="../api/v1/"' in there.text
    assert 'src="../assets/' in behind.get("/some/prefix/console/jobs/1").text
    assert 'src="../assets/' in behind.get("/console/jobs/1").text


def test_it_can_be_elsewhere_in_an_application_of_ones_own(files):
    """The page is told where the API is from there."""
    app = FastAPI()
    app.include_router(make_console_router("/admin/rotulus"))
    client = TestClient(app, base_url=HERE, client=("127.0.0.1", 1))

    assert 'content="../../api/v1/"' in client.get("/admin/rotulus/jobs/1").text
    assert client.get("/admin/rotulus", follow_redirects=False).headers["location"] == "rotulus/"


def test_a_checkout_without_it_says_which_command_makes_it(tmp_path, monkeypatch, app):
    """On a page that needs nothing."""
    monkeypatch.setattr(served, "_FILES", ConsoleFiles(tmp_path))
    answer = TestClient(service_of(app), base_url=HERE, client=("127.0.0.1", 1)).get(
        "/console/jobs"
    )

    assert 200 == answer.status_code
    assert "make console" in answer.text


def test_only_those_who_may_see_the_service_see_the_console(files, app):
    """A browser asks for the token as a password."""
    service = (
        ServiceBuilder(info=ServiceInfo(display_name="Orders"), app=app)
        .with_console()
        .with_auth("a-token-of-some-length")
        .build()
    )
    client = TestClient(service)
    refused = client.get("/console/", headers={"Accept": "text/html"})

    assert 401 == refused.status_code
    assert refused.headers["www-authenticate"].startswith("Basic")
    token = ("anybody", "a-token-of-some-length")
    assert 200 == client.get("/console/", auth=token).status_code
    told = client.get("/api/v1/me", auth=token).json()
    assert {"role": "admin", "service": "Orders", "environment": "staging"}.items() <= told.items()


def test_who_asks_is_told_name_and_role(client, monkeypatch):
    """The console shows no button that would be refused."""
    told = client.get("/api/v1/me").json()

    assert ("local", "admin", "staging") == (told["name"], told["role"], told["environment"])
    assert told["trace_url"] is None
