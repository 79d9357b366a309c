"""The admin of executions, as its users see it: run by a pytest of its own."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from shop.tasks import break_page, fail, note

from rotulus.django import app_of
from rotulus.django.models import TaskExecution

LIST = "admin:rotulus_taskexecution_changelist"
HOSTILE = "<script>alert('x')</script>"


def client_of(client, *permissions):
    """A client who is logged in, with these permissions."""
    user = User.objects.create_user("ann", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db, client):
    """Somebody who may only view."""
    return client_of(client, "view_taskexecution")


@pytest.fixture
def operator(db, client):
    """Somebody who may change executions, too."""
    return client_of(client, "view_taskexecution", "change_taskexecution")


@pytest.fixture
def jobs(db, enqueued_tasks):
    """An execution of each kind, by name."""
    ids = {"failed": fail.enqueue("why").id, "succeeded": note.enqueue("done").id}
    enqueued_tasks.run_due()
    later = timezone.now() + timedelta(hours=1)
    ids["ready"] = note.using(queue_name="mail", run_after=later).enqueue("later").id
    return ids


def listed(answer):
    """The ids of a list."""
    return [execution.pk for execution in answer.context["cl"].result_list]


def state(job_id):
    """The state of a job."""
    return str(app_of().get(job_id).state)


def page(job_id, verb="change"):
    """The address of a page of an execution."""
    return reverse(f"admin:rotulus_taskexecution_{verb}", args=[job_id])


def test_the_list_has_the_last_first(viewer, jobs):
    answer = viewer.get(reverse(LIST))
    assert [jobs["ready"], jobs["succeeded"], jobs["failed"]] == listed(answer)
    assert "SUCCESSFUL" in answer.text and "READY (delayed)" in answer.text


def test_an_empty_list(viewer):
    assert [] == listed(viewer.get(reverse(LIST)))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("status=FAILED", ["failed"]),
        ("status=READY", ["ready"]),
        ("task_name=shop.tasks.fail", ["failed"]),
        ("queue_name=mail", ["ready"]),
        ("q=why", ["failed"]),
        ("q=LookupError", ["failed"]),
        ("q=nothing", []),
        ("enqueued_at__gte=2020-01-01", ["ready", "succeeded", "failed"]),
        ("enqueued_at__lt=2020-01-01+00:00:00%2B00:00", []),
        ("status=nonsense", ["ready", "succeeded", "failed"]),
    ],
)
def test_executions_are_found(viewer, jobs, given, found):
    answer = viewer.get(f"{reverse(LIST)}?{given}")
    assert [jobs[name] for name in found] == listed(answer)


def test_an_id_finds_its_execution(viewer, jobs):
    answer = viewer.get(reverse(LIST), {"q": f" {jobs['failed']} "})
    assert [jobs["failed"]] == listed(answer)


def test_the_filters_offer_what_there_is(viewer, jobs):
    answer = viewer.get(reverse(LIST))
    for offered in ("?task_name=shop.tasks.note", "?queue_name=mail", "?status=RUNNING"):
        assert offered in answer.text


def test_a_list_takes_as_many_queries_for_many_as_for_few(viewer, jobs):
    viewer.get(reverse(LIST))
    with CaptureQueriesContext(connection) as few:
        viewer.get(reverse(LIST))
    for number in range(40):
        note.enqueue(f"{number}")
    with CaptureQueriesContext(connection) as many:
        viewer.get(reverse(LIST))
    assert len(few) == len(many) <= 12
    counting = [
        query["sql"]
        for query in many
        if "COUNT(" in query["sql"] and "rotulus_jobs" in query["sql"]
    ]
    assert all("LIMIT" in sql for sql in counting if "django" not in sql and "FROM (SELECT" in sql)


def test_no_more_than_10_000_rows_are_counted(viewer, jobs, monkeypatch):
    from rotulus.django import admin

    monkeypatch.setattr(admin, "_MOST_COUNTED", 2)
    answer = viewer.get(reverse(LIST))
    assert 2 == answer.context["cl"].result_count


def test_the_page_of_an_execution_shows_all(viewer, jobs):
    answer = viewer.get(page(jobs["failed"]))
    for shown in ("shop.tasks.fail", "LookupError: why", "Traceback", "RUNNING → FAILED"):
        assert shown in answer.text, shown
    assert '<input type="submit"' not in answer.text


def test_hostile_texts_are_escaped(viewer, enqueued_tasks):
    first = note.enqueue(HOSTILE).id
    second = break_page.enqueue(HOSTILE).id
    enqueued_tasks.run_due()
    for answer in (viewer.get(page(first)), viewer.get(page(second)), viewer.get(reverse(LIST))):
        assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in viewer.get(page(second)).text


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_who_may_only_view_can_neither_retry_nor_cancel(viewer, jobs, verb):
    for name in jobs:
        assert page(jobs[name], verb) not in viewer.get(page(jobs[name])).text
        assert 403 == viewer.post(page(jobs[name], verb), {"confirmed": "yes"}).status_code
    asked = {
        "action": f"{verb}_selected",
        "_selected_action": list(jobs.values()),
        "confirmed": "yes",
    }
    viewer.post(reverse(LIST), asked)
    assert ["failed", "succeeded", "delayed"] == [state(job) for job in jobs.values()]
    assert f"{verb}_selected" not in viewer.get(reverse(LIST)).text


def test_who_is_not_logged_in_is_sent_to_log_in(jobs, client):
    assert 302 == client.post(page(jobs["failed"], "retry"), {"confirmed": "yes"}).status_code
    assert "failed" == state(jobs["failed"])


@pytest.mark.parametrize(
    ("verb", "name", "after"), [("retry", "failed", "queued"), ("cancel", "ready", "cancelled")]
)
def test_an_execution_is_steered_by_its_button(operator, jobs, verb, name, after):
    before = state(jobs[name])
    place = page(jobs[name], verb)
    assert place in operator.get(page(jobs[name])).text
    assert jobs[name] in operator.get(place).text
    assert before == state(jobs[name])
    answer = operator.post(place, {"confirmed": "yes"}, follow=True)
    assert after == state(jobs[name])
    assert "1 execution " in answer.text
    assert [jobs[name]] == [entry.object_id for entry in LogEntry.objects.all()]


@pytest.mark.parametrize(
    ("verb", "name", "after"), [("retry", "failed", "queued"), ("cancel", "ready", "cancelled")]
)
def test_selected_executions_are_steered_after_a_confirmation(operator, jobs, verb, name, after):
    before = [state(job) for job in jobs.values()]
    asked = {"action": f"{verb}_selected", "_selected_action": list(jobs.values())}
    answer = operator.post(reverse(LIST), asked)
    assert jobs[name] in answer.text and "Are you sure?" in answer.text
    assert before == [state(job) for job in jobs.values()]
    operator.post(reverse(LIST), asked | {"confirmed": "yes"})
    expected = {**dict(zip(jobs, before, strict=True)), name: after}
    assert expected == {name: state(job) for name, job in jobs.items()}


def test_what_cannot_be_steered_is_told(operator, jobs):
    assert (
        "None of these executions can be cancelled"
        in operator.get(page(jobs["failed"], "cancel")).text
    )
    assert page(jobs["succeeded"], "retry") not in operator.get(page(jobs["succeeded"])).text
    operator.post(page(jobs["succeeded"], "cancel"), {"confirmed": "yes"})
    assert "succeeded" == state(jobs["succeeded"])


def test_rows_are_neither_added_nor_changed_nor_deleted(admin_client, jobs):
    assert 403 == admin_client.get(reverse("admin:rotulus_taskexecution_add")).status_code
    assert 403 == admin_client.post(page(jobs["failed"], "delete"), {"post": "yes"}).status_code
    assert 403 == admin_client.post(page(jobs["failed"]), {"state": "queued"}).status_code
    assert "delete_selected" not in admin_client.get(reverse(LIST)).text
    assert "failed" == state(jobs["failed"])


@pytest.mark.parametrize("given", ["nonsense", "00000000-0000-7000-8000-000000000000", "a_2Fb"])
def test_what_is_no_execution_is_told(operator, given):
    assert 302 == operator.get(page(given)).status_code
    assert operator.get(page(given, "retry")).status_code in (200, 404)
    assert 0 == TaskExecution.objects.count()
