"""In the schedule if and only if in the registry, whatever fails and wherever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotulus import App, TaskProvider, TaskRegistrationError, TaskRegistry, scheduled, task
from rotulus.errors import ConfigurationError, RegistryFrozenError


class Scheduler:
    """A scheduler elsewhere, which fails when it is told to."""

    def __init__(self):
        self.names = set()
        self.fails = None

    def add(self, task):
        if self.fails == "before":
            raise ConnectionError("out of reach")
        self.names.add(task.name)
        if self.fails == "after":
            self.names.discard(task.name)
            raise TaskRegistrationError("refused")

    def remove(self, name):
        if self.fails == "remove":
            raise ConnectionError("out of reach")
        self.names.discard(name)


def declare(name, cron="* * * * *"):
    """A scheduled task that is in no registry of ours yet."""

    @scheduled(cron, name, registry=TaskRegistry())
    def body(): ...

    return body


class Bare:
    """Something that was decorated wrongly, or not at all."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def __call__(self): ...


BROKEN = {
    "no name": (lambda: Bare(_cron="* * * * *"), "lacks _task_name"),
    "no cron": (lambda: Bare(_task_name="a"), "lacks _cron"),
    "bad cron": (lambda: Bare(_task_name="a", _cron="61 * * * *"), "minute"),
    "bad name": (lambda: Bare(_task_name="a b", _cron="* * * * *"), "not allowed"),
    "impossible date": (lambda: Bare(_task_name="a", _cron="0 0 31 2 *"), "no month"),
    "plain task": (lambda: task("a", registry=TaskRegistry())(lambda: None), "lacks _cron"),
    "needs arguments": (
        lambda: scheduled("* * * * *", "a", registry=TaskRegistry())(lambda x: None),
        "a schedule passes no arguments",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_declared_wrongly_changes_nothing(case):
    """Registry and schedule stay as they were."""
    make, message = BROKEN[case]
    scheduler = Scheduler()
    provider = TaskProvider(TaskRegistry(), scheduler)
    provider.register_scheduled_task(declare("there"))
    with pytest.raises(TaskRegistrationError, match=message):
        provider.register_scheduled_task(make())

    assert ["there"] == provider.registry.list_all() == list(provider.schedule)
    assert {"there"} == scheduler.names


NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["scheduled", "scheduled", "task", "unregister", "broken"]),
        NAMES,
        st.sampled_from([None, None, "before", "after", "remove"]),
        st.sampled_from(["* * * * *", "0 9 * * *"]),
        st.sampled_from(sorted(BROKEN)),
    ),
    max_size=20,
)


@settings(max_examples=300)
@given(STEPS)
def test_scheduled_if_and_only_if_registered(steps):
    """After every step, with a failure injected at any of them; a failed one changes nothing."""
    scheduler = Scheduler()
    provider = TaskProvider(TaskRegistry(), scheduler)
    for verb, name, fails, cron, broken in steps:
        before = (list(provider.registry), dict(provider.schedule), set(scheduler.names))
        scheduler.fails = fails
        try:
            if verb == "scheduled":
                provider.register_scheduled_task(declare(name, cron))
            elif verb == "task":
                provider.register_task(task(name, registry=TaskRegistry())(lambda: None))
            elif verb == "broken":
                provider.register_scheduled_task(BROKEN[broken][0]())
            else:
                provider.unregister(name)
        except (ConfigurationError, ConnectionError):
            assert before == (list(provider.registry), dict(provider.schedule), scheduler.names)
        with_schedule = {found.name for found in provider.registry if found.schedule is not None}
        assert with_schedule == set(provider.schedule) == scheduler.names


def test_a_valid_registration_survives_a_failed_one_of_the_same_name():
    """It is not merely deleted."""
    scheduler = Scheduler()
    provider = TaskProvider(TaskRegistry(), scheduler)
    first = provider.register_scheduled_task(declare("a"))
    with pytest.raises(TaskRegistrationError, match="already registered"):
        provider.register_scheduled_task(declare("a"))

    assert provider.registry.get("a") is first
    assert ["a"] == list(provider.schedule)


def test_a_scheduler_that_refuses_undoes_the_registration():
    """Its reason is in the message."""
    scheduler = Scheduler()
    scheduler.fails = "before"
    provider = TaskProvider(TaskRegistry(), scheduler)
    with pytest.raises(TaskRegistrationError, match="could not be scheduled: out of reach"):
        provider.register_scheduled_task(declare("a"))

    assert not provider.registry.has("a")


def test_the_same_object_registered_twice_is_one(registry):
    """As the decorator and the provider may both do it."""

    @scheduled("* * * * *", "a", registry=registry)
    def body(): ...

    provider = TaskProvider(registry)

    assert body is provider.register_scheduled_task(body)
    assert ["a"] == registry.list_all()


def test_a_task_can_get_a_schedule(registry):
    """The same function, declared again with one."""

    def body(): ...

    task("a", registry=registry)(body)
    provider = TaskProvider(registry)
    provider.register_scheduled_task(scheduled("0 9 * * *", "a", registry=TaskRegistry())(body))

    assert "0 9 * * *" == provider.schedule["a"].cron


def test_a_scheduled_task_that_cannot_be_called_stops_the_boot(registry, tmp_path):
    """Nothing is started, and the store is not even made."""

    @scheduled("* * * * *", registry=registry)
    def needs_something(x: int): ...

    app = App("sqlite:///jobs.db", registry=registry)
    for start in (app.run_worker, app.__enter__):
        with pytest.raises(TaskRegistrationError, match="a schedule passes no arguments"):
            start()

    assert not registry.frozen
    assert [] == list(tmp_path.iterdir())


def test_a_scheduler_that_refuses_stops_the_boot_and_has_nothing(registry):
    """Also what it had accepted before."""

    class Second(Scheduler):
        def add(self, task):
            self.fails = "before" if self.names else None
            super().add(task)

    for name in ("a", "b"):
        scheduled("* * * * *", name, registry=registry)(lambda: None)
    scheduler = Second()
    app = App("sqlite://", registry=registry, scheduler=scheduler)
    with pytest.raises(TaskRegistrationError):
        app.run_worker(burst=True)
    app.close()

    assert set() == scheduler.names


def test_a_provider_of_a_served_registry_refuses(registry):
    """It is too late."""
    with App("sqlite://", registry=registry) as app:
        with pytest.raises(RegistryFrozenError):
            app.provider.register_scheduled_task(declare("a"))

        assert {} == app.provider.schedule
