"""What needs an extra that is not installed says which, at each door, and costs nothing before."""

import subprocess
import sys

import pytest


def ran(*words):
    """A program of this Python that has ended."""
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


def without(module, code):
    """What a program prints for which a package is not installed."""
    done = ran("-c", f"import sys; sys.modules[{module!r}] = None\n{code}")
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("package", "name", "module", "extra"),
    [
        ("rotulus.client", "Client", "httpx2", "client"),
        ("rotulus.client", "ChangeStream", "httpx2", "client"),
        ("rotulus.mcp", "serve_app", "mcp", "mcp"),
        ("rotulus.mcp", "serve_url", "httpx2", "mcp"),
        ("rotulus.service", "service_of", "fastapi", "service"),
        ("rotulus.pubsub", "PubSubCarrier", "google", "gcp"),
    ],
)
def test_a_name_says_which_extra_it_needs(package, name, module, extra):
    """With the command that installs it."""
    code = (
        f"import {package}, rotulus\n"
        f"try: {package}.{name}\n"
        f"except rotulus.ConfigurationError as error: print(error)"
    )

    assert f"{package}.{name} needs {module}: pip install 'rotulus[{extra}]'\n" == without(
        module, code
    )


@pytest.mark.parametrize("package", ["rotulus.client", "rotulus.mcp"])
def test_a_package_is_imported_without_its_extra(package):
    """And loads nothing of it, so that a program pays only for what it takes."""
    code = (
        f"import {package}; print(dir({package})[0])\n"
        "print([n for n in ('httpx2', 'mcp', 'fastapi', 'sqlalchemy') if n in sys.modules])"
    )

    assert without("nothing", code).endswith("[]\n")
    assert without("httpx2", code)


def test_values_of_answers_need_no_extra():
    """A program that only tells them apart does not send anything."""
    code = "from rotulus.client import Job, ServiceError, Timeline; print(Job.__name__)"

    assert "Job\n" == without("httpx2", code)


@pytest.mark.parametrize("missing", ["mcp", "httpx2"])
def test_the_command_for_assistants_says_what_it_needs(missing):
    """In one line, with the exit code of wrong configuration."""
    code = f"import sys; sys.modules[{missing!r}] = None; from rotulus.cli.main import main; main()"
    done = ran("-c", code, "mcp", "shop:app")

    assert 3 == done.returncode
    assert "pip install 'rotulus[mcp]'" in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_a_name_that_is_not_there_is_no_extra():
    """It is told as Python tells it."""
    code = (
        "import rotulus.client\n"
        "try: rotulus.client.Nothing\n"
        "except AttributeError as error: print(error)"
    )

    assert "module 'rotulus.client' has no attribute 'Nothing'\n" == without("nothing", code)
