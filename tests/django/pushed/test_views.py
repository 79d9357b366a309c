"""The views of Django: what they answer, in whose thread they work, and what they leave out."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import AsyncClient, Client, override_settings
from django.urls import reverse

from django_project import database
from pubsub.pushing import envelope
from rotulus import State
from rotulus.pubsub.messages import write_message, write_scheduled
from rotulus.store import ClaimFilter

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]
FIRING = write_scheduled("7f000000-0000-4000-8000-000000000000", "backfill")


def message_of(shop, result, **more):
    """The body of a push for a job."""
    record = shop.app.get(result.id).record
    name = record.task.rpartition(".")[2]
    return envelope(write_message(record, name).data, **more)


def post(shop, body, path="/tasks/pubsub/", **options):
    """Push, with a token."""
    given = {"content_type": "application/json", "headers": shop.bearer()} | options
    data = body if isinstance(body, bytes) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(path, data=data, **given)


def told(answer):
    """Status and text."""
    return answer.status_code, answer.content.decode()


@pytest.mark.requirement("G-22", "G-23")
def test_G_23_a_job_that_succeeds_is_acknowledged(shop):
    """Behind middleware that would ask people for cookies; delivered again, it does not run."""
    result = shop.tasks.add.enqueue(1)
    body = message_of(shop, result)

    with override_settings(
        MIDDLEWARE=MIDDLEWARE, SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"
    ):
        assert (200, "OK") == told(post(shop, body))
        assert (200, "OK") == told(post(shop, body))
        assert (200, "OK") == told(post(shop, message_of(shop, result)))
    assert [("add", 1, 2)] == shop.tasks.RAN
    result.refresh()
    assert 3 == result.return_value
    assert "/tasks/pubsub/" == reverse("rotulus:pubsub")


@pytest.mark.requirement("G-24")
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b"[]", "Invalid message format"),
        (b"null", "Invalid message format"),
        ({"message": None}, "Invalid message format"),
        ({"message": {}}, "Missing data field"),
        ({"message": {"data": "%%%"}}, "Invalid message data"),
        (envelope(b"[]"), "Invalid message format"),
        (envelope({"task_name": "add", "args": {}}), "Invalid message format"),
        (envelope({"task_id": "x"}), "Missing task_name"),
        (envelope({"task_name": "unknown"}), "Unknown task"),
        (envelope({"task_name": "add", "args": ["many"]}), "Invalid arguments"),
        (b"x" * 2_000_000, "Message too large"),
    ],
)
def test_G_24_what_nobody_can_run_is_refused_and_kept_once(shop, body, text):
    """As a dead job; what is sent is not repeated in the answer."""
    assert (400, text) == told(post(shop, body))
    assert (400, text) == told(post(shop, body))
    assert [State.DEAD] == [job.state for job in shop.app.jobs.find()]
    assert [] == shop.tasks.RAN


@pytest.mark.requirement("G-25")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer nothing"},
        {"authorization": "Basic dTpw"},
    ],
)
@pytest.mark.parametrize("path", ["/tasks/pubsub/", "/tasks/tick"])
def test_G_25_nobody_is_let_in_without_a_token(shop, headers, path):
    """Also not under DEBUG, and nothing is looked at."""
    body = message_of(shop, shop.tasks.add.enqueue(1))

    for debug in (False, True):
        with override_settings(DEBUG=debug):
            assert (403, "Unauthorized") == told(post(shop, body, path, headers=headers))
    assert [] == shop.tasks.RAN


@pytest.mark.requirement("G-25")
@pytest.mark.parametrize(
    "claims",
    [{"aud": "http://testserver"}, {"email": "else@shop.iam.gserviceaccount.com"}, {"exp": 1}],
)
def test_G_25_a_token_of_somebody_else_does_not_let_in(shop, claims):
    """Nor one for another service: the host of the request does not count."""
    body = message_of(shop, shop.tasks.add.enqueue(1))

    assert (403, "Unauthorized") == told(post(shop, body, headers=shop.bearer(**claims)))
    twice = f"{shop.bearer()['authorization']},{shop.bearer()['authorization']}"
    assert (403, "Unauthorized") == told(post(shop, body, headers={"authorization": twice}))
    assert [] == shop.tasks.RAN


@pytest.mark.requirement("G-26")
@pytest.mark.parametrize("kind", [pytest.param("postgres", marks=pytest.mark.anywhere)])
def test_G_26_a_database_without_a_free_connection_has_it_delivered_later(
    make_shop, fake, migrated
):
    """The role of the project may have one connection, and somebody has it."""
    url = migrated("postgres", clock=False)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS few")
        owner.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
        owner.execute(f"GRANT {owner.info.user} TO few")
    with make_shop(fake.host, database_settings={"USER": "few"}) as shop:
        result = shop.tasks.add.enqueue(1)
        body = message_of(shop, result)
        connections["jobs"].close()

        with psycopg.connect(url, user="few"):
            for path in ("/tasks/pubsub/", "/tasks/tick"):
                answer = post(shop, body, path)
                assert (429, "Database at capacity") == told(answer)
                assert int(answer.headers["Retry-After"]) > 0
        assert (200, "OK") == told(post(shop, body))
    assert [("add", 1, 2)] == shop.tasks.RAN


@pytest.mark.requirement("G-27")
def test_G_27_a_task_that_raises_has_it_delivered_again(shop):
    """What it raised is with its job, and not in the answer."""
    result = shop.tasks.fail_once.enqueue("secret")
    body = message_of(shop, result)

    assert (500, "Task failed") == told(post(shop, body))
    result.refresh()
    assert ("READY", 1) == (result.status.value, len(result.errors))
    assert "LookupError: secret" in result.errors[0].traceback
    assert (200, "OK") == told(post(shop, body))
    result.refresh()
    assert "secret" == result.return_value
    assert 2 == len(shop.tasks.RAN)


def test_a_job_that_is_held_elsewhere_is_delivered_later(shop):
    """It does not run twice at once."""
    result = shop.tasks.add.enqueue(1)
    shop.app.store.claim(ClaimFilter("another", ids=[result.id]), 1, 30)

    answer = post(shop, message_of(shop, result))
    assert (429, "Not now") == told(answer)
    assert int(answer.headers["Retry-After"]) > 0
    assert [] == shop.tasks.RAN


def test_deliveries_of_one_message_at_once_run_it_once(shop):
    """In threads, each with a connection of its own."""
    body = message_of(shop, shop.tasks.add.enqueue(1))

    def push(_):
        try:
            return post(shop, body).status_code
        finally:
            connections["jobs"].close()

    with ThreadPoolExecutor(8) as threads:
        statuses = set(threads.map(push, range(16)))
    assert statuses <= {200, 429}
    assert [("add", 1, 2)] == shop.tasks.RAN


def test_each_firing_of_a_schedule_is_an_execution(shop):
    """Told apart by the id of the message, as the payload is the same; a redelivery is none."""
    named = {"subscription": "dev--shop.tasks--django_shop.tasks.backfill-sub"}
    for message_id in ("1", "1", "2", "2", "1"):
        assert 200 == post(shop, envelope(FIRING, message_id=message_id, **named)).status_code

    assert ["backfill", "backfill"] == shop.tasks.RAN
    jobs = shop.app.jobs.find(task="django_shop.tasks.backfill")
    assert {State.SUCCEEDED} == {job.state for job in jobs}
    assert 2 == len(jobs)


@pytest.mark.requirement("G-18")
def test_G_18_a_firing_of_what_is_switched_off_is_acknowledged(shop, monkeypatch):
    """And nothing is done."""
    monkeypatch.setenv("ENABLE_BACKFILL_SCHEDULER", "false")

    assert (200, "OK") == told(post(shop, envelope(FIRING)))
    assert [] == shop.tasks.RAN


def test_an_attempt_is_no_part_of_a_request_that_is_atomic(make_shop, fake):
    """It is claimed, run and settled in transactions of its own, in the thread of the request."""
    with make_shop(fake.host, database_settings={"ATOMIC_REQUESTS": True}) as shop:
        result = shop.tasks.tell.enqueue()

        assert (200, "OK") == told(post(shop, message_of(shop, result)))
        result.refresh()
        assert {"atomic": False} == result.return_value
        assert [threading.get_ident()] == shop.tasks.RAN


def test_a_server_of_asgi_runs_them_in_threads(shop):
    """Not in that of the event loop."""
    body = message_of(shop, shop.tasks.tell.enqueue())

    async def main():
        answer = await AsyncClient().post(
            "/tasks/pubsub/", data=body, content_type="application/json", headers=shop.bearer()
        )
        return told(answer), threading.get_ident()

    answer, loop = asyncio.run(main())
    assert (200, "OK") == answer
    assert 1 == len(shop.tasks.RAN)
    assert loop != shop.tasks.RAN[0]


def test_a_tick_does_what_is_due(shop):
    """The answer counts it."""
    result = shop.tasks.add.enqueue(1)
    pulled = shop.pull_from("add")
    shop.app.store.outbox.republish([result.id])

    answer = post(shop, b"", "/tasks/tick")
    assert 200 == answer.status_code
    assert 1 == json.loads(answer.content)["published"]
    assert [result.id] == [json.loads(one.data)["task_id"] for one in pulled()]


@pytest.mark.parametrize("path", ["/tasks/pubsub/", "/tasks/tick"])
@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "options"])
def test_nothing_but_a_post_is_answered(shop, path, method):
    """The answer is 405, and says which method is allowed."""
    answer = getattr(Client(), method)(path, headers=shop.bearer())

    assert (405, "POST") == (answer.status_code, answer.headers["Allow"])


@pytest.mark.requirement("G-16")
@pytest.mark.parametrize("name", ["CLOUD_RUN_SERVICE_URL", "TASKS_SERVICE_ACCOUNT"])
def test_G_16_a_view_without_its_settings_works_for_nobody(make_shop, fake, name):
    """Also not under DEBUG, or for this machine."""
    with make_shop(fake.host, **{name: "", "DEBUG": True}) as shop:
        body = message_of(shop, shop.tasks.add.enqueue(1))
        with pytest.raises(ImproperlyConfigured, match=name):
            post(shop, body)
    assert [] == shop.tasks.RAN


def test_this_machine_may_push_to_itself_if_it_is_told_so(make_shop, fake):
    """Without a token, and only beside an emulator."""
    with make_shop(fake.host, options={"insecure_local": True}) as shop:
        body = message_of(shop, shop.tasks.add.enqueue(1))
        assert 403 == post(shop, body, headers={}, REMOTE_ADDR="10.0.0.1").status_code
        assert 403 == post(shop, body, headers={"x-forwarded-for": "127.0.0.1"}).status_code
        assert 200 == post(shop, body, headers={}).status_code
    with (
        make_shop("", options={"insecure_local": True}) as shop,
        pytest.raises(ImproperlyConfigured, match="PUBSUB_EMULATOR_HOST"),
    ):
        post(shop, body, headers={})


def test_without_a_backend_there_is_nothing_to_push_to(jobs_settings):
    """Where tasks run at once, as in development, the URLs may stay."""
    with (
        override_settings(ROOT_URLCONF="django_shop.urls"),
        database("jobs", jobs_settings("sqlite")),
    ):
        assert 404 == Client().post("/tasks/pubsub/").status_code
