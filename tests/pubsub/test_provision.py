"""Topics, subscriptions and scheduler jobs are what the routes say, whatever was there before."""

import threading

import pytest
from google.api_core.exceptions import NotFound
from google.api_core.retry import Retry
from google.cloud.scheduler_v1 import Job, PubsubTarget

from rotulus.errors import ConfigurationError
from rotulus.pubsub import TaskRoute
from rotulus.pubsub.provision import Action, apply, plan, resource

pytestmark = pytest.mark.anywhere


def send():
    """A task."""


def nightly():
    """A task with a schedule."""


ROUTES = [
    TaskRoute(send, ack_deadline=60, min_retry_delay=20, max_retry_delay=200),
    TaskRoute(nightly, schedule="0 3 * * *", schedule_timezone="Europe/London"),
]
SEND = f"dev--shop.tasks--{__name__}.send"
JOB = f"dev--shop-scheduler--{__name__.replace('.', '-')}-nightly"


def made(google, routes=ROUTES):
    """Plan and apply, and give what is planned then."""
    applied = apply(plan(routes, google.settings, google.clients))
    assert () == applied.problems
    return plan(routes, google.settings, google.clients)


def subscription(google, topic=SEND):
    """A subscription as it is."""
    name = f"{google.project}/subscriptions/{topic}-sub"
    return google.clients.subscriber.get_subscription(subscription=name)


def job(google, name=JOB):
    """A scheduler job as it is."""
    return google.clients.scheduler.get_job(name=f"{google.jobs}/jobs/{name}")


def differences(planned):
    """What changes, by resource and field."""
    return {
        (change.resource.kind, one.field): (one.before, one.after)
        for change in planned.changes
        if change.action is Action.UPDATE
        for one in change.differences
    }


def test_a_first_plan_creates_everything_and_changes_nothing(google):
    """Planning is only reading."""
    planned = plan(ROUTES, google.settings, google.clients)

    assert {Action.CREATE} == {change.action for change in planned.changes}
    assert [] == list(google.clients.publisher.list_topics(project=google.project))
    assert [] == list(google.clients.scheduler.list_jobs(parent=google.jobs))


def test_applying_twice_leaves_nothing_to_do(google):
    """Every field that is set is read back as it was set."""
    again = made(google)

    assert again.is_empty
    assert {Action.KEEP} == {change.action for change in again.changes}
    assert 8 == len(again.changes)


def test_a_subscription_says_what_its_route_says(google):
    """Endpoint, token, deadline, delays, dead letters, and that it never expires."""
    made(google)

    found = subscription(google)
    assert "http://127.0.0.1:9/tasks/pubsub/" == found.push_config.push_endpoint
    assert "http://127.0.0.1:9" == found.push_config.oidc_token.audience
    assert google.settings.service_account == found.push_config.oidc_token.service_account_email
    assert 60 == found.ack_deadline_seconds
    assert (20, 200) == (
        found.retry_policy.minimum_backoff.total_seconds(),
        found.retry_policy.maximum_backoff.total_seconds(),
    )
    assert f"{google.project}/topics/dev--shop.tasks-dead-letter" == (
        found.dead_letter_policy.dead_letter_topic
    )
    assert 10 == found.dead_letter_policy.max_delivery_attempts
    assert "expiration_policy" in found
    assert not found.expiration_policy.ttl


def test_dead_letters_are_kept_by_a_subscription_to_be_pulled_from(google):
    """A topic without a subscription would lose them."""
    made(google)

    kept = subscription(google, "dev--shop.tasks-dead-letter")
    assert "" == kept.push_config.push_endpoint
    assert not kept.expiration_policy.ttl


def test_a_scheduler_job_publishes_what_its_route_says(google):
    """Cron, zone, retries, and a payload that names no moment."""
    made(google)

    found = job(google)
    assert ("0 3 * * *", "Europe/London") == (found.schedule, found.time_zone)
    assert found.pubsub_target.topic_name.endswith(f"{__name__}.nightly")
    assert b'"task_id":"scheduled-' in found.pubsub_target.data
    assert b"enqueued_at" not in found.pubsub_target.data
    assert {"task": f"{__name__}.nightly"} == dict(found.pubsub_target.attributes)
    assert (3, 5, 300) == (
        found.retry_config.retry_count,
        found.retry_config.min_backoff_duration.total_seconds(),
        found.retry_config.max_backoff_duration.total_seconds(),
    )


