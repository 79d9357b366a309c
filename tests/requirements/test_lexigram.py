"""L-01 to L-23: the registration contract of the first source document."""

import threading

import pytest

import rotulus
from rotulus import App, State, TaskProvider, TaskRegistrationError, TaskRegistry, scheduled, task
from rotulus._tasks.registry import registered_tasks
from rotulus.testing import drain

pytestmark = pytest.mark.requirement


@pytest.fixture
def declared(registry):
    """The two tasks of the document."""

    @task(name="send-email", registry=registry)
    async def send_email(to: str, subject: str, body: str) -> None: ...

    @scheduled(cron="*/5 * * * *", name="cleanup-expired", registry=registry)
    async def cleanup_expired() -> None: ...

    return send_email, cleanup_expired


def test_L_01_both_decorators_are_exported():
    """From the package itself."""
    assert {"task", "scheduled"} <= set(rotulus.__all__)


def test_L_02_task_registers_under_its_exact_name(app, declared):
    """For running on demand."""
    send_email, _ = declared

    assert app.registry.get("send-email") is send_email
    job = app.enqueue("send-email", to="a", subject="b", body="c")
    drain(app)
    assert State.SUCCEEDED == job.refresh().state


def test_L_03_task_never_schedules(app, declared):
    """Neither before boot nor after."""
    assert "send-email" not in app.provider.schedule
    with app:
        assert ["cleanup-expired"] == list(app.provider.schedule)


def test_L_04_the_name_comes_first(registry):
    """By position or by keyword."""
    one = task("one", registry=registry)(lambda: None)
    two = task(name="two", registry=registry)(lambda: None)

    assert ("one", "two") == (one.name, two.name)


def test_L_05_handlers_may_be_async_with_typed_parameters(app, declared):
    """And return None."""
    send_email, _ = declared
    job = send_email.enqueue("a", "b", body="c")
    drain(app)

    assert job.result(0) is None
    assert send_email.is_async


def test_L_06_hyphens_are_legal(app, declared):
    """In names of both kinds."""
    assert ["send-email", "cleanup-expired"] == app.registry.list_all()


def test_L_07_scheduled_takes_cron_then_name(registry):
    """By position or by keyword."""
    one = scheduled("0 9 * * *", "one", registry=registry)(lambda: None)
    two = scheduled(name="two", cron="0 9 * * *", registry=registry)(lambda: None)

    assert ("one", "two") == (one.name, two.name)


def test_L_08_scheduled_is_for_both(app, declared):
    """It can be enqueued, and it is in the schedule."""
    _, cleanup_expired = declared
    job = cleanup_expired.enqueue()
    drain(app)

    assert State.SUCCEEDED == job.refresh().state
    assert "cleanup-expired" in app.provider.schedule


def test_L_09_a_scheduled_task_carries_name_and_cron(declared):
    """As attributes."""
    _, cleanup_expired = declared

    assert ("cleanup-expired", "*/5 * * * *") == (cleanup_expired._task_name, cleanup_expired._cron)


def test_L_10_a_task_carries_a_name_and_no_cron(declared):
    """That is how one tells them apart."""
    send_email, _ = declared

    assert "send-email" == send_email._task_name
    assert not hasattr(send_email, "_cron")


def test_L_11_steps_are_accepted(registry):
    """In five fields."""
    schedule = scheduled("*/5 * * * *", "a", registry=registry)(lambda: None).schedule

    assert "Every fifth minute" in schedule.explain()


def test_L_12_the_provider_is_the_atomic_entry(registry):
    """`register_scheduled_task` does both."""
    provider = TaskProvider(TaskRegistry())
    body = scheduled("* * * * *", "a", registry=registry)(lambda: None)
    provider.register_scheduled_task(body)

    assert provider.registry.has("a")
    assert "a" in provider.schedule


def test_L_13_without_a_name_nothing_is_touched():
    """It is refused at once."""
    provider = TaskProvider(TaskRegistry())

    def plain(): ...

    plain._cron = "* * * * *"
    with pytest.raises(TaskRegistrationError):
        provider.register_scheduled_task(plain)

    assert ([], {}) == (provider.registry.list_all(), provider.schedule)


def test_L_14_without_a_cron_the_message_steers_to_task():
    """And nothing is touched."""
    provider = TaskProvider(TaskRegistry())

    def plain(): ...

    plain._task_name = "a"
    with pytest.raises(TaskRegistrationError, match=r"use @task\(\) for non-scheduled handlers"):
        provider.register_scheduled_task(plain)

    assert ([], {}) == (provider.registry.list_all(), provider.schedule)


