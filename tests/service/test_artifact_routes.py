"""Artifacts over HTTP: what is saved is found, shown with its place, and downloaded safely."""

import asyncio
import email.message
import hashlib
import json
import re

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rotulus.service import (
    ArtifactContent,
    ArtifactHierarchy,
    ArtifactIn,
    ArtifactManager,
    Database,
)
from rotulus.service.artifacts.files import disposition, download, is_known
from rotulus.service.artifacts.routes import make_artifact_router

PATH = "/api/v1/artifacts"
NOBODY = "01900000-0000-7000-8000-000000000000"


def application(database, **options):
    """An application of the user's own, with the routes."""
    app = FastAPI()
    app.state.database = database
    app.state.hierarchy = ArtifactHierarchy(name="runs", level_labels={0: "run"})
    app.include_router(make_artifact_router(**options))
    return app


@pytest.fixture
def client(db):
    """A client of the routes, on a database of each kind."""
    with TestClient(application(db), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def local():
    """The same on a database in memory."""
    app = application(Database("sqlite://"), max_bytes=1000)
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def save(client, data, **fields):
    """An artifact, saved as JSON."""
    answer = client.post(PATH, json={"data": data, **fields})
    assert 201 == answer.status_code, answer.text
    return answer.json()


@pytest.mark.requirement("C-49")
def test_C_49_an_artifact_is_got_and_expanded_by_its_id(client, db):
    """One that a task has saved."""
    saved = asyncio.run(ArtifactManager(db).save(ArtifactIn(data={"a": 1}, metadata={"m": [2]})))
    got = client.get(f"{PATH}/{saved.id}")
    expanded = client.get(f"{PATH}/{saved.id}/$expand")

    assert [200, 200] == [got.status_code, expanded.status_code]
    assert saved.model_dump(mode="json") == got.json()
    more = {"level_label": "run", "hierarchy": "runs", "children": None}
    assert got.json() | more == expanded.json()
    assert got.json()["created_at"].endswith("Z")


def test_an_artifact_is_saved_as_json(client):
    """With its place in Location; when it is saved again, it is the same one."""
    answer = client.post(PATH, json={"data": None, "metadata": {"a": 1}})
    saved = answer.json()
    again = client.post(PATH, json={"data": [1], "id": saved["id"]})

    assert 201 == answer.status_code
    assert f"{PATH}/{saved['id']}" == answer.headers["location"]
    assert (200, saved["created_at"]) == (again.status_code, again.json()["created_at"])
    assert [1] == client.get(again.headers["location"]).json()["data"]


def test_bytes_are_saved_as_they_are(client):
    """With their own type; they are downloaded, and not shown as JSON."""
    body = bytes(range(256))
    root = save(client, "root")
    answer = client.post(
        f"{PATH}?filename=a%20b.png&parent_id={root['id']}",
        content=body,
        headers={"Content-Type": "image/png"},
    )
    saved = answer.json()
    got = client.get(f"{PATH}/{saved['id']}/$download")

    assert 201 == answer.status_code
    assert (None, "image/png", 256, 1) == (
        saved["data"],
        saved["media_type"],
        saved["size"],
        saved["level"],
    )
    assert {"filename": "a b.png"} == client.get(f"{PATH}/{saved['id']}/$metadata").json()
    assert (body, "image/png") == (got.content, got.headers["content-type"])
    assert 'attachment; filename="a b.png"' == got.headers["content-disposition"]
    assert hashlib.sha256(body).hexdigest() == saved["sha256"] == got.headers["etag"].strip('"')
    assert "nosniff" == got.headers["x-content-type-options"]


def test_a_page_is_never_shown_but_saved(client):
    """Neither by its type nor by what a browser guesses."""
    html = {"Content-Type": "text/html; charset=utf-8"}
    saved = client.post(PATH, content=b"<script>alert(1)</script>", headers=html).json()
    got = client.get(f"{PATH}/{saved['id']}/$download")

    assert f'attachment; filename="{saved["id"]}.html"' == got.headers["content-disposition"]
    assert "sandbox; default-src 'none'" == got.headers["content-security-policy"]
    assert "text/html; charset=utf-8" == got.headers["content-type"]


def test_data_that_are_known_are_not_sent_again(client):
    """Until they are replaced."""
    saved = save(client, {"b": "ü", "a": 1})
    path = f"{PATH}/{saved['id']}/$download"
    first = client.get(path)
    known = {"If-None-Match": first.headers["etag"]}
    second = client.get(path, headers=known)
    client.post(PATH, json={"data": 2, "id": saved["id"]})

    assert {"b": "ü", "a": 1} == json.loads(first.content)
    assert (304, b"", first.headers["etag"]) == (
        second.status_code,
        second.content,
        second.headers["etag"],
    )
    third = client.get(path, headers=known)
    assert (200, b"2") == (third.status_code, third.content)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ('"aa"', True),
        ('W/"aa"', True),
        ('"b", "aa"', True),
        ("*", True),
        ("aa", False),
        ("", False),
    ],
)
def test_if_none_match_is_read_as_it_is_meant(header, known):
    """Weak ones and lists, too."""
    assert known == is_known("aa", header)


