"""`app.push`: what routes want, what is at Google, and what this process has answered."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from pubsub.pushing import envelope, push
from pubsub.served import Service
from rotulus import App, State, task
from rotulus.errors import ConfigurationError, OptionError, StoreUnavailableError
from rotulus.events import PushAnswered
from rotulus.pubsub import (
    PubSubCarrier,
    PubSubSettings,
    PushRequest,
    TaskRoute,
    TokenVerifier,
    apply,
    plan,
)
from rotulus.testing import SettableClock


@pytest.fixture
def routed(registry):
    """Makes an app with two routes, one of them with a schedule, and settings."""
    made = []

    @task(name="mail.send", registry=registry, timeout=60)
    def send(user_id: int) -> None: ...

    @task(name="nightly", registry=registry)
    def nightly() -> None: ...

    def make(settings, **options):
        routes = [
            TaskRoute(send, **options),
            TaskRoute(nightly, schedule="0 3 * * *", schedule_timezone="Europe/London"),
        ]
        for app in made:
            app.close()
        made.append(App("sqlite://", registry=registry))
        made[-1].carry(PubSubCarrier(routes, settings))
        return made[-1]

    yield make
    for app in made:
        app.close()


@pytest.fixture
def service(registry, verified_settings):
    """A service that checks tokens, and answers two tasks."""
    verifier = TokenVerifier.from_settings(verified_settings)
    made = Service("sqlite://", registry, verified_settings, verifier)
    yield made
    made.app.close()


def bearing(token, body):
    """A push with a token."""
    return push(body, headers=[("Authorization", f"Bearer {token}")])


def names(items):
    """The kinds of resources, and their names."""
    return [(one.kind, one.name) for one in items]


def test_what_routes_want_is_known_without_google(routed):
    """Each resource with all of its fields, in the order of their creation."""
    wanted = routed(
        PubSubSettings(
            project_id="shop-prod",
            service_url="https://shop.example",
            service_account="a@b",
            environment="prod",
            namespace="shop",
        )
    ).push.wanted()

    topic = f"prod--shop.tasks--{__name__}.send"
    assert (True, (), ()) == (wanted.carried, wanted.missing, wanted.problems)
    assert [
        ("topic", "prod--shop.tasks-dead-letter"),
        ("subscription", "prod--shop.tasks-dead-letter-sub"),
        ("topic", topic),
        ("subscription", f"{topic}-sub"),
        ("topic", topic.replace("send", "nightly")),
        ("subscription", topic.replace("send", "nightly") + "-sub"),
        ("scheduler job", f"prod--shop-scheduler--{__name__.replace('.', '-')}-nightly"),
        ("scheduler job", "prod--shop-tick"),
    ] == names(wanted.resources)
    subscription = wanted.resources[3]
    assert ("mail.send", f"{__name__}.send") == (subscription.task, subscription.route)
    assert "https://shop.example/tasks/pubsub/" == subscription.fields["push_endpoint"]
    assert ("shop-prod", "prod--shop", None) == (
        wanted.place.project,
        wanted.place.owner,
        wanted.place.emulator,
    )
    assert wanted.to_dict()["resources"][3]["fields"]["ack_deadline"] == 300


def test_settings_that_are_missing_or_wrong_are_told(routed, monkeypatch):
    """With the variable, its meaning and an example; nothing is raised."""
    wanted = routed(None).push.wanted()
    assert ["GCP_PROJECT_ID", "CLOUD_RUN_SERVICE_URL", "TASKS_SERVICE_ACCOUNT"] == [
        one.variable for one in wanted.missing
    ]
    assert 8 == len(wanted.resources)

    monkeypatch.setenv("TASKS_NAMESPACE", "no--good")
    wanted = routed(None).push.wanted()
    assert (None, ()) == (wanted.place, wanted.resources)
    assert "TASKS_NAMESPACE='no--good' is not allowed" in wanted.problems[0].text


def test_a_route_that_does_not_fit_is_a_problem_and_is_shown(routed):
    """As `rotulus gcp plan` has it."""
    wanted = routed(PubSubSettings(), ack_deadline=30, max_retry_delay=900).push.wanted()

    assert "timeout of 60 seconds is not shorter" in wanted.problems[0].text
    assert ["max_retry_delay=900"] == [note.partition(": ")[2].split()[0] for note in wanted.notes]
    assert 8 == len(wanted.resources)


def test_an_app_without_routes_wants_nothing_and_cannot_compare(app, registry):
    """Nor one whose carrier is of another kind."""
    assert (False, ()) == (app.push.wanted().carried, app.push.wanted().resources)
    with pytest.raises(ConfigurationError, match="This app has no routes"):
        app.push.plan()


def test_a_plan_says_what_is_there_and_changes_nothing(routed, faked):
    """Missing resources, differences, and none any more once the plan is applied."""
    app = routed(faked.settings)
    first = app.push.plan()
    assert {"create"} == {one.action for one in first.changes}
    assert names(app.push.wanted().resources) == names(first.changes)
    assert [] == list(faked.clients.publisher.list_topics(project=faked.project))

    apply(plan(app.carrier.routes, faked.settings, faked.clients))
    assert {"unchanged"} == {one.action for one in app.push.plan().changes}
    later = routed(faked.settings, ack_deadline=120).push.plan()
    [changed] = [one for one in later.changes if one.action != "unchanged"]
    assert ("update", "subscription") == (changed.action, changed.kind)
    assert [("ack_deadline", 300, 120)] == [tuple(one) for one in changed.differences]
    assert ("update", 120) == next(
        (one["action"], one["differences"][0]["after"])
        for one in later.to_dict()["changes"]
        if one["differences"]
    )


def test_a_google_that_does_not_answer_is_a_problem_within_the_patience(routed):
    """Of each route; whatever had no time left is told so."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        app = routed(
            PubSubSettings(
                project_id="shop-prod",
                service_url="https://shop.example",
                service_account="a@b",
                pubsub_emulator=host,
                scheduler_emulator=host,
            )
        )
        began = time.monotonic()
        asked = app.push.plan(patience=1)

    assert time.monotonic() - began < 15
    assert () == asked.changes
    assert {None, f"{__name__}.send", f"{__name__}.nightly"} == {
        one.route for one in asked.problems
    }