def test_a_job_of_its_own_asks_for_a_tick_each_minute(google):
    """With a token for this service."""
    made(google)

    found = job(google, "dev--shop-tick")
    assert "* * * * *" == found.schedule
    assert "http://127.0.0.1:9/tasks/tick" == found.http_target.uri
    assert "http://127.0.0.1:9" == found.http_target.oidc_token.audience


CHANGES = {
    "ack_deadline": {"ack_deadline": 90},
    "min_retry_delay": {"min_retry_delay": 30},
    "max_retry_delay": {"max_retry_delay": 300},
    "max_delivery_attempts": {"max_delivery_attempts": 20},
}


@pytest.mark.parametrize("field", CHANGES)
def test_each_changed_option_of_a_route_is_one_difference(google, field):
    """It is told with its values before and after, and applied."""
    options = {"ack_deadline": 60, "min_retry_delay": 20, "max_retry_delay": 200}
    made(google, ROUTES)
    routes = [TaskRoute(send, **{**options, **CHANGES[field]}), ROUTES[1]]

    planned = plan(routes, google.settings, google.clients)
    assert {("subscription", field)} == set(differences(planned))
    before, after = differences(planned)["subscription", field]
    assert after == CHANGES[field][field] != before
    assert made(google, routes).is_empty


SETTINGS = {
    ("service_url", "http://127.0.0.1:10"): {
        ("subscription", "push_endpoint"),
        ("subscription", "audience"),
        ("scheduler job", "url"),
        ("scheduler job", "audience"),
    },
    ("service_account", "other@shop.iam.gserviceaccount.com"): {
        ("subscription", "service_account"),
        ("scheduler job", "service_account"),
    },
}


@pytest.mark.parametrize(("setting", "value"), SETTINGS)
def test_each_changed_setting_is_a_difference_of_what_it_is_in(google, changed, setting, value):
    """Endpoint, audience and service account are compared, too."""
    made(google)
    other = changed(google, **{setting: value})

    planned = plan(ROUTES, other.settings, other.clients)
    assert SETTINGS[setting, value] == set(differences(planned))
    assert made(other).is_empty


@pytest.mark.parametrize(
    ("field", "route"),
    {
        "schedule": TaskRoute(nightly, schedule="0 4 * * *", schedule_timezone="Europe/London"),
        "timezone": TaskRoute(nightly, schedule="0 3 * * *", schedule_timezone="Asia/Tokyo"),
    }.items(),
)
def test_each_changed_schedule_is_a_difference(google, field, route):
    """Its expression, and its zone."""
    made(google)

    planned = plan([ROUTES[0], route], google.settings, google.clients)
    assert {("scheduler job", field)} == set(differences(planned))
    assert made(google, [ROUTES[0], route]).is_empty


def test_a_job_that_somebody_changed_by_hand_is_brought_back(faked):
    """Its payload, its attributes and its retries are compared."""
    made(faked)
    found = job(faked)
    found.pubsub_target = PubsubTarget(
        topic_name=found.pubsub_target.topic_name, data=b"{}", attributes={"task": "another"}
    )
    found.retry_config.retry_count = 1
    mask = {"paths": ["pubsub_target", "retry_config"]}
    faked.clients.scheduler.update_job(job=found, update_mask=mask)

    planned = plan(ROUTES, faked.settings, faked.clients)
    assert {"payload", "attributes", "retries"} == {field for _, field in differences(planned)}
    assert made(faked).is_empty


def test_a_job_that_somebody_paused_stays_paused(faked):
    """Whoever paused it had a reason."""
    made(faked)
    faked.clients.scheduler.pause_job(name=f"{faked.jobs}/jobs/{JOB}")

    assert made(faked).is_empty
    assert Job.State.PAUSED == job(faked).state


