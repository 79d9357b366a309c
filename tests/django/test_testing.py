"""What Django projects test their tasks with: in a pytest of their own, on both databases."""

import pytest

from django_project import TASKS as THERE
from django_project import postgres_settings
from django_site import Site

pytestmark = pytest.mark.anywhere

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.long)]

TASKS = """
from datetime import date
from decimal import Decimal

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import transaction
from rotulus.django.compat import task


@task
def add(name: str, times: int = 1) -> int:
    for _ in range(times):
        Group.objects.create(name=name)
    return Group.objects.count()


@task
def fail(name: str):
    Group.objects.create(name=name)
    raise LookupError(name)


@task
async def add_later(name: str) -> int:
    await Group.objects.acreate(name=name)
    return await Group.objects.acount()


@task
def enqueue_on_commit(name: str):
    transaction.on_commit(lambda: add.enqueue(name))


@task(retries=1)
def try_twice():
    raise LookupError("again")


@task
def price(amount: Decimal, on: date):
    pass


@task(takes_context=True)
def tell(context, word: str = "none"):
    return context.attempt
"""

CASES = """
import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone
from rotulus.django import app_of
from rotulus.django.compat import TaskResultStatus
from rotulus.django.testing import TaskTestMixin
from shop.tasks import add, add_later, enqueue_on_commit, fail, price, tell, try_twice


class Enqueued(TaskTestMixin, TestCase):
    def test_a_call_is_found_however_its_arguments_were_given(self):
        add.using(queue_name="mail", priority=3).enqueue("a", times=2)
        result = self.assert_enqueued(add, name="a", times=2)
        assert ("mail", 3) == (result.task.queue_name, result.task.priority)
        self.assert_enqueued(add)
        self.assert_enqueued(add, "a", 2)
        self.assert_not_enqueued(add, "a")
        self.assert_not_enqueued(fail)
        with pytest.raises(AssertionError, match=r"add\\('b'\\) was not enqueued; enqueued were: add"):
            self.assert_enqueued(add, "b")
        with pytest.raises(AssertionError, match=r"add\\(\\) was enqueued 1 times"):
            self.assert_not_enqueued(add)

    def test_a_default_is_an_argument(self):
        add.enqueue("a")
        self.assert_enqueued(add, "a", 1)

    def test_values_without_a_form_in_json_are_compared(self):
        price.enqueue(Decimal("1.50"), date(2026, 1, 2))
        self.assert_enqueued(price, amount=Decimal("1.50"), on=date(2026, 1, 2))
        self.assert_not_enqueued(price, Decimal("1.51"), date(2026, 1, 2))

    def test_a_context_is_no_argument(self):
        tell.enqueue(word="a")
        self.assert_enqueued(tell, "a")
        assert [1] == [job.result() for job in self.run_due_tasks()]

    def test_what_was_rolled_back_was_not_enqueued(self):
        try:
            with transaction.atomic():
                add.enqueue("a")
                raise LookupError
        except LookupError:
            pass
        self.assert_not_enqueued(add)
        assert [] == self.run_due_tasks()

    def test_a_hook_that_waits_is_told(self):
        transaction.on_commit(lambda: add.enqueue("a"))
        with pytest.raises(AssertionError, match="enqueued were: none. 1 hooks of on_commit"):
            self.assert_enqueued(add)


class Run(TaskTestMixin, TestCase):
    def test_a_job_runs_in_the_transaction_of_the_test(self):
        Group.objects.create(name="before")
        result = add.enqueue("a")
        [job] = self.run_due_tasks()
        assert (result.id, 2) == (job.id, job.result())
        assert Group.objects.filter(name="a").exists()
        result.refresh()
        assert TaskResultStatus.SUCCESSFUL == result.status

    def test_nothing_is_left_of_other_tests(self):
        assert not Group.objects.exists()
        assert [] == app_of().jobs.find()
        assert [] == self.enqueued_tasks.results()

    def test_what_a_body_wrote_before_it_raised_stays(self):
        fail.enqueue("a")
        [job] = self.run_due_tasks()
        assert "failed" == job.state
        assert Group.objects.filter(name="a").exists()

    def test_a_body_that_breaks_the_transaction_breaks_its_own(self):
        add.enqueue("a", times=2)
        add.enqueue("b")
        assert {"failed", "succeeded"} == {job.state for job in self.run_due_tasks()}
        assert Group.objects.filter(name="b").exists()
        assert ["b"] == [group.name for group in Group.objects.all()]

    def test_an_error_is_raised_where_that_is_asked_for(self):
        fail.enqueue("a")
        with pytest.raises(LookupError, match="a"):
            self.run_due_tasks(raises=True)

    def test_a_coroutine_runs_in_the_transaction_of_the_test(self):
        Group.objects.create(name="before")
        add_later.enqueue("a")
        assert [2] == [job.result() for job in self.run_due_tasks()]

    def test_hooks_run_as_at_a_commit(self):
        transaction.on_commit(lambda: enqueue_on_commit.enqueue("a"))
        first, second = self.run_due_tasks()
        assert ["shop.tasks.enqueue_on_commit", "shop.tasks.add"] == [first.task, second.task]
        self.assert_enqueued(add, "a")

    def test_what_is_not_due_waits(self):
        add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue("a")
        assert [] == self.run_due_tasks()

    def test_a_retry_that_is_due_is_made(self):
        try_twice.enqueue()
        while self.run_due_tasks():
            pass
        [job] = app_of().jobs.find()
        assert "LookupError: again" in str(app_of().get(job.id).error)

    def test_an_urgent_job_is_first(self):
        add.enqueue("a")
        add.using(priority=5).enqueue("b")
        assert [1, 2] == [job.result() for job in self.run_due_tasks()]
        assert ["b", "a"] == [group.name for group in Group.objects.order_by("pk")]

    def test_a_body_that_takes_longer_than_a_renewal_ends_as_it_does(self):
        import shop.tasks
        connection.ensure_connection()
        shop.tasks.slow.enqueue()
        assert ["succeeded"] == [job.state for job in self.run_due_tasks()]

    def test_no_other_thread_has_a_say_in_an_attempt(self):
        import threading
        import shop.tasks
        before = [thread.name for thread in threading.enumerate()].count("rotulus-leases")
        shop.tasks.slow_later.enqueue()
        [job] = self.run_due_tasks()
        assert "succeeded" == job.state
        assert before >= [thread.name for thread in threading.enumerate()].count("rotulus-leases")

    def test_a_body_that_takes_longer_than_its_time_has_failed(self):
        import shop.tasks
        shop.tasks.late.enqueue()
        [job] = self.run_due_tasks()
        assert "failed" == job.state
        assert "longer than its timeout" in str(app_of().get(job.id).error)

    async def test_a_coroutine_of_a_test_awaits_them(self):
        await add_later.aenqueue("a")
        await add.aenqueue("b")
        assert [1, 2] == [json.loads(job.record.result) for job in await self.arun_due_tasks()]
        await sync_to_async(self.assert_enqueued)(add, "b")


class Flushed(TransactionTestCase):
    def test_what_is_committed_goes_with_what_belongs_to_it_1(self):
        from django.core.management import call_command
        app = app_of()
        assert [] == app.jobs.find()
        assert [] == app.queues.list()
        add.enqueue("a")
        tell.enqueue()
        app.queues.pause("mail")
        call_command("flush", interactive=False, verbosity=0)
        assert [] == app.jobs.find()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM rotulus_migrations")
            assert cursor.fetchone()[0]
        add.enqueue("b")
        app.queues.pause("mail")

    test_what_is_committed_goes_with_what_belongs_to_it_2 = (
        test_what_is_committed_goes_with_what_belongs_to_it_1
    )


class Transactions(TaskTestMixin, TransactionTestCase):
    def test_jobs_are_run_and_taken_away_1(self):
        add.enqueue("a")
        assert [1] == [job.result() for job in self.run_due_tasks()]
        add.enqueue("b")

    test_jobs_are_run_and_taken_away_2 = test_jobs_are_run_and_taken_away_1

    def test_what_breaks_a_transaction_breaks_its_own(self):
        add.enqueue("a", times=2)
        assert ["failed"] == [job.state for job in self.run_due_tasks()]
        assert 1 == Group.objects.count()


@pytest.mark.django_db
def test_the_fixture(enqueued_tasks):
    add.enqueue("a")
    enqueued_tasks.assert_enqueued(add, "a")
    assert [1] == [job.result() for job in enqueued_tasks.run_due()]


def test_the_fixture_needs_no_mark(enqueued_tasks):
    assert connection.in_atomic_block
    add.enqueue("a")
    assert [1] == [job.result() for job in enqueued_tasks.run_due()]


@pytest.mark.parametrize("time", [1, 2])
def test_the_fixture_without_a_transaction(transactional_db, enqueued_tasks, time):
    assert not connection.in_atomic_block
    add.enqueue("a")
    assert [1] == [job.result() for job in enqueued_tasks.run_due()]


@pytest.mark.django_db(transaction=True)
def test_the_fixture_with_a_mark(enqueued_tasks):
    assert not connection.in_atomic_block
    add.enqueue("a")
    assert [1] == [job.result() for job in enqueued_tasks.run_due()]
"""

