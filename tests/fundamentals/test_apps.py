"""One app at a time for the tasks of a registry, and what is asked of an app by noun."""

import asyncio
import warnings

import pytest

import rotulus
from rotulus import App, JobFailedError, RotulusWarning, TaskNotFoundError, TaskRegistry, task
from rotulus.errors import JobNotFoundError, NoAppError, OptionError, RotulusError
from rotulus.testing import drain


@pytest.fixture
def ship(registry):
    """A task."""

    @task(registry=registry)
    def ship(number: int) -> int:
        return number

    return ship


@pytest.fixture
def orders(registry, ship):
    """The app of the program."""
    made = App("sqlite:///orders.db", registry=registry)
    yield made
    made.close()


def test_a_second_app_elsewhere_warns_where_it_is_made(orders, ship):
    """And the jobs of the tasks still go to the first one, until that is closed."""
    with pytest.warns(RotulusWarning, match="orders.db, and their jobs still go there") as told:
        reports = App("sqlite:///reports.db", registry=orders.registry)
    ship.enqueue(1)

    assert [__file__] == [warning.filename for warning in told]
    assert (1, 0) == (len(orders.jobs()), len(reports.jobs()))
    orders.close()
    ship.enqueue(2)
    assert 1 == len(reports.jobs())
    reports.close()
    with pytest.raises(NoAppError):
        ship.enqueue(3)


def test_a_warning_that_is_an_error_leaves_nothing_behind(orders, ship):
    """The app that was not made is not in the way of anything."""
    with pytest.raises(RotulusWarning):
        App("sqlite://", registry=orders.registry)
    ship.enqueue(1)

    assert 1 == len(orders.jobs())
    orders.close()
    with pytest.raises(NoAppError):
        ship.enqueue(2)


def test_an_app_in_memory_stands_in_for_one_that_is_open(orders, ship):
    """No job of a test goes to the real store, and the test is told how to have all of it."""
    with pytest.warns(RotulusWarning, match="replaces=that_app"):
        memory = App("sqlite://", registry=orders.registry)
    ship.enqueue(1)

    assert (0, 1) == (len(orders.jobs()), len(memory.jobs()))
    memory.close()


def test_an_app_in_memory_gives_way_to_one_whose_jobs_last(registry, ship, orders):
    """No other process would see them there; the warning says where they go."""
    orders.close()
    memory = App("sqlite://", registry=registry)
    with pytest.warns(RotulusWarning, match=r"Their jobs go to sqlite:////.*last.db now"):
        lasting = App("sqlite:///last.db", registry=registry)
    ship.enqueue(1)

    assert (0, 1) == (len(memory.jobs()), len(lasting.jobs()))
    memory.close()
    lasting.close()


def test_an_app_on_the_same_store_says_nothing(orders, ship, tmp_path):
    """However its URL is written."""
    again = App(f"sqlite:///{tmp_path}/orders.db", registry=orders.registry)
    ship.enqueue(1)

    assert 1 == len(orders.jobs()) == len(again.jobs())
    again.close()


@pytest.mark.parametrize("how", ["like", "replaces"])
def test_a_replacement_answers_for_the_app_it_replaces(orders, ship, how):
    """For all of its verbs, until it is closed."""
    before = ship.enqueue(0)
    other = App("sqlite://", **{how: orders})
    job = ship.enqueue(1)

    assert job == orders.get(job.id) == orders.jobs.get(job.id) == other.get(job.id)
    assert [job] == orders.jobs() == orders.jobs.find(state="queued")
    assert other.store is orders.store
    orders.pause("default")
    assert other.queues.list()[0].paused
    assert "queued" == before.refresh().state  # a job stays with its store
    other.close()
    assert [before] == orders.jobs()
    assert not orders.queues.list()[0].paused


def test_what_a_replaced_app_works_on_is_the_replacement(orders, ship):
    """A drain of the wrong one runs no real job."""
    real = ship.enqueue(1)
    with App("sqlite://", replaces=orders):
        job = ship.enqueue(2)
        assert [job] == drain(orders)

    assert "queued" == real.refresh().state


def test_a_block_of_a_replaced_app_leaves_it_alone(orders):
    """The lifespan of a web application may begin and end in every test."""
    for _ in range(2):
        with App("sqlite://", replaces=orders) as other:
            with orders as entered:
                assert entered is orders
            assert [] == other.jobs()

    assert [] == orders.jobs()


