"""A server of the Model Context Protocol: an assistant looks into an app, or into a service."""

from collections.abc import Collection
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Any

import httpx2
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from rotulus import App
from rotulus._app.roles import Role
from rotulus.errors import OptionError, RotulusError
from rotulus.mcp.tools import Tool, request_of, tools_of
from rotulus.service import Principal, ServiceBuilder, ServiceInfo

_LONGEST = 100_000
"""Characters of an answer: an assistant reads all of it."""

_INSTRUCTIONS = (
    "Rotulus keeps jobs of tasks. Look at `list_failures` and `get_stats_totals` first; `get_job` "
    "says in `why` what a job waits for. Lists are pages: give `next` of one as `after`."
)


async def serve_app(app: App, allowed: Collection[str], name: str) -> None:
    """Serve an app on stdin and stdout, until stdin ends. Secret values are masked.

    Args:
        app: the app.
        allowed: the ids of operations that change something; `all` for every one of them.
        name: on whose behalf, for the audit.

    Raises:
        OptionError: there is no such operation.
    """
    role = Role.OPERATOR if allowed else Role.VIEWER
    sender = Principal(name, role, "mcp")
    builder = ServiceBuilder(info=ServiceInfo(display_name="Rotulus"), app=app)
    service = builder.with_resources().with_tasks().with_auth(dependency=lambda: sender).build()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service.router.lifespan_context(service))
        transport = httpx2.ASGITransport(service)
        client = httpx2.AsyncClient(transport=transport, base_url="http://testserver")
        await _serve(await stack.enter_async_context(client), service.openapi(), allowed)


async def serve_url(url: str, token: str, allowed: Collection[str]) -> None:
    """Serve a service on stdin and stdout, until stdin ends.

    Args:
        url: its address.
        token: its bearer token, whose role says what may be done; "" for none.
        allowed: the ids of operations that change something; `all` for every one of them.

    Raises:
        OptionError: there is no such operation, or no service at that address.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30.0) as client:
        try:
            answer = await client.get("/openapi.json")
            document = answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise OptionError(f"There is no service at {url}: {error}") from None
        await _serve(client, document, allowed)


async def _serve(
    client: httpx2.AsyncClient, document: dict[str, Any], allowed: Collection[str]
) -> None:
    server = make_server(client, tools_of(document, allowed))
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def make_server(client: httpx2.AsyncClient, tools: Collection[Tool]) -> Server[Any]:
    """Returns a server with tools that a client of a service calls."""
    by_name = {tool.name: tool for tool in tools}
    shown = types.ListToolsResult(tools=[_shown(tool) for tool in tools])

    async def list_tools(*_: Any) -> types.ListToolsResult:
        return shown

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = by_name.get(params.name)
        if tool is None:
            return _told(f"There is no tool {params.name!r}", failed=True)
        try:
            asked = request_of(tool, params.arguments or {})
            answer = await client.request(
                asked.method, asked.path, params=tuple(asked.query), json=asked.body
            )
        except (RotulusError, httpx2.HTTPError) as error:
            return _told(str(error), failed=True)
        return _told(answer.text, failed=not answer.is_success)

    return Server(
        "rotulus",
        version=version("rotulus"),
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _shown(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.reads,
            destructive_hint=not tool.reads,
            open_world_hint=False,
        ),
    )


def _told(text: str, *, failed: bool) -> types.CallToolResult:
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}\n... {len(text) - _LONGEST} characters more: ask for less"
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], is_error=failed
    )