SLOW = """

@task
def slow():
    import time
    time.sleep(1.5)


@task
async def slow_later():
    import asyncio
    await asyncio.sleep(1.5)


@task(timeout=0.2)
def late():
    import time
    time.sleep(0.5)
"""

OTHERS = """
from django.test import TestCase
from rotulus.django.compat import task_backends
from rotulus.django.testing import TaskTestMixin
from shop.tasks import add, fail


class AnyBackend(TaskTestMixin, TestCase):
    def test_what_is_enqueued_is_asserted_whatever_runs_it(self):
        add.enqueue("a")
        self.assert_enqueued(add, "a")
        self.assert_not_enqueued(fail)
        self.run_due_tasks()
"""


@pytest.fixture(params=KINDS)
def make_site(request, tmp_path):
    """Makes a project of the test's own, on a kind of database."""
    made = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.db")}
    if request.param == "postgres":
        made = postgres_settings(request.getfixturevalue("database"))

    def make(**given):
        site = Site(tmp_path / "project", made, **given)
        site.write("shop/tasks.py", TASKS + SLOW)
        site.write("conftest.py", 'pytest_plugins = ["rotulus.django.pytest_plugin"]\n')
        site.write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = site_settings\n")
        return site

    return make


def test_tasks_are_asserted_and_run_in_the_transaction_of_a_test(make_site):
    """By a mixin for the cases of Django, and by a fixture for pytest."""
    site = make_site()
    site.write("test_shop.py", CASES)

    told = site.pytest()

    assert "failed" not in told and "error" not in told


@pytest.mark.parametrize("name", ["immediate.ImmediateBackend", "dummy.DummyBackend"])
@pytest.mark.parametrize("ours", [False, True])
def test_other_backends_are_asserted_likewise(make_site, name, ours):
    """Those of Django in the place of ours; and theirs with our options."""
    place = (
        f"rotulus.django.testing.{name.partition('.')[2]}" if ours else f"{THERE}.backends.{name}"
    )
    site = make_site(more=f'TASKS = {{"default": {{"BACKEND": "{place}", "QUEUES": []}}}}')
    if not ours:
        site.write("shop/tasks.py", TASKS.replace("(retries=1)", ""))
    site.write("test_shop.py", OTHERS)

    assert "1 passed" in site.pytest()
