"""The door of Pub/Sub: what it loads, and what it says when the extra is not installed."""

import subprocess
import sys

import pytest


def told(code):
    """What a program prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_routes_load_nothing_heavy():
    """They are declared beside tasks, in every process."""
    code = (
        "import sys; from rotulus.pubsub import PubSubSettings, TaskRoute\n"
        "def send(): ...\n"
        "TaskRoute(send, schedule='0 3 * * *').topic_name; PubSubSettings.from_env()\n"
        "heavy = ['google', 'grpc', 'jwt', 'cryptography', 'fastapi', 'starlette', 'django']\n"
        "print([name for name in heavy if name in sys.modules])"
    )

    assert "[]\n" == told(code)


def test_a_handler_loads_no_client_of_google_and_no_framework():
    """It only checks tokens: who pushes needs a client."""
    code = (
        "import sys; from rotulus.pubsub import PushHandler, TokenVerifier\n"
        "print([n for n in ('google', 'grpc', 'fastapi', 'starlette') if n in sys.modules])"
    )

    assert "[]\n" == told(code)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("TokenVerifier", "jwt", "gcp"),
        ("PubSubCarrier", "google", "gcp"),
        ("make_push_router", "fastapi", "service"),
    ],
)
def test_what_lacks_an_extra_says_which(name, module, extra):
    """With the command that installs it."""
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "import rotulus.pubsub\n"
        f"try: rotulus.pubsub.{name}\n"
        "except rotulus.ConfigurationError as error: print(error)"
    )

    assert f"rotulus.pubsub.{name} needs {module}" in told(code)
    assert f"pip install 'rotulus[{extra}]'" in told(code)
