"""Shell commands for tasks, with a timeout that ends all child processes."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypedDict, cast

from rotulus._tasks.checks import check_timeout
from rotulus.errors import OptionError

MOST_OUTPUT = 256 * 1024
"""The bytes of each stream that are kept: both of them fit in the result of a job."""

_TIMED_OUT = -1
_GRACE = 1.0
"""Seconds for killed processes to close their pipes."""


class ShellResult(TypedDict):
    """The result of a command.

    Attributes:
        command: the command.
        stdout: its output, as text.
        stderr: its error output, as text.
        returncode: its exit code; the negated number of a signal that killed the shell; -1 after a
            timeout.
    """

    command: str
    stdout: str
    stderr: str
    returncode: int


async def run_shell(
    command: str,
    timeout: float | None = None,  # noqa: ASYNC109 - the source has it here
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
) -> ShellResult:
    """Run a command in the shell, and wait for all its output.

    It never raises for a failure of the command: look at `returncode`. At the timeout, and when the
    task is cancelled, the command is killed with all its child processes, and its output until then
    is kept. Of a stream that is longer than 256 KiB the beginning and the end are kept. The command
    reads nothing: its input is empty.

    Args:
        command: a line for `/bin/sh`, with pipes and redirections. Quote text from a client with
            `shlex.quote`.
        timeout: seconds after which the command is killed; None: never.
        cwd: the folder of the command; the folder of this process unless given.
        env: variables for the command, beside those of this process.

    Raises:
        OptionError: the folder does not exist, or another argument cannot be used.
    """
    seconds = check_timeout(timeout)
    _check(command, cwd, env)
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(
        loop.subprocess_shell(
            lambda: _Shell(loop.create_future()),
            command,
            stdin=asyncio.subprocess.DEVNULL,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,  # a group of its own, which can be killed as a whole
        )
    )
    try:
        transport, shell = await asyncio.shield(starting)
    except asyncio.CancelledError:
        transport, shell = await starting  # cancelled while the command starts: it has to end, too
        await _end(transport, shell)
        raise
    try:
        await asyncio.wait({shell.ended}, timeout=seconds)
        code = transport.get_returncode() if shell.ended.done() else None
    finally:
        await _end(transport, shell)
    note = "" if code is not None else f"Command timed out after {timeout} seconds"
    return {
        "command": command,
        "stdout": shell.stdout.text(),
        "stderr": _with_line(shell.stderr.text(), note),
        "returncode": _TIMED_OUT if code is None else code,
    }


class _Kept:
    """The beginning and the end of a stream."""

    def __init__(self) -> None:
        self._head, self._tail = bytearray(), bytearray()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        half = MOST_OUTPUT // 2
        self._size += len(data)
        room = half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * half:
            del self._tail[:-half]

    def text(self) -> str:
        """Returns the kept bytes, with a note of how many are left out."""
        tail = self._tail[-(MOST_OUTPUT // 2) :]
        left_out = self._size - len(self._head) - len(tail)
        note = f"\n[… {left_out:,} bytes are left out …]\n" if left_out else ""
        if not left_out:
            return (self._head + tail).decode(errors="replace")
        return self._head.decode(errors="replace") + note + tail.decode(errors="replace")


class _Shell(asyncio.SubprocessProtocol):
    """The output of a shell, and the end of the shell and of its pipes."""

    def __init__(self, ended: "asyncio.Future[None]") -> None:
        self.ended = ended
        self.stdout, self.stderr = _Kept(), _Kept()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        (self.stdout if fd == 1 else self.stderr).feed(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio asks
        if not self.ended.done():
            self.ended.set_result(None)


async def _end(transport: asyncio.SubprocessTransport, shell: _Shell) -> None:
    """End a shell that has not ended, with all its child processes."""
    try:
        if not shell.ended.done():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(transport.get_pid(), signal.SIGKILL)
            # A process that has left the group may hold a pipe for ever.
            await asyncio.wait({shell.ended}, timeout=_GRACE)
    finally:
        transport.close()


def _with_line(text: str, line: str) -> str:
    if not line or not text:
        return text or line
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line}"


def _check(command: object, cwd: str | Path | None, env: object) -> None:
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise OptionError("run_shell(command): give a command, as one text without NUL")
    if cwd is not None and not Path(cwd).is_dir():
        raise OptionError(f"run_shell(cwd={str(cwd)!r}): there is no such folder")
    if env is None:
        return
    items = cast("Mapping[object, object]", env).items() if isinstance(env, Mapping) else [(0, 0)]
    fits = all(isinstance(n, str) and isinstance(v, str) and "\0" not in n + v for n, v in items)
    if not fits or any("=" in str(name) or not name for name, _ in items):
        raise OptionError("run_shell(env=...): give a dict of texts, without NUL, by their names")