def test_settings_are_needed_to_ask(routed):
    """The error names each."""
    with pytest.raises(ConfigurationError, match="Set GCP_PROJECT_ID"):
        routed(PubSubSettings()).push.plan()
    with pytest.raises(OptionError, match="patience=0"):
        routed(PubSubSettings()).push.plan(patience=0)


def test_nothing_of_google_is_imported_unless_it_is_used():
    """Neither by an app, nor by a look at its deliveries and its wants."""
    code = (
        "import sys; from rotulus import App; app = App('sqlite://'); app.push.wanted(); "
        "app.push.deliveries(); app.push.process(); app.close(); "
        "sys.exit(any(name.startswith(('google', 'grpc')) for name in sys.modules))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], timeout=60).returncode


def test_each_push_stands_in_the_list_with_verdict_and_answer(service, signer):
    """The last one first: with message, subscription, task and job, and without its payload."""
    job = service.add.enqueue(3, right=4)
    sent = service.carrier.push()
    body = json.loads(sent.body)
    service.handler.handle(bearing(signer.token(), body))
    service.handler.handle(bearing(signer.token(aud="https://other.example"), body))
    service.handler.handle(PushRequest([], sent.body, "10.0.0.1"))

    unsigned, wrong, right = service.app.push.deliveries()
    assert ("push", "verified", None, 200, "OK") == (
        right.kind, right.verdict, right.refusal, right.status, right.answer,
    )  # fmt: skip
    assert ("numbers.add", job.id) == (right.task, right.job_id)
    assert body["message"]["messageId"] == right.message_id
    assert service.routes[0].subscription_name == right.subscription
    assert 0 < right.seconds < 30
    assert ("refused", 403, "The 'aud' of the token is missing or wrong") == (
        wrong.verdict, wrong.status, wrong.refusal,
    )  # fmt: skip
    assert "0 Authorization headers" in unsigned.refusal
    for refused in (unsigned, wrong):  # nothing that a stranger says is kept
        told = (refused.message_id, refused.subscription, refused.task, refused.job_id)
        assert (None,) * 4 == told


def test_pushes_of_coroutines_and_ticks_stand_there_as_well(service, signer):
    """What was refused for its subscription, too."""
    service.later.enqueue(5)
    body = json.loads(service.carrier.push().body)

    async def main():
        assert 200 == (await service.handler.ahandle(bearing(signer.token(), body))).status
        assert 403 == (await service.handler.ahandle(push(body))).status
        assert 200 == (await service.handler.atick(bearing(signer.token(), {}))).status
        return await service.app.push.adeliveries()

    tick, refused, ran = asyncio.run(main())
    assert ("tick", "verified", 200) == (tick.kind, tick.verdict, tick.status)
    assert ("refused", 403) == (refused.verdict, refused.status)
    assert ("numbers.later", 200) == (ran.task, ran.status)


def test_a_task_that_raises_and_a_message_that_never_runs(service, signer):
    """The answer says which of the two it was."""
    service.fails = 1
    service.add.enqueue()
    service.handler.handle(bearing(signer.token(), json.loads(service.carrier.push().body)))
    unknown = envelope({"task_name": "gone", "args": [], "kwargs": {}})
    service.handler.handle(bearing(signer.token(), unknown))
    service.handler.handle(bearing(signer.token(), {"message": None}))

    unread, unknown, raised = service.app.push.deliveries()
    assert (500, "Task failed", "numbers.add") == (raised.status, raised.answer, raised.task)
    assert (400, "Unknown task", "gone", None) == (
        unknown.status, unknown.answer, unknown.task, unknown.job_id,
    )  # fmt: skip
    assert (400, "Invalid message format", None) == (unread.status, unread.answer, unread.task)


def test_a_handler_that_raises_is_told_without_an_answer(service, signer, monkeypatch):
    """The framework answers then; and a store that is away is an answer as any other."""
    run = service.app.jobs.run
    service.add.enqueue()
    request = bearing(signer.token(), json.loads(service.carrier.push().body))

    def away(_):
        raise StoreUnavailableError("it is away")

    def broken(_):
        raise ZeroDivisionError

    monkeypatch.setattr(service.app.jobs, "run", away)
    assert 503 == service.handler.handle(request).status
    monkeypatch.setattr(service.app.jobs, "run", broken)
    with pytest.raises(ZeroDivisionError):
        service.handler.handle(request)
    monkeypatch.setattr(service.app.jobs, "run", run)

    raised, away = service.app.push.deliveries()
    assert (None, "The handler raised ZeroDivisionError") == (raised.status, raised.answer)
    assert (503, "verified") == (away.status, away.verdict)


def test_a_flood_of_refused_requests_displaces_none_that_was_let_in(service, signer):
    """There is room for two hundred of each."""
    job = service.add.enqueue()
    right = bearing(signer.token(), json.loads(service.carrier.push().body))
    service.handler.handle(right)
    for _ in range(500):
        service.handler.handle(push({}))

    push_list = service.app.push
    assert 201 == len(push_list.deliveries(1000))
    assert [job.id] == [one.job_id for one in push_list.deliveries(refused=False)]
    assert {"refused"} == {one.verdict for one in push_list.deliveries(refused=True)}
    assert 1 == len(push_list.deliveries(1))
    with pytest.raises(OptionError, match="limit=0"):
        push_list.deliveries(0)
    for wrong in ("5", None, 2.5, True):
        with pytest.raises(OptionError, match="limit="):
            push_list.deliveries(wrong)


def test_texts_of_a_message_are_shortened(service, signer):
    """A megabyte of a name is not kept in memory."""
    body = envelope({"task_name": "x" * 100_000, "args": [], "kwargs": {}})
    service.handler.handle(bearing(signer.token(), body))

    [kept] = service.app.push.deliveries()
    assert 300 == len(kept.task)


def test_pushes_without_a_token_are_told_as_local_ones(registry):
    """And an event tells of each, at the moment of a clock that is set."""
    clock, heard = SettableClock(), []
    local = Service("sqlite://", registry, PubSubSettings(), clock=clock)
    local.app.events.subscribe(heard.append, PushAnswered)
    local.add.enqueue()
    local.handler.handle(local.carrier.push())

    [kept] = local.app.push.deliveries()
    assert ("local", State.SUCCEEDED) == (kept.verdict, local.job().state)
    assert [kept] == heard
    assert kept.data()["at"] == kept.at.isoformat()
    process = local.app.push.process()
    assert (socket.gethostname(), clock.now()) == (process.host, process.since)
    local.app.close()


def test_of_a_push_of_a_strange_subscription_nothing_is_kept(registry, verified_settings, signer):
    """Its token is right; what it claims to be is not believed."""
    settings = replace(verified_settings, subscriptions=("good-*",))
    made = Service("sqlite://", registry, settings, TokenVerifier.from_settings(settings))
    job = made.add.enqueue(3, 4)
    body = json.loads(made.carrier.push().body)
    assert 403 == made.handler.handle(bearing(signer.token(), body)).status
    [refused] = made.app.push.deliveries()
    made.app.close()

    assert "is not in" in refused.refusal
    told = (refused.message_id, refused.subscription, refused.task, refused.job_id)
    assert (None,) * 4 == told
    assert job.id not in repr(refused)
