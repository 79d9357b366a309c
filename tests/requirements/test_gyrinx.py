"""G-01 to G-39: the reference of the fifth source document."""

from datetime import UTC, datetime

import pytest

from requirements.gyrinx_tasks import (
    cleanup_old_data,
    generate_report,
    send_daily_report,
    send_welcome_email,
)
from rotulus import Schedule, TaskRegistry, task
from rotulus.errors import ConfigurationError, OptionError
from rotulus.pubsub import PubSubSettings, TaskRoute

pytestmark = pytest.mark.requirement

TABLE = {
    "*/10 * * * *": ["Mon 15 Jan 12:10", "Mon 15 Jan 12:20", "Mon 15 Jan 12:30"],
    "0 * * * *": ["Mon 15 Jan 13:00", "Mon 15 Jan 14:00", "Mon 15 Jan 15:00"],
    "0 3 * * *": ["Tue 16 Jan 03:00", "Wed 17 Jan 03:00", "Thu 18 Jan 03:00"],
    "0 9 * * 1": ["Mon 22 Jan 09:00", "Mon 29 Jan 09:00", "Mon 05 Feb 09:00"],
    "0 0 1 * *": ["Thu 01 Feb 00:00", "Fri 01 Mar 00:00", "Mon 01 Apr 00:00"],
}
"""The document's expressions, and when each is due next at noon of 15 January 2024."""


@pytest.fixture(autouse=True)
def gyrinx(monkeypatch):
    """The environment of the document's examples."""
    for name in ("GCP_PROJECT_ID", "CLOUD_RUN_SERVICE_URL", "TASKS_SERVICE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TASKS_ENVIRONMENT", "prod")
    monkeypatch.setenv("TASKS_NAMESPACE", "gyrinx")


@pytest.mark.parametrize("kind", ["plain", "task"])
def test_G_02_a_route_has_a_task_or_a_plain_function(kind):
    """One is required, of either kind."""
    given = send_welcome_email
    if kind == "task":
        given = task(name="emails.welcome", registry=TaskRegistry())(send_welcome_email)

    assert send_welcome_email is TaskRoute(given).function
    with pytest.raises(TypeError, match="func"):
        TaskRoute()


def test_G_03_to_G_07_parameters_have_the_defaults_of_the_table():
    """Name by name, in its order."""
    route = TaskRoute(send_welcome_email)

    assert (300, 10, 600) == (route.ack_deadline, route.min_retry_delay, route.max_retry_delay)
    assert (None, "UTC") == (route.schedule, route.schedule_timezone)
    assert route == TaskRoute(send_welcome_email, 300, 10, 600, None, "UTC")


@pytest.mark.parametrize("seconds", [10, 11, 300, 599, 600])
def test_G_03_the_ack_deadline_may_be_10_to_600(seconds):
    """Both ends included."""
    assert seconds == TaskRoute(send_welcome_email, ack_deadline=seconds).ack_deadline


@pytest.mark.parametrize("seconds", [9, 601, 0, -1, 30.0, "30", None, True])
def test_G_03_no_other_ack_deadline_is_taken(seconds):
    """The message says which are."""
    with pytest.raises(OptionError, match="ack_deadline=.*from 10 to 600"):
        TaskRoute(send_welcome_email, ack_deadline=seconds)


def test_G_05_the_longest_delay_has_no_limit():
    """A day is one, too."""
    assert 86_400 == TaskRoute(send_welcome_email, max_retry_delay=86_400).max_retry_delay


def test_G_08_name_is_that_of_the_function():
    """Also if the task has another one, which `task_name` gives."""
    named = task(name="emails.welcome", registry=TaskRegistry())(send_welcome_email)

    assert "send_welcome_email" == TaskRoute(send_welcome_email).name == TaskRoute(named).name
    assert "emails.welcome" == TaskRoute(named).task_name


def test_G_09_path_is_the_module_and_the_name():
    """As an import would have it."""
    assert "gyrinx.core.tasks.send_welcome_email" == TaskRoute(send_welcome_email).path


def test_G_10_topics_are_called_by_environment_and_path():
    """As in the document's example."""
    topic = "prod--gyrinx.tasks--gyrinx.core.tasks.send_welcome_email"

    assert topic == TaskRoute(send_welcome_email).topic_name


def test_G_11_only_scheduled_tasks_have_a_scheduler_job():
    """The name of another one's is an error."""
    assert TaskRoute(cleanup_old_data, schedule="0 3 * * *").scheduler_job_name
    with pytest.raises(ValueError, match="^Task cleanup_old_data has no schedule configured"):
        TaskRoute(cleanup_old_data).scheduler_job_name


def test_G_12_is_scheduled_tells_whether_there_is_a_schedule():
    """And nothing else."""
    assert TaskRoute(cleanup_old_data, schedule="0 3 * * *").is_scheduled
    assert not TaskRoute(cleanup_old_data, schedule_timezone="Europe/London").is_scheduled


def test_G_13_the_examples_make_routes():
    """All four of them."""
    routes = [
        TaskRoute(send_welcome_email),
        TaskRoute(generate_report, ack_deadline=600, min_retry_delay=30, max_retry_delay=600),
        TaskRoute(cleanup_old_data, schedule="0 3 * * *"),
        TaskRoute(send_daily_report, schedule="0 9 * * *", schedule_timezone="Europe/London"),
    ]

    assert "TaskRoute(generate_report, ack_deadline=600)" == repr(routes[1])
    assert "TaskRoute(cleanup_old_data, ack_deadline=300, schedule='0 3 * * *')" == repr(routes[2])
    assert ["UTC", "Europe/London"] == [route.schedule_timezone for route in routes[2:]]


