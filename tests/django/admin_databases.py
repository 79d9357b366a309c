"""The admin where jobs live in two databases: run by a pytest of its own."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from shop.tasks import fail, note

from rotulus.django import app_of

pytestmark = pytest.mark.django_db(databases=["default", "other"])
LIST = "admin:rotulus_taskexecution_changelist"


@pytest.fixture
def operator(client):
    """Somebody who may view and change executions."""
    user = User.objects.create_user("ann", password="x", is_staff=True)
    words = ["view_taskexecution", "change_taskexecution"]
    user.user_permissions.set(Permission.objects.filter(codename__in=words))
    client.force_login(user)
    return client


@pytest.fixture
def here():
    """A job in the first database."""
    return note.enqueue("here").id


@pytest.fixture
def there(enqueued_tasks):
    """A job in the second one, which has failed."""
    there = fail.using(backend="other").enqueue("there").id
    enqueued_tasks.run_due()
    return there


def listed(answer):
    """The ids of a list."""
    return [execution.pk for execution in answer.context["cl"].result_list]


def test_a_filter_chooses_the_database(operator, here, there):
    """The first one unless another is chosen; a name that is none is as if none were given."""
    assert [here] == listed(operator.get(reverse(LIST)))
    assert [here] == listed(operator.get(reverse(LIST), {"database": "default"}))
    assert [there] == listed(operator.get(reverse(LIST), {"database": "other"}))
    assert [there] == listed(operator.get(reverse(LIST), {"database": "other", "status": "FAILED"}))
    assert [] == listed(operator.get(reverse(LIST), {"database": "other", "status": "READY"}))
    [chosen] = [
        [choice["display"] for choice in one.choices(answer.context["cl"]) if choice["selected"]]
        for answer in [operator.get(reverse(LIST))]
        for one in answer.context["cl"].filter_specs
        if one.title == "database"
    ]
    assert ["default"] == chosen


def test_a_page_shows_an_execution_of_either(operator, here, there):
    """With its error and its history."""
    for job_id, text in ((here, "here"), (there, "LookupError: there")):
        page = operator.get(reverse("admin:rotulus_taskexecution_change", args=[job_id]))
        assert text in page.content.decode()


def test_an_execution_is_steered_where_it_is(operator, here, there):
    """From its page, and from the list."""
    place = reverse("admin:rotulus_taskexecution_retry", args=[there])
    operator.post(place, {"confirmed": "yes"})
    assert "queued" == app_of("other").get(there).state

    chosen = {"action": "cancel_selected", "_selected_action": [there], "confirmed": "yes"}
    operator.post(f"{reverse(LIST)}?database=other", chosen)
    assert "cancelled" == app_of("other").get(there).state
    assert "succeeded" == app_of().get(here).state