def test_what_a_replacement_provides_is_its_own(registry):
    """The real app goes on with the real thing."""

    class Mailer:
        def __init__(self, kind):
            self.kind = kind

    @task(registry=registry)
    def send(mailer: Mailer) -> str:
        return mailer.kind

    real = App("sqlite://", registry=registry)
    real.provide(Mailer, lambda: Mailer("real"))
    with App("sqlite://", replaces=real) as other:
        assert "real" == other.run("send")
        other.provide(Mailer, lambda: Mailer("fake"))
        assert "fake" == other.run("send") == real.run("send")

    assert "real" == real.run("send")
    real.close()


def test_a_replacement_has_one_registry(orders):
    """It is that of the other app."""
    with pytest.raises(OptionError, match="one of registry=, like= and replaces="):
        App("sqlite://", replaces=orders, registry=TaskRegistry())


def test_the_current_app_is_where_tasks_hand_in_their_jobs(orders, registry):
    """For code that does not know in which module the app is."""
    assert orders is rotulus.current_app(registry)
    with App("sqlite://", replaces=orders) as other:
        assert other is rotulus.current_app(registry)
    with pytest.raises(NoAppError):
        rotulus.current_app(TaskRegistry())


def test_a_name_that_no_task_has_is_refused(orders):
    """With the nearest one, and what to write when it is meant."""
    for enqueue in (orders.enqueue, orders.using(delay=5).enqueue):
        with pytest.raises(TaskNotFoundError, match="did you mean 'ship'.*unchecked=True") as told:
            enqueue("shp", 1)
        assert "shp" == told.value.name
    with pytest.raises(TaskNotFoundError):
        asyncio.run(orders.aenqueue("shp", 1))
    with pytest.raises(OptionError):
        orders.using(unchecked=True).enqueue("no name")

    assert "shp" == orders.using(unchecked=True).enqueue("shp", 1).task
    assert [] == orders.jobs(task="ship")


def test_an_app_without_tasks_takes_any_name():
    """It knows none, so it cannot know better."""
    producer = App("sqlite://", registry=TaskRegistry())

    assert "ship" == producer.enqueue("ship", 1).task
    producer.close()


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"state": "done"}, "did you mean 'succeeded'.*blocked, delayed, queued, running"),
        ({"state": "faild"}, "did you mean 'failed'"),
        ({"state": ["queued", "zzz"]}, "no state 'zzz' "),
        ({"state": 5}, "no state 5"),
        ({"stat": "failed"}, "did you mean 'state'"),
        ({"task": "mail.*.x"}, "Task name 'mail.\\*.x' is not allowed"),
        ({"task": "a b*"}, "Task name 'a bx' is not allowed"),
        ({"error": ""}, "error='' is not allowed"),
        ({"since": "yesterday"}, "since='yesterday' is not allowed"),
        ({"until": -1}, "until=-1 is not allowed"),
        ({"args": "a=1"}, "args='a=1' is not allowed: give paths"),
        ({"args": {"a..b": 1}}, "the path 'a..b' is not allowed"),
        ({"args": {"a": [1]}}, "\\[1\\] at 'a' is not allowed"),
        ({"queue": "a b"}, "Queue name"),
    ],
)
def test_a_filter_that_nothing_can_match_is_refused(app, where, says):
    """Wherever jobs are chosen by one."""
    for verb in (app.jobs, app.jobs.find, app.jobs.count, app.jobs.cancel, app.jobs.retry):
        with pytest.raises(OptionError, match=says) as told:
            verb(**where)
        assert isinstance(told.value, RotulusError)


@pytest.mark.parametrize("limit", [-1, 2.5, "3", True, None])
def test_a_limit_is_a_whole_number(app, limit):
    """Of 0 or more."""
    with pytest.raises(OptionError, match="limit="):
        app.jobs.find(limit=limit)


def test_jobs_are_found_page_by_page(app):
    """The last added first; the next page is after the last job of the one before."""

    @task(registry=app.registry)
    def note(number: int) -> None: ...

    added = note.enqueue_many(range(5))[::-1]
    pages = [app.jobs.find(limit=2)]
    while pages[-1]:
        pages.append(app.jobs.find(limit=2, after=pages[-1][-1].id))
    by_cursor = [app.jobs.find(limit=2)]
    while by_cursor[-1].next:
        by_cursor.append(app.jobs.find(limit=2, after=by_cursor[-1].next))

    assert [2, 2, 1] == [len(page) for page in by_cursor]
    assert added == [job for page in by_cursor for job in page]
    assert added == [job for page in pages for job in page] == app.jobs() == app.jobs(limit=9)
    assert added[2:] == app.jobs(before=added[1].id)
    assert [] == app.jobs.find(limit=0)