def test_orphans_are_deleted_under_our_own_prefix_only(faked):
    """A schedule that is gone from the routes goes; jobs of others stay."""
    made(faked)
    for other in ("prod--shop-scheduler--x", "dev--shop2-scheduler--x", "dev--shop-scheduler-x"):
        target = PubsubTarget(topic_name=f"{faked.project}/topics/{SEND}", data=b"{}")
        there = Job(name=f"{faked.jobs}/jobs/{other}", schedule="* * * * *", pubsub_target=target)
        faked.clients.scheduler.create_job(parent=faked.jobs, job=there)

    other = "dev--shop-scheduler--x-scheduler--y"  # of the namespace `shop-scheduler--x`
    topic = f"{faked.project}/topics/dev--shop-scheduler--x.tasks--y"
    target = PubsubTarget(topic_name=topic, data=b"{}")
    there = Job(name=f"{faked.jobs}/jobs/{other}", schedule="* * * * *", pubsub_target=target)
    faked.clients.scheduler.create_job(parent=faked.jobs, job=there)

    planned = plan(ROUTES[:1], faked.settings, faked.clients)
    assert [JOB] == [c.resource.name.rpartition("/")[2] for c in planned.work]
    assert {Action.DELETE} == {change.action for change in planned.work}
    assert made(faked, ROUTES[:1]).is_empty
    left = faked.clients.scheduler.list_jobs(parent=faked.jobs)
    assert {
        "dev--shop-tick",
        "prod--shop-scheduler--x",
        "dev--shop2-scheduler--x",
        "dev--shop-scheduler-x",
        "dev--shop-scheduler--x-scheduler--y",
    } == {one.name.rpartition("/")[2] for one in left}


def test_a_job_of_another_namespace_is_neither_changed_nor_deleted(faked, changed):
    """`shop.api` and `shop-api` have the same names of scheduler jobs: both are told, by name."""
    first = changed(faked, namespace="shop.api")
    second = changed(faked, namespace="shop-api")
    made(first)
    before = list(faked.clients.scheduler.list_jobs(parent=faked.jobs))
    for routes in (ROUTES, ROUTES[:1]):
        applied = apply(plan(routes, second.settings, second.clients))
        texts = {problem.name.rpartition("/")[2]: problem.text for problem in applied.problems}

        own = {JOB.replace("shop", "shop-api"), "dev--shop-api-tick"}
        assert (own if routes is ROUTES else {"dev--shop-api-tick"}) == set(texts)
        for text in texts.values():
            assert "belongs to 'dev--shop.api', not to 'dev--shop-api'" in text
            assert "another TASKS_NAMESPACE" in text
    assert before == list(faked.clients.scheduler.list_jobs(parent=faked.jobs))
    assert made(first).is_empty


def test_a_job_that_another_namespace_makes_meanwhile_is_left(faked, changed):
    """It is looked at again, as it is there already."""
    first = changed(faked, namespace="shop.api")
    second = changed(faked, namespace="shop-api")
    planned = plan(ROUTES, second.settings, second.clients)
    made(first)

    assert {"belongs to 'dev--shop.api'"} == {
        problem.text[problem.text.index("belongs") :].partition(",")[0]
        for problem in apply(planned).problems
    }
    assert made(first).is_empty


def test_a_delay_that_pubsub_does_not_have_is_told(faked):
    """The subscription gets the longest one that there is."""
    long = TaskRoute(send, min_retry_delay=700, max_retry_delay=3600)
    planned = plan([long, ROUTES[1]], faked.settings, faked.clients)

    shortest, longest = planned.notes
    assert "min_retry_delay=700 is longer than Pub/Sub waits" in shortest
    assert longest.startswith("TaskRoute(send, ack_deadline=300): max_retry_delay=3600 is longer")
    assert longest.endswith("its subscription gets 600 seconds")
    made(faked, [long])
    assert 600 == subscription(faked).retry_policy.maximum_backoff.total_seconds()


