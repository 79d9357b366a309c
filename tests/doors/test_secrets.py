"""A password is in no output, ever: whatever the command, and whatever is wrong with the URL."""

import itertools
import logging
import os
import subprocess
import sys
import traceback
from urllib.parse import quote

import click
import pytest
from click.testing import CliRunner

from rotulus import App, TaskRegistry
from rotulus.cli.main import COMMANDS, main
from rotulus.config import load_settings
from rotulus.errors import RotulusError
from rotulus.stores.postgres import read_address
from rotulus.workflow import DefaultRunner
from servers.ports import free_port

pytestmark = pytest.mark.anywhere

CANARY = "Zqx7Vkw9Jpt"
PIECES = ("Zqx", "7Vkw", "9Jpt")
"""What an output must not hold, also when the password is torn apart at an odd character."""

SOURCE = """
from rotulus import App, TaskRegistry, scheduled, task
import rotulus.workflow as wf

registry = TaskRegistry()
app = App(registry=registry)

@task(registry=registry)
def shout(text: str) -> str:
    return text.upper()

@task(registry=registry)
def fail() -> None:
    raise ValueError("no")

@scheduled("30 9 * * 1-5", "tidy", registry=registry)
def tidy() -> None: ...

with wf.WorkflowBuilder("flow", registry=registry):
    @wf.task(id="one")
    def one(context):
        return context
"""

NUMBERS = itertools.count(1)


def with_password(url, password):
    """A URL whose account has a password, written as it is given."""
    return url.replace("rotulus@", f"rotulus:{password}@")


@pytest.fixture
def shop(tmp_path, database):
    """The words that name an app on a database whose URL has the password; it has its tables."""
    name = f"secret_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    url = with_password(database, CANARY)
    assert ["0001 jobs", "0002 outbox", "0003 operations", "0004 access", "0005 steering"] == App(
        url, registry=TaskRegistry()
    ).store.migrate()
    return f"{name}:app", url


def told(*words, target=None, url=None, stdin=None):
    """All that a command says, with its traceback if it has one; and what it ended with."""
    environment = {"ROTULUS_APP": target, "ROTULUS_URL": url}
    result = CliRunner().invoke(main, list(words), env=environment, input=stdin)
    shown = "".join(traceback.format_exception(result.exception)) if result.exception else ""
    return f"{result.output}{result.stderr}{shown}", result.exit_code


def keeps_the_secret(text):
    """Fail, and say where, if a text holds a piece of the password."""
    found = [line for line in text.splitlines() if any(piece in line for piece in PIECES)]
    assert [] == found


