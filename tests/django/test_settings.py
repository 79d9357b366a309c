"""Settings of Pub/Sub in those of Django, and in the environment."""

import pytest
from django.test.utils import override_settings

from rotulus.django import TaskRoute
from rotulus.django.settings import DjangoSettings
from rotulus.pubsub import PubSubSettings


def work():
    """Something to have a route."""


@pytest.mark.requirement("G-20")
def test_G_20_settings_of_django_come_before_the_environment(monkeypatch):
    """What is not there, None, or an empty text is left to it, and else has its default."""
    monkeypatch.setenv("TASKS_ENVIRONMENT", "staging")
    assert TaskRoute(work).topic_name.startswith("staging--")
    with override_settings(TASKS_ENVIRONMENT="prod", ROTULUS_REJECT_STATUS=204):
        assert TaskRoute(work).topic_name.startswith("prod--")
        assert ("prod", 204) == (
            PubSubSettings.from_env().environment,
            PubSubSettings.from_env().reject_status,
        )
    for empty in (None, ""):
        with override_settings(TASKS_ENVIRONMENT=empty):
            assert "staging" == PubSubSettings.from_env().environment
    monkeypatch.delenv("TASKS_ENVIRONMENT")
    assert "dev" == PubSubSettings.from_env().environment


def test_they_are_a_mapping_that_is_read_only():
    """Of those settings that Pub/Sub has."""
    found = DjangoSettings()

    assert "SECRET_KEY" not in list(found)
    with override_settings(GCP_PROJECT_ID="shop"):
        assert {"GCP_PROJECT_ID": "shop"} == dict(found)
        assert 1 == len(found)
        with pytest.raises(TypeError, match="GCP_PROJECT_ID is a setting of Django"):
            found["GCP_PROJECT_ID"] = "other"
        with pytest.raises(TypeError, match="GCP_PROJECT_ID is a setting of Django"):
            del found["GCP_PROJECT_ID"]