def test_a_subscription_whose_topic_was_deleted_is_replaced(google):
    """Such a subscription is bound to nothing, for ever."""
    made(google)
    google.clients.publisher.delete_topic(topic=f"{google.project}/topics/{SEND}")

    planned = plan(ROUTES, google.settings, google.clients)
    assert [Action.CREATE, Action.REPLACE] == [change.action for change in planned.work]
    assert made(google).is_empty
    assert f"{google.project}/topics/{SEND}" == subscription(google).topic


def test_one_failing_route_does_not_stop_the_others(faked):
    """Google refuses what it does not take, and the rest is made."""
    wrong = TaskRoute(nightly, schedule="0 3 * * *", schedule_timezone="UTC")
    object.__setattr__(wrong, "max_delivery_attempts", 1000)  # as a newer Google might refuse 100

    applied = apply(plan([wrong, ROUTES[0]], faked.settings, faked.clients))

    assert [f"{__name__}.nightly"] == [problem.route for problem in applied.problems]
    assert "max_delivery_attempts" in applied.problems[0].text
    assert subscription(faked).ack_deadline_seconds == 60
    with pytest.raises(NotFound):
        job(faked)  # it would fire into a topic that nobody is subscribed to


def test_a_route_whose_name_google_does_not_take_is_a_problem_of_its_own(faked):
    """The other routes are planned."""

    def long():
        """A task."""

    long.__name__ = "x" * 260

    planned = plan([TaskRoute(long), ROUTES[0]], faked.settings, faked.clients)

    assert 1 == len(planned.problems)
    assert "255" in planned.problems[0].text or "251" in planned.problems[0].text
    assert 1 == sum(
        change.route == f"{__name__}.send"
        for change in planned.work
        if (change.resource.kind == "topic")
    )


def test_two_that_apply_at_the_same_moment_both_succeed(google):
    """What the other one has made meanwhile is compared, and is as it is to be."""
    plans = [plan(ROUTES, google.settings, google.clients) for _ in range(4)]
    applied = []
    threads = [threading.Thread(target=lambda one=one: applied.append(apply(one))) for one in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [()] * 4 == [one.problems for one in applied]
    assert plan(ROUTES, google.settings, google.clients).is_empty


def test_a_resource_that_is_deleted_meanwhile_is_made_again(faked):
    """Between the plan and its application much may happen."""
    made(faked)
    routes = [TaskRoute(send, ack_deadline=90), ROUTES[1]]
    planned = plan(routes, faked.settings, faked.clients)
    name = f"{faked.project}/subscriptions/{SEND}-sub"
    faked.clients.subscriber.delete_subscription(subscription=name)

    applied = apply(planned)

    assert () == applied.problems
    assert [Action.CREATE] == [change.action for change in applied.done]
    assert 90 == subscription(faked).ack_deadline_seconds


def test_what_a_conflict_hides_is_compared_and_mended(faked):
    """Somebody else has made the subscription, and otherwise than it is to be."""
    planned = plan(ROUTES, faked.settings, faked.clients)
    made(faked, [TaskRoute(send, ack_deadline=33), ROUTES[1]])

    applied = apply(planned)

    assert () == applied.problems
    assert 60 == subscription(faked).ack_deadline_seconds


def test_beside_an_emulator_without_a_scheduler_nothing_is_scheduled(project, fake):
    """What is meant for a laptop never reaches Google."""
    google = project(fake.host, "")

    planned = plan(ROUTES, google.settings, google.clients)

    assert {"topic", "subscription"} == {change.resource.kind for change in planned.changes}


def test_a_setting_that_is_missing_is_named(faked, changed):
    """Before anything is asked of Google."""
    other = changed(faked, service_url="", service_account="")

    with pytest.raises(ConfigurationError, match=r"CLOUD_RUN_SERVICE_URL.*TASKS_SERVICE_ACCOUNT"):
        plan(ROUTES, other.settings, other.clients)


def test_what_cannot_be_read_is_a_problem_of_its_route(faked, fake, monkeypatch):
    """Nothing is done where it is not known what there is."""
    monkeypatch.setitem(resource.CALL, "retry", Retry(timeout=1))
    fake.close()
    faked.clients.close()

    planned = plan(ROUTES, faked.settings, faked.clients)

    assert planned.problems
    assert [] == [one for one in planned.work if one.route is not None]
