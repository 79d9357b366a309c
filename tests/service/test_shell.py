"""Commands of the shell: what they give, and that nothing is left of them at a timeout."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from rotulus import task
from rotulus.errors import OptionError
from rotulus.service import run_shell
from rotulus.service.shell import MOST_OUTPUT
from rotulus.testing import drain


def run(command, **options):
    """What came of a command."""
    return asyncio.run(run_shell(command, **options))


def processes_with(mark):
    """The processes whose command line holds a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in words and state != "Z" and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


@pytest.fixture
def mark(tmp_path):
    """A number of seconds that no other process sleeps: a mark on its command line."""
    return f"86400.{abs(hash(str(tmp_path))) % 10**9:09d}"


@pytest.mark.requirement("C-52", "C-53", "C-57")
def test_a_command_gives_what_it_wrote_and_its_exit_code(tmp_path):
    """As text; in a folder, and with variables beside those there are."""
    told = run('echo "$A $HOME"; pwd >&2', timeout=30.0, cwd=tmp_path, env={"A": "ü"})

    assert told == {
        "command": 'echo "$A $HOME"; pwd >&2',
        "stdout": f"ü {os.environ['HOME']}\n",
        "stderr": f"{tmp_path}\n",
        "returncode": 0,
    }
    assert "x\n" == run("echo x", cwd=str(tmp_path))["stdout"]


@pytest.mark.requirement("C-54", "C-55")
@pytest.mark.parametrize(
    ("command", "code"),
    [("true", 0), ("exit 3", 3), ("false", 1), ("no-such-command-here", 127), ("exit 255", 255)]
    + [("kill -TERM $$", -15), ("kill -KILL $$", -9), ("sh -c 'kill -KILL $$'; exit $?", 137)],
)
def test_an_exit_code_is_no_exception(command, code):
    """Whatever it is; a signal that killed the shell is a negative one."""
    assert code == run(command)["returncode"]


@pytest.mark.requirement("C-56")
def test_the_shell_does_what_shells_do(tmp_path):
    """Pipes, redirections, variables and several commands."""
    told = run(
        "printf 'b\\na\\n' | sort > sorted && cat sorted; x=1; echo $((x + 1))", cwd=tmp_path
    )

    assert "a\nb\n2\n" == told["stdout"]
    assert "a\nb\n" == (tmp_path / "sorted").read_text()


@pytest.mark.requirement("C-54")
@pytest.mark.parametrize("leaves", ["", " & wait", " | cat", "; echo never"])
def test_at_the_timeout_everything_that_it_started_ends(mark, leaves):
    """What it wrote until then is kept; nothing of it runs on."""
    told = run(f"echo begun; echo oops >&2; sleep {mark}{leaves}", timeout=0.3)

    assert ("begun\n", -1) == (told["stdout"], told["returncode"])
    assert "oops\nCommand timed out after 0.3 seconds" == told["stderr"]
    assert [] == processes_with(mark)


@pytest.mark.requirement("C-54")
def test_a_timeout_of_a_silent_command_is_all_that_stands_in_its_errors(mark):
    """As the source has it."""
    told = run(f"sleep {mark}", timeout=0.1)

    assert ("", "Command timed out after 0.1 seconds") == (told["stdout"], told["stderr"])


def test_a_command_that_ignores_signals_ends_all_the_same(mark):
    """It is killed, not asked."""
    told = run(f"trap '' TERM INT HUP; sleep {mark}; sleep {mark}", timeout=0.3)

    assert -1 == told["returncode"]
    assert [] == processes_with(mark)


def test_what_has_left_the_group_holds_nobody_up(mark):
    """It may keep the pipe open: its shell is given up all the same."""
    began = time.monotonic()
    told = run(f"setsid sleep {mark} & echo begun; sleep {mark}", timeout=0.3)
    left = processes_with(mark)

    assert ("begun\n", -1) == (told["stdout"], told["returncode"])
    assert time.monotonic() - began < 10
    for pid in left:  # it is nobody's any more but ours
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("after", ["it has begun", "it is being started"])
def test_a_task_that_is_cancelled_takes_its_command_with_it(mark, after):
    """Also when that happens while the shell is being started."""

    async def cancel():
        running = asyncio.ensure_future(run_shell(f"sleep {mark} | cat; sleep {mark}"))
        await asyncio.sleep(0)
        while after == "it has begun" and not processes_with(mark):  # noqa: ASYNC110 - of others
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait({running})
        return running.cancelled(), len(asyncio.all_tasks())

    assert (True, 1) == asyncio.run(cancel())
    assert [] == processes_with(mark)


def test_a_timeout_of_the_task_takes_its_command_with_it(app, mark):
    """In a worker, as anywhere."""

    @task(name="hang", timeout=0.5, registry=app.registry)
    async def hang():
        return await run_shell(f"sleep {mark}")

    job = hang.enqueue()
    drain(app)

    assert ("failed", "timeout") == (job.refresh().state, job.refresh().reason)
    assert [] == processes_with(mark)


def test_what_is_no_text_is_replaced():
    """Rather than raised."""
    assert "a\ufffdb" == run("printf 'a\\377b'")["stdout"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_of_much_output_the_beginning_and_the_end_are_kept(stream):
    """And how much is not; the command is not held up."""
    to = ">&2" if stream == "stderr" else ""
    told = run(f"(echo first; yes | head -c 50000000; echo last) {to}", timeout=60.0)
    kept = told[stream]

    assert 0 == told["returncode"]
    assert kept.startswith("first\ny\n")
    assert kept.endswith("y\nlast\n")
    assert f"[… {50_000_011 - MOST_OUTPUT:,} bytes are left out …]" in kept
    assert len(kept.encode()) < MOST_OUTPUT + 100


def test_output_up_to_the_cap_is_kept_whole():
    """To the byte."""
    kept = run(f"head -c {MOST_OUTPUT} /dev/zero | tr '\\0' x")["stdout"]

    assert "x" * MOST_OUTPUT == kept


def test_a_command_reads_nothing():
    """It does not wait for an input that nobody gives."""
    told = run("cat", timeout=30)

    assert ("", 0) == (told["stdout"], told["returncode"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cwd": "/no/such/folder"}, "there is no such folder"),
        ({"cwd": __file__}, "there is no such folder"),
        ({"timeout": 0}, "timeout=0"),
        ({"timeout": -1.0}, "timeout=-1.0"),
        ({"env": {"A": 1}}, "dict of texts"),
        ({"env": {"A=B": "1"}}, "dict of texts"),
        ({"env": {"A": "\0"}}, "dict of texts"),
        ({"env": "A=1"}, "dict of texts"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_says_so(options, says):
    """Before anything is started."""
    with pytest.raises(OptionError, match=says):
        run("true", **options)


@pytest.mark.parametrize("command", ["", "  ", "a\0b", None, ["ls"]])
def test_a_command_is_one_text(command):
    """A list is for another function."""
    with pytest.raises(OptionError, match="give a command"):
        run(command)