def test_L_15_the_handler_is_registered(registry):
    """What was decorated by hand as well."""
    provider = TaskProvider(registry)

    def plain():
        return 5

    plain._task_name, plain._cron = "a", "* * * * *"
    provider.register_scheduled_task(plain)

    assert 5 == registry.get("a")()


class Refusing:
    """A scheduler that accepts nothing."""

    def add(self, task):
        raise OSError("no room")

    def remove(self, name): ...


def test_L_16_a_failure_to_schedule_undoes_the_registration(registry):
    """And surfaces."""
    provider = TaskProvider(TaskRegistry(), Refusing())
    body = scheduled("* * * * *", "a", registry=registry)(lambda: None)
    with pytest.raises(TaskRegistrationError, match="no room"):
        provider.register_scheduled_task(body)

    assert ([], {}) == (provider.registry.list_all(), provider.schedule)


def test_L_17_the_registry_unregisters(app, declared):
    """From the schedule as well."""
    app.registry.unregister("cleanup-expired")

    assert not app.registry.has("cleanup-expired")
    assert {} == app.provider.schedule


def test_L_18_in_the_schedule_iff_in_the_registry(registry):
    """After success, after each failure, after unregistering; the property test has the rest."""
    provider = TaskProvider(registry)
    body = scheduled("* * * * *", "a", registry=TaskRegistry())(lambda: None)
    for act in (
        lambda: provider.register_scheduled_task(body),
        lambda: provider.register_scheduled_task(lambda: None),
        lambda: TaskProvider(registry, Refusing()).register_scheduled_task(
            scheduled("* * * * *", "b", registry=TaskRegistry())(lambda: None)
        ),
        lambda: provider.unregister("a"),
    ):
        try:
            act()
        except TaskRegistrationError:
            pass
        assert registry.list_all() == list(provider.schedule)


def test_L_19_the_message_is_exact():
    """With the object as `repr` shows it."""

    def my_task(): ...

    with pytest.raises(TaskRegistrationError) as caught:
        TaskProvider(TaskRegistry()).register_scheduled_task(my_task)

    assert str(caught.value) == (
        f"register_scheduled_task: object {my_task!r} lacks _task_name "
        f"(was @scheduled decorator applied correctly?)"
    )


def test_L_20_the_application_refuses_to_boot(registry):
    """No worker is left running."""
    scheduled("* * * * *", "a", registry=registry)(lambda: None)
    app = App("sqlite://", registry=registry, scheduler=Refusing())
    threads = set(threading.enumerate())
    for start in (app.run_worker, app.__enter__):
        with pytest.raises(TaskRegistrationError):
            start()

    assert set() == set(threading.enumerate()) - threads


def test_L_21_a_misconfiguration_is_no_dead_letter(registry, tmp_path):
    """Those are for what fails at run time; the list of them exists."""
    scheduled("* * * * *", "a", registry=registry)(lambda: None)
    app = App("sqlite:///jobs.db", registry=registry, scheduler=Refusing())
    with pytest.raises(TaskRegistrationError):
        app.run_worker()
    other = App("sqlite:///jobs.db", registry=TaskRegistry())

    assert [] == other.jobs(state=["failed", "dead"])
    other.close()


def test_L_22_nothing_is_imported_for_the_user(tmp_path, monkeypatch):
    """The module of a task has to be imported before boot."""
    import sys

    (tmp_path / "hidden_tasks.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with App("sqlite://", registry=TaskRegistry()):
        pass

    assert "hidden_tasks" not in sys.modules


def test_L_23_nobody_sees_it_half_done(registry):
    """An observer finds both or neither."""
    provider = TaskProvider(registry)
    wrong, done = [], threading.Event()

    def observe():
        while not done.is_set():
            with registered_tasks(registry).looking():
                if registry.list_all() != list(provider.schedule):
                    wrong.append(registry.list_all())

    observer = threading.Thread(target=observe)
    observer.start()
    for number in range(300):
        name = f"t{number % 3}"
        provider.register_scheduled_task(
            scheduled("* * * * *", name, registry=TaskRegistry())(lambda: None)
        )
        provider.unregister(name)
    done.set()
    observer.join(20)

    assert [] == wrong