def test_a_list_has_pages_without_data(client):
    """Each artifact once, with a Link to the next page."""
    ids = [save(client, n, metadata={"n": n})["id"] for n in range(5)]
    found, url = [], f"{PATH}?limit=2"
    while url:
        answer = client.get(url)
        found += answer.json()["items"]
        url = answer.links["next"]["url"] if answer.json()["next"] else None
        url = url and f"{PATH}{url}"

    assert list(reversed(ids)) == [one["id"] for one in found]
    assert all("data" not in one for one in found)


def test_a_list_is_narrowed(client):
    """By parent, and by level."""
    root = save(client, 0)
    child = save(client, 1, parent_id=root["id"])
    for query in (f"parent_id={root['id'].upper()}", "level=1"):
        items = client.get(f"{PATH}?{query}").json()["items"]
        assert [child["id"]] == [one["id"] for one in items]


def test_a_tree_has_its_children(client):
    """And is cut where it is asked to be."""
    root = save(client, "root")
    child = save(client, "child", parent_id=root["id"])
    leaf = save(client, "leaf", parent_id=child["id"])
    tree = client.get(f"{PATH}/{root['id']}/$tree").json()
    cut = client.get(f"{PATH}/{root['id']}/$tree?depth=1&data=false").json()

    [below] = tree["children"]
    assert ("child", "level_1", [leaf["id"]]) == (
        below["data"],
        below["level_label"],
        [one["id"] for one in below["children"]],
    )
    assert [] == below["children"][0]["children"]
    assert (None, None) == (cut["data"], cut["children"][0]["children"])


def test_an_artifact_is_deleted_alone_or_with_all_below_it(client):
    """What stays has no parent."""
    root = save(client, "root")
    child = save(client, "child", parent_id=root["id"])
    save(client, "leaf", parent_id=child["id"])

    assert 204 == client.delete(f"{PATH}/{root['id']}").status_code
    assert client.get(f"{PATH}/{child['id']}").json()["parent_id"] is None
    assert 204 == client.delete(f"{PATH}/{child['id']}?recursive=true").status_code
    assert [] == client.get(PATH).json()["items"]


@pytest.mark.parametrize("path", ["", "/$expand", "/$tree", "/$metadata", "/$download"])
@pytest.mark.parametrize(
    ("id_", "status", "code"),
    [
        ("nonsense", 400, "invalid_id"),
        ("%00", 400, "invalid_id"),
        ("0190", 400, "invalid_id"),
        (NOBODY, 404, "artifact_not_found"),
        (NOBODY.replace("a", "A"), 404, "artifact_not_found"),
    ],
)
def test_an_id_that_is_none_is_400_and_an_unknown_one_404(local, path, id_, status, code):
    """As problem documents."""
    answer = local.get(f"{PATH}/{id_}{path}")

    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert "application/problem+json" == answer.headers["content-type"]
    if not path:
        assert status == local.delete(f"{PATH}/{id_}").status_code


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"{", 400, "invalid_json", None),
        (b"[]", 422, "invalid_request", ""),
        (b"{}", 422, "invalid_request", "/data"),
        (b'{"data": 1, "metadata": []}', 422, "invalid_request", "/metadata"),
        (b'{"data": 1, "id": "x"}', 422, "invalid_request", "/id"),
        (b'{"data": 1, "id": 7}', 422, "invalid_request", "/id"),
        (b'{"data": 1, "parent": "x"}', 422, "invalid_request", "/parent"),
        (b'{"data": "a", "media_type": "text/html"}', 422, "invalid_request", ""),
        (b'{"data": 1, "parent_id": "%s"}' % NOBODY.encode(), 422, "invalid_artifact", None),
        (b'{"data": %s}' % (b"[" * 70 + b"]" * 70), 400, "body_too_deep", None),
        (b'{"data": "%s"}' % (b"x" * 1_100_000), 413, "body_too_large", None),
    ],
)
def test_json_that_is_no_artifact_is_refused(local, body, status, code, pointer):
    """Each with what is wrong, and where."""
    answer = local.post(PATH, content=body, headers={"Content-Type": "application/json"})
    told = answer.json()

    assert (status, code) == (answer.status_code, told["code"])
    if pointer is not None:
        assert pointer in [one["pointer"] for one in told["errors"]]


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"Content-Type": "image/png"}, b"x" * 1001, 413, "artifact_too_large"),
        ({"Content-Type": "image/png", "Transfer-Encoding": "chunked"}, None, 413, None),
        ({"Content-Type": "nonsense"}, b"x", 422, "invalid_request"),
        ({"Content-Type": "a/b", "Content-Encoding": "gzip"}, b"x", 415, "unsupported_encoding"),
    ],
)
def test_bytes_that_are_too_many_or_of_no_type_are_refused(local, headers, content, status, code):
    """Also when nobody says how many there are."""
    answer = local.post(PATH, content=content or iter([b"x" * 600] * 2), headers=headers)

    assert status == answer.status_code
    assert answer.json()["code"] == (code or "artifact_too_large")