def everything(group, path=()):
    """Each command of the program, as its words."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from everything(command, (*path, name))
            else:
                yield (*path, name)


WORDS = {
    ("audit",): [[], ["--json"]],
    ("cancel",): [["--task", "shout", "--yes"], ["nonsense"]],
    ("check",): [[], ["--json"]],
    ("config",): [[], ["--json"]],
    ("cron", "preview"): [["0 0 * * *"]],
    ("delete",): [["--task", "shout", "--yes"], ["nonsense"]],
    ("drain",): [["west"], ["nonsense"]],
    ("edit",): [["-", "--priority", "5"], ["nonsense", "--priority", "5"]],
    ("enqueue",): [["shout", "hello"], ["shout"], ["nonsense"]],
    ("failures", "delete"): [["nonsense", "--yes"], ["0123456789ab", "--yes"]],
    ("failures", "mute"): [["nonsense"], ["0123456789ab", "--for", "2h"]],
    ("failures", "unmute"): [["nonsense"], ["0123456789ab"]],
    ("failures", "retry"): [["nonsense", "--yes"], ["0123456789ab", "--yes"]],
    ("failures", "show"): [["nonsense"], ["0123456789ab"]],
    ("gcp", "apply"): [["--yes"], ["--json"]],
    ("gcp", "plan"): [[], ["--json"]],
    ("graph",): [["flow"], ["nonsense"]],
    ("limits", "set"): [["customer:7", "--limit", "5"], ["customer:7", "--rate", "nonsense"]],
    ("limits", "unset"): [["customer:7"]],
    ("logs",): [["-"], ["-", "--level", "error"], ["nonsense"]],
    ("ls", "jobs"): [[], ["--json"], ["--state", "nonsense"]],
    ("ls", "queues"): [[], ["--json"]],
    ("ls", "runs"): [[], ["--json"], ["--state", "nonsense"]],
    ("ls", "schedules"): [[], ["--json"]],
    ("ls", "tasks"): [[], ["--json"]],
    ("ls", "workers"): [[], ["--json"]],
    ("ls", "workflows"): [[], ["--json"]],
    ("migrate",): [[], ["--sql"], ["--grants", "worker"], ["--grants", "nonsense"]],
    ("close",): [["nonsense"]],
    ("pause",): [["default"], ["nonsense"]],
    ("reprioritise",): [["--task", "shout", "--priority", "5", "--yes"], ["nonsense"]],
    ("resume",): [["default"], ["nonsense"]],
    ("retry",): [["--task", "fail", "--yes"], ["nonsense"]],
    ("run",): [["shout", "hello"], ["fail"], ["nonsense"]],
    ("schedule", "add"): [["hourly", "shout", "text=x", "--every", "3600"], ["x", "nonsense"]],
    ("schedule", "backfill"): [["nonsense", "--since", "2026-01-01T00:00"]],
    ("schedule", "pause"): [["nonsense"]],
    ("schedule", "remove"): [["nonsense"]],
    ("schedule", "resume"): [["nonsense"]],
    ("schedule", "run"): [["nonsense"]],
    ("schedule", "show"): [["nonsense"]],
    ("schedule", "set"): [["nonsense", "--every", "60"], ["nonsense"]],
    ("serve",): [["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--worker"]],
    ("show",): [["-"], ["nonsense"]],
    ("skip",): [["-", "nonsense"], ["nonsense", "nonsense"]],
    ("stats",): [[], ["--by", "task"], ["--since", "nonsense"]],
    ("store",): [[], ["--json"]],
    ("token", "add"): [["ci"], ["ci", "--role", "admin", "--json"]],
    ("token", "ls"): [[], ["--json"]],
    ("token", "rm"): [["nonsense"], ["ci"]],
    ("top",): [["--once"], ["--json"]],
    ("webhook", "add"): [
        ["ops", "https://example.com/", "--event", "job.*"],
        ["ops", f"https://user:{CANARY}@example.com/", "--event", "job.*"],
        ["ops", f"ftp://{CANARY}.com/", "--event", "job.*"],
        ["other", "https://example.com/", "--event", "job.*", "--secret", CANARY],
    ],
    ("webhook", "deliveries"): [[], ["nonsense", "--json"]],
    ("webhook", "ls"): [[], ["--json"]],
    ("webhook", "pause"): [["nonsense"]],
    ("webhook", "replay"): [["nonsense"], ["0123456789ab"]],
    ("webhook", "resume"): [["nonsense"]],
    ("webhook", "rm"): [["nonsense"]],
    ("webhook", "rotate"): [["nonsense"], ["ops", "--secret", CANARY]],
    ("webhook", "set"): [["nonsense", "--event", "job.*"], ["ops", "--to", f"x://{CANARY}"]],
    ("webhook", "show"): [["nonsense"]],
    ("webhook", "test"): [["nonsense"]],
    ("why",): [["-"], ["nonsense"]],
    ("worker",): [["--burst"], ["--burst", "--log", "debug", "--log-format", "json"]],
}
ELSEWHERE = {("demo",), ("dev",), ("mcp",)}
"""`dev` starts `worker` anew until it is stopped, and says little of its own; it has a test below.
What `mcp` says are answers of the API. `demo` has a file of its own, and takes no URL."""


def test_no_command_is_left_out():
    """Who adds a command adds its words here."""
    assert set(everything(main)) == set(WORDS) | ELSEWHERE
    assert {path[0] for path in everything(main)} == set(COMMANDS)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_no_command_shows_the_password(shop, words):
    """Given in the environment or as an option; in what it says, and in what it logs."""
    target, url = shop
    told("enqueue", "shout", "hello", target=target, url=url)
    for more in WORDS[words]:
        keeps_the_secret(told(*words, *more, target=target, url=url)[0])
        if words != ("cron", "preview"):
            keeps_the_secret(told(*words, *more, "--url", url, target=target)[0])


def test_a_worker_of_its_own_shows_no_password(shop, tmp_path):
    """Nor do the processes that a supervisor starts, in lines and in JSON."""
    target, url = shop
    for format_ in ("lines", "json"):
        words = ["worker", target, "--burst", "--log", "debug", "--log-format", format_]
        for more in ([], ["--processes", "2"]):
            done = subprocess.run(
                [sys.executable, "-m", "rotulus", *words, *more],
                capture_output=True,
                env={**os.environ, "ROTULUS_URL": url},
                text=True,
                check=True,
                cwd=tmp_path,
                timeout=60,
            )
            keeps_the_secret(done.stdout + done.stderr)


PASSWORDS = ["Zqx/7Vkw9Jpt", "Zqx?7Vkw9Jpt", "Zqx#7Vkw9Jpt", "Zqx@7Vkw9Jpt"]
PASSWORDS += ["Zqx%7Vkw9Jpt", "Zqx[7Vkw9Jpt", "Zqx 7Vkw9Jpt", "Zqx:7Vkw9Jpt", "7Vkw9Jpt"]
PASSWORDS += ["Zqx%zz9Jpt", "7Fea/Zqx@7Vkw9Jpt?x", "9Jpt#", "Zqx&7Vkw9Jpt"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_characters_that_are_not_escaped_give_nothing_away(shop, password):
    """The error says which to escape; escaped, the password is taken."""
    target, url = shop
    odd = url.replace(CANARY, password)
    for words in (("ls", "jobs"), ("config",), ("worker", "--burst"), ("migrate",)):
        keeps_the_secret(told(*words, target=target, url=odd)[0])
    with pytest.raises(RotulusError) as caught:
        read_address(odd)
        App(odd, registry=TaskRegistry()).store.count()
        raise RotulusError("it was taken as it is")
    keeps_the_secret("".join(traceback.format_exception(caught.value)))

    escaped = url.replace(CANARY, quote(password, safe=""))
    assert [] == App(escaped, registry=TaskRegistry()).store.count()


def broken(url):
    """URLs that lead nowhere, by what is wrong with them."""
    return {
        "unknown scheme": url.replace("postgresql://", "postgresql+psycopg://"),
        "mistyped scheme": url.replace("postgresql://", "postgrsql://"),
        "no scheme": url.replace("postgresql://", ""),
        "nobody listens": f"postgresql://rotulus:{CANARY}@127.0.0.1:{free_port()}/x",
        "no such host": f"postgresql://rotulus:{CANARY}@nowhere.invalid/x",
        "no such database": f"{url}nono",
        "no such role": url.replace("rotulus:", "nobody:"),
        "no port": f"postgresql://rotulus:{CANARY}@127.0.0.1:port/x",
        "not an option": f"{url}?nonsense=1",
        "a bad deadline": f"{url}?deadline=soon",
        "a bad schema": f"{url}?schema=A+B",
        "password as an option": f"{url}nono?password={CANARY}",
        "password with an @ as an option": f"{url}nono?password=Zqx@{CANARY}",
        "of a file": f"sqlite://rotulus:{CANARY}@127.0.0.1/x",
    }


@pytest.mark.parametrize("what", broken("postgresql://"))
def test_a_url_that_leads_nowhere_gives_nothing_away(shop, what):
    """On the command line, from Python, and to a runner of workflows."""
    target, url = shop
    wrong = broken(url)[what]
    for words in (("ls", "jobs"), ("config",), ("check",), ("migrate",), ("enqueue", "shout", "x")):
        text, code = told(*words, target=target, url=wrong)
        keeps_the_secret(text)
        assert code or words == ("config",)
    for use in (lambda: App(wrong, registry=TaskRegistry()).store.count(), lambda: runner(wrong)):
        with pytest.raises(RotulusError) as caught:
            use()
        keeps_the_secret("".join(traceback.format_exception(caught.value)))


def runner(url):
    """A runner that is used."""
    with DefaultRunner.with_schema(url, "s") as made:
        made.execute("flow", {})


def test_a_url_in_the_place_of_an_app_gives_nothing_away(shop):
    """Whoever mixes up the two sees the error in a log."""
    for words in (("worker",), ("ls", "jobs", "--app"), ("config", "--app"), ("dev",)):
        keeps_the_secret(told(*words, shop[1])[0])
    keeps_the_secret(told("ls", "jobs", target=shop[1])[0])


def test_settings_in_a_file_give_nothing_away(tmp_path, monkeypatch):
    """A URL in the wrong place is a mistake that ends up in a log, too."""
    url = f"postgrsql://rotulus:{CANARY}@127.0.0.1/x"
    monkeypatch.chdir(tmp_path)
    for line in (f'url = "{url}"', f'urll = "{url}"', f'slots = "{url}"', f'url = ["{url}"]'):
        (tmp_path / "pyproject.toml").write_text(f"[tool.rotulus]\n{line}\n")
        with pytest.raises(RotulusError) as caught:
            load_settings()
        keeps_the_secret(str(caught.value))


def test_what_objects_say_of_themselves_gives_nothing_away(shop, caplog):
    """As they appear in tracebacks, debuggers and logs."""
    caplog.set_level(logging.DEBUG)
    _, url = shop
    app = App(url, registry=TaskRegistry())
    other = DefaultRunner(url, registry=TaskRegistry())
    keeps_the_secret(f"{app!r} {app.store!r} {app.store.url} {app.settings!r} {other!r}")
    with pytest.warns(UserWarning, match="Another App is open") as warned:
        App(f"{url}?schema=other", registry=app.registry).close()
    keeps_the_secret("".join(str(each.message) for each in warned))
    other.shutdown()
    app.close()
    keeps_the_secret(caplog.text)
