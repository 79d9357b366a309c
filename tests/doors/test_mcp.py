"""`rotulus mcp`, as an assistant uses it: the real command, over its stdin and stdout."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("mcp")
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from rotulus import App, TaskRegistry, task
from rotulus.errors import OptionError
from rotulus.mcp import tools_of
from rotulus.mcp.tools import request_of
from rotulus.service import service_of
from rotulus.testing import drain
from serving import served

pytestmark = pytest.mark.anywhere

SHOP = """
from rotulus import App, task

@task
def add(a: int, password: str = "") -> int:
    if a < 0:
        raise ValueError("no such file")
    return a

app = App("sqlite:///jobs.db")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an app."""
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def app(folder):
    """The same app, in this process."""
    registry = TaskRegistry()

    @task(registry=registry)
    def add(a: int, password: str = "") -> int:
        if a < 0:
            raise ValueError("no such file")
        return a

    with App(f"sqlite:///{folder}/jobs.db", registry=registry) as made:
        yield made


@asynccontextmanager
async def assistant(*words):
    """A session of an assistant with `rotulus mcp`."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rotulus", "mcp", *words],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    async with stdio_client(command) as (reading, writing), ClientSession(reading, writing) as made:
        await made.initialize()
        yield made


async def ask(session, tool, /, **arguments):
    """What a tool says, and whether that is an error."""
    told = await session.call_tool(tool, arguments)
    return told.content[0].text, told.is_error


def test_an_assistant_reads_and_changes_nothing(app):
    """It finds what failed, and why; a secret is masked, and no verb is offered."""
    failed = app.enqueue("add", a=-1, password="hunter2")
    drain(app)

    async def work():
        async with assistant("shop:app") as session:
            tools = (await session.list_tools()).tools
            found, _ = await ask(session, "list_jobs", state=["failed"], task="add", limit=5)
            job, _ = await ask(session, "get_job", job_id=failed.id)
            groups, _ = await ask(session, "list_failures")
            refused = await ask(session, "retry_jobs", task="add")
            wrong = await ask(session, "get_job", job="1")
            none = await ask(session, "get_job", job_id="01020304")
            return tools, found, job, groups, refused, wrong, none

    tools, found, job, groups, refused, wrong, none = asyncio.run(work())
    assert {"list_jobs", "get_job", "list_queues", "get_run_graph", "get_stats_totals"} <= {
        tool.name for tool in tools
    }
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)
    assert not {"list_tokens", "list_audit", "stream_job", "get_metrics"} & {
        tool.name for tool in tools
    }
    assert [failed.id] == [one["id"] for one in json.loads(found)["items"]]
    assert {"a": -1, "password": "***"} == json.loads(job)["arguments"]
    assert 1 == json.loads(groups)["items"][0]["count"]
    assert (True, True, True) == (refused[1], wrong[1], none[1])
    assert "no argument 'job': it has job_id" in wrong[0]
    assert "job_not_found" in none[0]
    assert "failed" == app.jobs.get(failed.id).state


def test_an_assistant_does_what_it_is_allowed(app):
    """And nothing else; the audit says who it was, and at which door."""
    failed = app.enqueue("add", a=-1)
    drain(app)

    async def work():
        async with assistant("shop:app", "--allow", "retry_jobs", "--name", "claude") as session:
            told = await ask(session, "retry_jobs", task="add", dry_run=False)
            refused = await ask(session, "pause_queue", queue="default")
            return told, refused

    told, refused = asyncio.run(work())
    assert (1, False) == (json.loads(told[0])["count"], told[1])
    assert refused[1]
    assert "queued" == app.jobs.get(failed.id).state
    (entry,) = app.audit.find()
    assert ("claude", "mcp", "jobs.retry", 1) == (entry.actor, entry.door, entry.verb, entry.count)


def test_an_assistant_looks_into_a_service_elsewhere(app):
    """By its address, without its database."""
    job = app.enqueue("add", a=1)
    with served(service_of(app)) as server:

        async def work():
            async with assistant("--service", server.address) as session:
                return await ask(session, "get_job", job_id=job.id)

        told, failed = asyncio.run(work())
    assert (job.id, False) == (json.loads(told)["id"], failed)


def test_what_cannot_be_allowed_is_refused(app):
    """With a word about what there is."""
    document = service_of(app).openapi()
    with pytest.raises(OptionError, match="did you mean 'retry_jobs'"):
        tools_of(document, ["retry_job s"])
    with pytest.raises(OptionError, match="cannot be allowed"):
        tools_of(document, ["list_jobs"])
    every = {tool.name for tool in tools_of(document, ["all"])}
    assert {"retry_jobs", "enqueue_add", "delete_job"} <= every
    assert "list_tokens" not in every


def test_a_tool_is_a_request(app):
    """Names stand quoted in the path, several values each by itself, the rest in the body."""
    tools = {tool.name: tool for tool in tools_of(service_of(app).openapi(), ["all"])}
    asked = request_of(tools["retry_jobs"], {"state": ["failed", "dead"], "dry_run": True})
    assert ("POST", "/api/v1/jobs/$retry", {"dry_run": True}) == (asked[0], asked[1], asked[3])
    assert [("state", "failed"), ("state", "dead")] == asked.query
    assert "/api/v1/queues/a%2Fb" == request_of(tools["get_queue"], {"queue": "a/b"}).path
    with pytest.raises(OptionError, match="needs queue"):
        request_of(tools["get_queue"], {})
    assert "#/components/" not in json.dumps([tool.schema for tool in tools.values()])