@pytest.mark.parametrize("query", ["limit=0", "level=-1", f"level={10**30}", "after=x"])
def test_a_list_that_cannot_be_is_refused(local, query):
    """As a problem, and not by the database."""
    assert 422 == local.get(f"{PATH}?{query}").status_code
    assert 400 == local.get(f"{PATH}?parent_id=x").status_code


def test_a_database_that_is_away_is_503(tmp_path):
    """With a time after which to try again, and without its place."""
    app = application(Database(f"sqlite:///{tmp_path}/no/such.db"))
    answer = TestClient(app, raise_server_exceptions=False).get(PATH)

    assert (503, "store_unavailable") == (answer.status_code, answer.json()["code"])
    assert int(answer.headers["retry-after"]) > 0
    assert str(tmp_path) not in answer.text


def test_without_a_database_the_application_says_what_is_missing(caplog):
    """In its log; or the user gives a dependency of their own."""
    app = FastAPI()
    app.include_router(make_artifact_router())
    assert 500 == TestClient(app, raise_server_exceptions=False).get(PATH).status_code
    assert "app.state.database = Database(url)" in caplog.text

    database = Database("sqlite://")
    asyncio.run(database.init())
    app = FastAPI()
    app.include_router(make_artifact_router("/a", manager=lambda: ArtifactManager(database)))
    assert 200 == TestClient(app).get("/a").status_code


def test_another_site_cannot_save_or_delete(local):
    """Whatever type it gives the body."""
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}

    assert 403 == local.post(PATH, content=b"x", headers=elsewhere).status_code
    assert 403 == local.delete(f"{PATH}/{NOBODY}", headers=elsewhere).status_code


def test_the_document_has_a_typed_operation_for_each_route(local):
    """Under a name that stays, with an example of what is saved."""
    paths = local.get("/openapi.json").json()["paths"]
    names = {operation["operationId"] for path in paths.values() for operation in path.values()}

    expected = {"list_artifacts", "save_artifact", "get_artifact", "delete_artifact"}
    expected |= {"expand_artifact", "get_artifact_tree", "get_artifact_metadata"}
    assert names == expected | {"download_artifact"}
    body = paths[PATH]["post"]["requestBody"]["content"]
    assert {"application/json", "application/octet-stream"} == set(body)
    ArtifactIn.model_validate(body["application/json"]["example"])


@pytest.mark.parametrize(
    ("filename", "media_type", "shown"),
    [
        ("report.pdf", "application/pdf", 'filename="report.pdf"'),
        ("../../etc/passwd", "text/plain", 'filename="passwd"'),
        (r"C:\temp\a.txt", "text/plain", 'filename="a.txt"'),
        (
            'a"; filename="b.exe',
            "text/plain",
            "filename=\"a_; filename=_b.exe\"; filename*=UTF-8''a%22%3B%20filename%3D%22b.exe",
        ),
        ("käse.txt", "text/plain", "filename=\"k_se.txt\"; filename*=UTF-8''k%C3%A4se.txt"),
        ("a\r\nSet-Cookie: x", "text/plain", 'filename="aSet-Cookie: x"'),
        ("photo\u202egnp.exe", "image/png", 'filename="photognp.exe"'),
        ("..", "image/png", 'filename="id.png"'),
        (None, "image/png", 'filename="id.png"'),
        (None, "x/unknown", 'filename="id"'),
    ],
)
def test_a_file_has_a_safe_name(filename, media_type, shown):
    """Whatever the metadata call it."""
    assert f"attachment; {shown}" == disposition(filename, "id", media_type)


@settings(max_examples=300)
@given(st.text())
def test_any_name_makes_a_header_that_is_read_as_one_name(filename):
    """One line of ASCII, whose name has no folder."""
    answer = download(
        ArtifactContent(content=b"", media_type="a/b", sha256="0", filename=filename), "id"
    )
    shown = answer.headers["content-disposition"]
    message = email.message.Message()
    message["Content-Disposition"] = shown

    assert re.fullmatch(r"[ -~]+", shown)
    assert "attachment" == message.get_content_disposition()
    assert message.get_filename()
    assert not re.search(r"[/\\\r\n]", message.get_filename())