@pytest.mark.parametrize(
    "cron",
    ["0 0 1 1 0", "59 23 31 12 6", "30 4 1,15 * 0-6", "0-59/5 8-17 * * 1-5", "*/7 */3 * * *"],
)
def test_G_14_five_fields_with_the_ranges_of_the_table(cron):
    """From the least to the greatest value of each."""
    assert cron == TaskRoute(cleanup_old_data, schedule=cron).schedule


@pytest.mark.parametrize(
    "cron",
    [
        *("60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *"),
        *("* * * * 7", "* * * * 1-7", "99 99 99 99 99", "*/0 * * * *", "30-10 * * * *"),
        *("* * * *", "* * * * * *", "", "@daily", "* * * * MON", "* * * JAN *", "*,5 * * * *"),
        *("1,*/5 * * * *", "? * * * *", "* * L * *", "5/15 * * * *", "-1 * * * *", "1, * * * *"),
        *("0 0 30 2 *", "0 0 31 4,6 *", 5, b"* * * * *"),
    ],
)
def test_G_14_nothing_else_is_a_schedule(cron):
    """Beyond the ranges, names, aliases, and what never comes."""
    problem = r"^Invalid cron expression: .*\. Expected 5 space-separated fields \(minute hour "
    problem += r"day-of-month month day-of-week\)\. Example: "
    with pytest.raises(ValueError, match=problem):
        TaskRoute(cleanup_old_data, schedule=cron)


@pytest.mark.parametrize("cron", TABLE)
def test_G_15_the_examples_are_due_when_the_table_says(cron):
    """In UTC."""
    route = TaskRoute(cleanup_old_data, schedule=cron)
    noon = datetime(2024, 1, 15, 12, tzinfo=UTC)

    assert TABLE[cron] == [f"{at:%a %d %b %H:%M}" for at in Schedule(route.schedule).next(noon, 3)]


def test_G_07_a_zone_is_checked_if_there_is_a_schedule():
    """It has to be one of the IANA's."""
    assert TaskRoute(cleanup_old_data, schedule="0 3 * * *", schedule_timezone="Asia/Kolkata")
    assert TaskRoute(cleanup_old_data, schedule_timezone="Mars/Base")
    with pytest.raises(
        ValueError, match=r"^Invalid timezone: 'Mars/Base'\. Must be a valid IANA timezone \("
    ):
        TaskRoute(cleanup_old_data, schedule="0 3 * * *", schedule_timezone="Mars/Base")


def test_G_16_what_production_needs_is_asked_for_by_name():
    """All of it at once, with an example for each."""
    settings = PubSubSettings.from_env()
    names = ("project_id", "service_url", "service_account")

    with pytest.raises(
        ConfigurationError,
        match="GCP_PROJECT_ID=.*CLOUD_RUN_SERVICE_URL=https://.*TASKS_SERVICE_ACCOUNT=.*@",
    ):
        settings.require(*names)


def test_G_16_what_production_has_is_read_from_the_environment(monkeypatch):
    """As the document's examples have it."""
    monkeypatch.setenv("GCP_PROJECT_ID", "gyrinx-prod")
    monkeypatch.setenv("CLOUD_RUN_SERVICE_URL", "https://gyrinx-xyz123-ew.a.run.app")
    monkeypatch.setenv("TASKS_SERVICE_ACCOUNT", "pubsub-invoker@project.iam.gserviceaccount.com")
    settings = PubSubSettings.from_env()

    settings.require("project_id", "service_url", "service_account")
    assert "gyrinx-prod" == settings.project_id
    assert "https://gyrinx-xyz123-ew.a.run.app" == settings.service_url
    assert "pubsub-invoker@project.iam.gserviceaccount.com" == settings.service_account


def test_G_17_the_environment_is_dev_and_the_region_europe_west2(monkeypatch):
    """Unless the environment says otherwise."""
    assert "prod" == PubSubSettings.from_env().environment
    monkeypatch.delenv("TASKS_ENVIRONMENT")

    settings = PubSubSettings.from_env()
    assert ("dev", "europe-west2") == (settings.environment, settings.scheduler_location)
    assert "dev--gyrinx.tasks--" in TaskRoute(cleanup_old_data).topic_name


def test_G_28_the_environment_is_read_when_a_name_is_asked_for(monkeypatch):
    """Not when the route is made."""
    route = TaskRoute(send_welcome_email)
    monkeypatch.setenv("TASKS_ENVIRONMENT", "staging")

    assert "staging--gyrinx.tasks--gyrinx.core.tasks.send_welcome_email" == route.topic_name


def test_G_29_a_subscription_is_called_after_its_topic():
    """With an ending."""
    route = TaskRoute(send_welcome_email)

    assert "prod--gyrinx.tasks--gyrinx.core.tasks.send_welcome_email-sub" == route.subscription_name


def test_G_30_and_G_31_a_scheduler_job_has_hyphens_for_dots():
    """And keeps underscores."""
    route = TaskRoute(cleanup_old_data, schedule="0 3 * * *")

    assert "prod--gyrinx-scheduler--gyrinx-core-tasks-cleanup_old_data" == route.scheduler_job_name