def test_jobs_are_counted(app):
    """By the same filters."""

    @task(registry=app.registry)
    def note(number: int) -> None: ...

    note.enqueue_many(range(3))
    note.using(queue="mail", delay=60).enqueue(1)

    assert 4 == app.jobs.count() and app.jobs.count().exact and "4" == str(app.jobs.count())
    assert (3, 1) == (app.jobs.count(state="queued"), app.jobs.count(queue="mail"))
    assert 0 == app.jobs.count(state=["failed", "dead"], task="note")


def test_a_count_has_an_end():
    """It never reads a table of millions."""
    assert "10,000" == str(rotulus.JobCount(10_000))
    assert "10,000+" == str(rotulus.JobCount(10_001))
    assert ("37+", False) == (str(few := rotulus.JobCount(37, exact=False)), few.exact)


def test_jobs_are_cancelled_and_retried_by_what_they_are(app):
    """A dry run says which."""

    @task(registry=app.registry)
    def broken(number: int) -> None:
        raise ValueError(number)

    jobs = broken.enqueue_many(range(3))
    drain(app)
    waiting = broken.using(queue="later", delay=60).enqueue(1)

    assert {*jobs} == {*app.jobs.retry(task="broken", dry_run=True)}
    assert [waiting] == app.jobs.cancel(task="broken", dry_run=True)
    assert ["failed"] * 3 == [job.refresh().state for job in jobs]
    assert ["cancelled"] == [job.state for job in app.jobs.cancel(queue="later")]
    assert {*jobs} == {*app.jobs.retry(state="failed")}
    assert [] == app.jobs.retry(state="failed")
    with pytest.raises(OptionError, match="ids or filters"):
        app.jobs.cancel(jobs[0].id, task="broken")


def test_a_job_is_had_by_a_beginning_of_its_id(app):
    """If no other has it; else those that have are named."""

    @task(registry=app.registry)
    def note() -> None: ...

    one = note.enqueue()
    assert one == app.jobs.get(one.id[:8]) == app.get(one.id[:-1])

    two = note.enqueue()
    with pytest.raises(JobNotFoundError, match=f"{one.id}.*{two.id}|{two.id}.*{one.id}"):
        app.jobs.get(one.id[:8])


def test_queues_schedules_and_workers_are_listed(app):
    """As they stand."""

    @task(registry=app.registry, queue="mail")
    def note() -> None: ...

    @rotulus.scheduled("0 9 * * *", timezone="Europe/London", registry=app.registry)
    def daily() -> None: ...

    note.enqueue()
    app.queues.pause("other", "mail")
    app.queues.resume("mail")

    mail, other = app.queues.list()
    assert ("mail", {"queued": 1}, False) == (mail.name, mail.jobs, mail.paused)
    assert ("other", {}, True) == (other.name, other.jobs, other.paused)
    [schedule] = app.schedules.list()
    assert ("daily", "0 9 * * *", None) == (schedule.name, schedule.schedule.cron, schedule.last)
    assert schedule.next.minute == 0
    assert [] == app.workers.list()
    for verb in (app.pause, app.resume, app.queues.pause):
        with pytest.raises(OptionError, match="which queues"):
            verb()


def test_a_result_in_a_coroutine_is_asked_for_with_aresult(app):
    """Where it would block the loop; one that is there is just given."""

    @task(registry=app.registry)
    def note() -> int:
        return 1

    async def ask(job):
        return job.result(5)

    job = note.enqueue()
    with pytest.raises(RotulusWarning, match="await job.aresult"):
        asyncio.run(ask(job))
    drain(app)
    assert 1 == asyncio.run(ask(job))


def test_a_failed_result_is_no_warning(app):
    """Nothing is waited for."""

    @task(registry=app.registry)
    def broken() -> None:
        raise ValueError

    job = broken.enqueue()
    drain(app)
    with warnings.catch_warnings(), pytest.raises(JobFailedError):
        warnings.simplefilter("error")
        job.result(5)


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_worker_that_is_cancelled_before_it_has_begun_ends(app, turns):
    """A sibling in a task group may fail at once: nobody waits for the worker for ever."""

    async def cancel_early():
        worker = asyncio.ensure_future(app.arun_worker())
        for _ in range(turns):
            await asyncio.sleep(0)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(worker), 20)

    asyncio.run(cancel_early())
