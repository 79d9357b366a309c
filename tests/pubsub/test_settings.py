"""Settings of the Pub/Sub door: where they come from, and what is refused."""

import pytest

from rotulus import App, TaskRegistry
from rotulus.errors import OptionError
from rotulus.pubsub import PubSubSettings, TaskRoute
from rotulus.pubsub.settings import GOOGLE_KEYS, add_source, remove_source


def send(): ...


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    """No variable of the machine."""
    for name in ("GCP_PROJECT_ID", "TASKS_ENVIRONMENT", "TASKS_NAMESPACE", "PUBSUB_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def framework():
    """The settings of a framework, which come before the environment."""
    values = {}
    add_source(values)
    yield values
    remove_source(values)


def test_an_empty_environment_has_defaults():
    """Of those that have one."""
    assert PubSubSettings() == PubSubSettings.from_env({})
    assert GOOGLE_KEYS == PubSubSettings().keys_url
    assert (400, "rotulus") == (PubSubSettings().reject_status, PubSubSettings().namespace)


def test_every_variable_is_read():
    """And what is only spaces is not set."""
    settings = PubSubSettings.from_env(
        {
            "GCP_PROJECT_ID": " shop-prod ",
            "SCHEDULER_LOCATION": "  ",
            "TASKS_NAMESPACE": "shop",
            "ROTULUS_OIDC_JWKS_URL": "http://127.0.0.1:8000/keys",
            "ROTULUS_REJECT_STATUS": "204",
            "ROTULUS_PUSH_SUBSCRIPTIONS": "prod--shop.*, projects/p/subscriptions/orders-sub",
            "PUBSUB_EMULATOR_HOST": "127.0.0.1:8085",
            "CLOUD_SCHEDULER_EMULATOR_HOST": "127.0.0.1:8086",
        }
    )

    assert settings == PubSubSettings(
        project_id="shop-prod",
        namespace="shop",
        keys_url="http://127.0.0.1:8000/keys",
        reject_status=204,
        subscriptions=("prod--shop.*", "orders-sub"),
        pubsub_emulator="127.0.0.1:8085",
        scheduler_emulator="127.0.0.1:8086",
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CLOUD_RUN_SERVICE_URL", "shop.a.run.app"),
        ("CLOUD_RUN_SERVICE_URL", "http://shop.a.run.app"),
        ("CLOUD_RUN_SERVICE_URL", "https://"),
        ("CLOUD_RUN_SERVICE_URL", "https://[::1"),
        ("ROTULUS_OIDC_JWKS_URL", "http://keys.example.com"),
        ("ROTULUS_OIDC_JWKS_URL", "file:///etc/keys"),
        ("TASKS_SERVICE_ACCOUNT", "pubsub-invoker"),
        ("ROTULUS_REJECT_STATUS", "200"),
        ("ROTULUS_REJECT_STATUS", "four hundred"),
        ("ROTULUS_PUSH_SUBSCRIPTIONS", ","),
        ("ROTULUS_PUSH_SUBSCRIPTIONS", "orders-sub,"),
        ("ROTULUS_PUSH_SUBSCRIPTIONS", "orders sub"),
    ],
)
def test_a_value_that_would_not_do_is_refused_by_the_name_of_its_variable(variable, text):
    """With one that would."""
    with pytest.raises(OptionError, match=rf"^{variable}=.* is not allowed: .*{variable}="):
        PubSubSettings.from_env({variable: text})


def test_settings_of_a_framework_come_before_the_environment(monkeypatch, framework):
    """In settings, and in the names of a route; each time anew."""
    monkeypatch.setenv("TASKS_ENVIRONMENT", "staging")
    framework["TASKS_ENVIRONMENT"] = "prod"
    route = TaskRoute(send)

    assert "prod" == PubSubSettings.from_env().environment
    assert route.topic_name.startswith("prod--rotulus.tasks--")
    del framework["TASKS_ENVIRONMENT"]
    assert route.topic_name.startswith("staging--")


def test_a_source_is_added_once(framework):
    """However often a framework is set up; taken away, it counts no more."""
    add_source(framework)
    framework["GCP_PROJECT_ID"] = "shop"
    assert "shop" == PubSubSettings.from_env().project_id

    remove_source(framework)
    assert "" == PubSubSettings.from_env().project_id


def test_an_app_does_not_complain_of_these_variables(monkeypatch, caplog):
    """Three of them begin as the settings of an app do."""
    monkeypatch.setenv("ROTULUS_REJECT_STATUS", "204")
    monkeypatch.setenv("ROTULUS_OIDC_JWKS_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("ROTULUS_PUSH_SUBSCRIPTIONS", "orders-sub")

    App("sqlite://", registry=TaskRegistry()).close()
    assert "no setting" not in caplog.text
