"""`/api/v1/settings` and `/api/v1/store`: what an app is told, by whom, and how large its store is."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry
from rotulus._app.roles import Role
from rotulus.config import SETTINGS
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.service import protection as protecting
from rotulus.service.principal import Principal


@pytest.fixture
def serve(monkeypatch):
    """Serves an app to a viewer."""

    async def let_in(*_):
        return Principal("somebody", Role.VIEWER)

    def make(app):
        monkeypatch.setattr(protecting, "authorised", let_in)
        info = ServiceInfo(display_name="test")
        return TestClient(ServiceBuilder(info=info, app=app).with_resources().build())

    return make


def test_settings_say_who_gave_them(serve, tmp_path, monkeypatch):
    """An argument, a variable, a file, or nobody."""
    (tmp_path / "pyproject.toml").write_text("[tool.rotulus]\nkeep_logs = 'error'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROTULUS_SLOTS", "7")
    networks = ["10.1.0.0/16"]
    with App("sqlite://", registry=TaskRegistry(), lease=9, webhook_networks=networks) as app:
        items = serve(app).get("/api/v1/settings").json()["items"]
    told = {one["name"]: (one["value"], one["origin"], one["place"]) for one in items}

    assert set(SETTINGS) == set(told)
    assert (9.0, "argument", None) == told["lease"]
    assert (7, "environment", "ROTULUS_SLOTS") == told["slots"]
    path = str(tmp_path / "pyproject.toml")
    assert ("error", "file", f"{path} [tool.rotulus]") == told["keep_logs"]
    assert (30 * 86_400.0, "default", None) == told["keep_failed"]
    assert (["10.1.0.0/16"], "argument", None) == told["webhook_networks"]
    assert {SETTINGS["keep"].help} == {one["help"] for one in items if one["name"] == "keep"}


def test_secrets_are_shown_to_nobody(serve, monkeypatch):
    """Neither a token nor the password of a URL."""
    monkeypatch.setenv("ROTULUS_TOKEN", "correct-horse")
    app = App("postgresql://ada:hush@localhost/none", registry=TaskRegistry())
    answer = serve(app).get("/api/v1/settings")
    told = {one["name"]: one["value"] for one in answer.json()["items"]}
    app.close()

    assert "***" == told["token"]
    assert "postgresql://ada" in told["url"]
    assert "hush" not in answer.text
    assert "correct-horse" not in answer.text


def test_the_store_says_how_large_it_is(serve, tmp_path):
    """With the rows of its tables and its migrations."""
    with App(f"sqlite:///{tmp_path}/jobs.db", registry=TaskRegistry()) as app:
        with app.acting_as("ada"):
            app.queues.pause("mail")
        told = serve(app).get("/api/v1/store").json()
        size = app.store.size()

    assert f"sqlite:///{tmp_path}/jobs.db" == told["url"]
    assert size.size == told["size"] > 0
    rows = {table["name"]: table["rows"] for table in told["tables"]}
    assert (1, 1, 0) == (*(rows["rotulus_audit"], rows["rotulus_pauses"], rows["rotulus_jobs"]),)
    assert size.migrations == told["migrations"]
    assert ([], [], None) == (told["missing"], told["unfinished"], told["rights"])


def test_the_store_says_what_its_user_may_do(serve, database):
    """On PostgreSQL; the owner of the tables lacks nothing."""
    app = App(database, registry=TaskRegistry())
    app.store.migrate()
    with app:
        told = serve(app).get("/api/v1/store").json()["rights"]
    assert ("rotulus", True) == (told["user"], told["owner"])
    assert {"producer": [], "viewer": [], "worker": []} == told["missing"]
