"""Pushes: each is one attempt of one stored job, and is answered by what came of it."""

import asyncio
import json
import threading
import time

import pytest

from pubsub.pushing import envelope, push
from pubsub.served import Service
from rotulus import Retry, Snooze, State, task
from rotulus.errors import ConfigurationError
from rotulus.pubsub import LocalVerifier, PubSubSettings, PushHandler, TaskRoute, TokenVerifier
from rotulus.pubsub.messages import write_scheduled
from rotulus.pubsub.rejected import Rejects
from rotulus.store import ClaimFilter, NewJob, Terms

FIRING = write_scheduled("7f000000-0000-4000-8000-000000000000", "add")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def url(request, tmp_path):
    """Where jobs are, on either store."""
    if request.param == "postgres":
        return request.getfixturevalue("database")
    return f"sqlite:///{tmp_path}/jobs.db"


@pytest.fixture
def serve(registry, url):
    """Makes a service, and closes it."""
    made = []

    def make(settings=None, **options):
        made.append(Service(url, registry, settings or PubSubSettings(), **options))
        made[-1].app.store.migrate()
        return made[-1]

    yield make
    for service in made:
        service.app.close()


@pytest.fixture
def service(serve):
    """A service that this machine may push to."""
    return serve()


@pytest.mark.requirement("G-23")
def test_a_push_runs_its_job(service):
    """Answered with 200, and the job has its result; it is in all lists as any other."""
    job = service.add.enqueue(3, right=4)

    assert (200, "OK") == service.answer(service.carrier.push())
    job = job.refresh()
    assert (State.SUCCEEDED, 7, 1) == (job.state, job.result(), job.attempt)
    assert [job.id] == [found.id for found in service.app.jobs.find(task="numbers.add")]


def test_a_coroutine_runs_on_the_loop_and_a_function_beside_it(service):
    """As a framework of coroutines has it."""

    async def main():
        await service.later.aenqueue(5)
        assert 200 == (await service.handler.ahandle(service.carrier.push())).status
        await service.add.aenqueue(3, 4)
        assert 200 == (await service.handler.ahandle(service.carrier.push())).status

    asyncio.run(main())
    assert [5, (3, 4)] == service.ran


def test_a_message_that_is_delivered_again_does_not_run_again(service):
    """It is acknowledged: by the id of the job, whatever the message's own id is."""
    service.add.enqueue()

    answers = [service.answer(service.carrier.push()) for _ in range(50)]
    assert {(200, "OK")} == set(answers)
    assert 1 == len(service.ran)


@pytest.mark.requirement("G-27")
def test_a_task_that_raises_is_tried_with_each_delivery(service):
    """Answered with 500 each time, until it succeeds, or the deliveries of its route are spent."""
    service.fails = 2
    job = service.add.enqueue()

    answers = [service.answer(service.carrier.push()) for _ in range(4)]
    assert [(500, "Task failed"), (500, "Task failed"), (200, "OK"), (200, "OK")] == answers
    job = job.refresh()
    assert (3, 3, State.SUCCEEDED) == (len(service.ran), job.attempt, job.state)


def test_a_task_that_always_raises_ends_with_its_last_delivery(service):
    """Five in all; one more is acknowledged, and runs nothing."""
    service.fails = 100
    job = service.add.enqueue()

    statuses = [service.handler.handle(service.carrier.push()).status for _ in range(7)]
    assert [500, 500, 500, 500, 500, 200, 200] == statuses
    job = job.refresh()
    assert (5, State.FAILED, "error") == (len(service.ran), job.state, job.reason)
    assert "the disk is on fire" in job.error.message


def test_a_policy_of_the_tasks_own_decides_how_often_it_is_tried(service, registry):
    """Not the deliveries of its route."""

    @task(name="own", registry=registry, retry=Retry(attempts=2, delay=3600))
    def own():
        service.ran.append(1)
        raise OSError("no")

    routes = [TaskRoute(own)]
    service.carrier.routes |= {"own": routes[0]}
    handler = PushHandler(service.app, routes, verifier=LocalVerifier(), settings=PubSubSettings())
    own.enqueue()

    assert [500, 500, 200] == [handler.handle(service.carrier.push()).status for _ in range(3)]
    assert 2 == len(service.ran)


def test_fifty_deliveries_at_once_run_it_once(service):
    """One runs it, the others are told to come later, and when: after the lease."""
    service.hold = threading.Event()
    service.add.enqueue()
    request, answers = service.carrier.push(), []

    def deliver():
        answers.append(service.handler.handle(request))

    threads = [threading.Thread(target=deliver) for _ in range(50)]
    for thread in threads:
        thread.start()
    service.entered.wait(30)
    while len(answers) < 49:
        threads[0].join(0.01)
    service.hold.set()
    for thread in threads:
        thread.join()

    assert [200] + [429] * 49 == sorted(answer.status for answer in answers)
    assert {"30"} == {a.headers["Retry-After"] for a in answers if a.status == 429}
    assert 1 == len(service.ran)


def test_fifty_deliveries_at_once_on_a_loop_run_it_once(service):
    """As over FastAPI."""
    service.add.enqueue()

    async def main():
        request = service.carrier.push()
        return await asyncio.gather(*(service.handler.ahandle(request) for _ in range(50)))

    statuses = {answer.status for answer in asyncio.run(main())}
    assert 200 in statuses <= {200, 429}
    assert 1 == len(service.ran)


def test_a_lease_that_was_left_behind_is_waited_for(service):
    """A process that was killed has it: 429 until it is over, and then the job runs."""
    job = service.add.enqueue()
    [claimed] = service.app.store.claim(ClaimFilter("killed", ids=[job.id]), 1, 0.2)

    assert (429, "Not now") == service.answer(service.carrier.push())
    end = time.monotonic() + 30
    while service.answer(service.carrier.push())[0] != 200:
        assert time.monotonic() < end
    assert (claimed.attempt + 1, 1) == (job.refresh().attempt, len(service.ran))


def test_a_job_that_was_given_up_stays_so(service):
    """Cancelled, or dead: the message is acknowledged, and nothing runs until it is retried."""
    job = service.add.enqueue()
    service.app.cancel(job.id)

    assert (200, "OK") == service.answer(service.carrier.push())
    assert [] == service.ran
    service.app.retry(job.id)
    assert (200, "OK") == service.answer(service.carrier.push())
    assert 1 == len(service.ran)


def test_a_queue_that_is_paused_lets_nothing_in(service):
    """Neither jobs that are stored, nor messages that come without one."""
    service.add.enqueue()
    service.app.queues.pause("_pubsub")

    assert (429, "Not now") == service.answer(service.carrier.push())
    assert (429, "Not now") == service.answer(push(envelope(FIRING)))
    service.app.queues.resume("_pubsub")
    assert (200, "OK") == service.answer(service.carrier.push())


def test_a_task_that_snoozes_is_acknowledged_and_published_again(service, registry, clock):
    """Its message comes when it is due."""

    @task(name="sleepy", registry=registry)
    def sleepy():
        if not service.ran:
            service.ran.append(1)
            raise Snooze(0.05)

    route = TaskRoute(sleepy)
    service.carrier.routes |= {"sleepy": route}
    handler = PushHandler(service.app, [route], verifier=LocalVerifier(), settings=PubSubSettings())
    job = sleepy.enqueue()

    assert 200 == handler.handle(service.carrier.push()).status
    end = time.monotonic() + 30
    while len(service.carrier.published) < 2:
        service.app.relay()
        assert time.monotonic() < end
    assert 200 == handler.handle(service.carrier.push()).status
    assert State.SUCCEEDED is job.refresh().state


@pytest.mark.requirement("G-33")
def test_each_firing_of_a_schedule_is_one_job(service):
    """Told apart by the id of its message, as the payload is the same; also when delivered twice."""
    for number in ("1", "2", "1", "3", "2"):
        request = push(envelope(FIRING, message_id=number, attributes={"task": "numbers.add"}))
        assert (200, "OK") == service.answer(request)

    jobs = service.app.jobs.find(task="numbers.add")
    assert (3, 3) == (len(jobs), len(service.ran))
    assert {"pubsub:a-sub:1", "pubsub:a-sub:2", "pubsub:a-sub:3"} == {job.key for job in jobs}
    assert [] == service.carrier.published


def test_a_firing_that_fails_is_tried_as_often_as_it_is_delivered(service):
    """It is one job from delivery to delivery."""
    service.fails = 1
    request = push(envelope(FIRING, message_id="7"))

    assert [500, 200, 200] == [service.answer(request)[0] for _ in range(3)]
    [job] = service.app.jobs.find(task="numbers.add")
    assert (2, State.SUCCEEDED) == (job.attempt, job.state)


def test_fifty_deliveries_of_one_firing_make_one_job(service):
    """At once, before there is any."""
    request, statuses = push(envelope(FIRING, message_id="7")), []

    def deliver():
        statuses.append(service.handler.handle(request).status)

    threads = [threading.Thread(target=deliver) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 200 in set(statuses) <= {200, 429}
    assert (1, 1) == (len(service.app.jobs.find()), len(service.ran))


def test_a_message_of_another_publisher_runs_with_its_arguments(service):
    """Once for its task_id, however often it is published."""
    data = {"task_id": "order-7", "task_name": "add", "args": [2], "kwargs": {"right": 5}}

    for _ in range(2):
        assert (200, "OK") == service.answer(push(envelope(data)))
    assert [(2, 5)] == service.ran


def test_a_job_whose_message_came_and_was_lost_again_is_published(service, clock):
    """What a scheduler sent is carried on by us: an entry stands until the job has ended."""
    service.app.queues.pause("_pubsub")
    service.answer(push(envelope(FIRING)))
    [job] = service.app.jobs.find()

    assert service.app.store.outbox.entry(job.id).published_at is not None


@pytest.mark.requirement("G-24")
def test_an_unknown_task_is_refused_and_kept_once(service):
    """Answered with 400; its name is not told. The job is dead until somebody retries it."""
    request = push(envelope({"task_name": "secret.name", "kwargs": {"n": 1}}, message_id="7"))

    for _ in range(3):
        assert (400, "Unknown task") == service.answer(request)
    [job] = service.app.jobs.find()
    assert ("secret.name", State.DEAD, "unknown_task") == (job.task, job.state, job.reason)
    assert {"n": 1} == job.arguments
    assert "_pubsub" == job.queue


def test_a_message_of_an_unknown_task_is_kept_under_the_name_that_it_is_registered_by(service):
    """So that it can be retried when a later version knows the task."""
    data = {"task_name": "send", "kwargs": {"n": 1}}
    assert (400, "Unknown task") == service.answer(
        push(envelope(data, attributes={"task": "mail.tasks.send"}))
    )

    assert ["mail.tasks.send"] == [job.task for job in service.app.jobs.find()]


def test_a_job_that_was_deleted_does_not_come_back(service):
    """Its message, which is still on its way, is acknowledged."""
    job = service.app.enqueue("numbers.add")
    late = service.carrier.push()
    service.app.jobs.cancel(job.id)
    service.app.jobs.delete(job.id)

    assert (200, "OK") == service.answer(late)
    assert [] == service.ran
    assert [] == service.app.jobs.find()


def test_wrong_arguments_are_refused_and_kept_once(service):
    """Answered with 400, with the reason in the job."""
    request = push(envelope({"task_name": "add", "kwargs": {"lefft": 1}}, message_id="7"))

    for _ in range(3):
        assert (400, "Invalid arguments") == service.answer(request)
    [job] = service.app.jobs.find()
    assert ("numbers.add", State.DEAD, "invalid_arguments") == (job.task, job.state, job.reason)
    assert "'left'" in job.error.message
    assert [] == service.ran


@pytest.mark.requirement("G-24")
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"message": {"data": "?"}}'])
def test_what_is_malformed_is_refused_and_kept_once(service, body):
    """Answered with 400; its text is kept."""
    for _ in range(3):
        assert 400 == service.answer(push(body))[0]

    [job] = service.app.jobs.find()
    assert ("pubsub.unreadable", State.DEAD, "corrupt") == (job.task, job.state, job.reason)
    assert {"body": body.decode()} == job.arguments


def test_a_message_that_was_refused_runs_where_its_task_is_known(service):
    """As when an older version got it first; what that kept stays dead."""
    known = push(envelope({"task_id": "7", "task_name": "add"}))
    older = PushHandler(
        service.app, service.routes[1:], verifier=LocalVerifier(), settings=PubSubSettings()
    )

    assert 400 == older.handle(known).status
    assert [(200, "OK"), (200, "OK")] == [service.answer(known), service.answer(known)]
    assert 1 == len(service.ran)
    assert {State.DEAD, State.SUCCEEDED} == {job.state for job in service.app.jobs.find()}


def test_a_job_that_has_expired_is_acknowledged(service):
    """It is dead, and no delivery brings it back."""
    service.add.using(expires=0.001).enqueue()
    service.app.store.wait(ClaimFilter(queues=["none"]), 0.05)

    assert (200, "OK") == service.answer(service.carrier.push())
    assert (State.DEAD, "expired") == (service.job().state, service.job().reason)
    assert [] == service.ran


def test_what_is_refused_many_times_at_once_is_kept_once(service):
    """Twenty deliveries of one message: each is refused, or told to come again until it is kept."""
    statuses = []

    def deliver():
        statuses.append(service.handler.handle(push(b"{")).status)

    threads = [threading.Thread(target=deliver) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 400 in set(statuses) <= {400, 429}
    assert 400 == service.handler.handle(push(b"{")).status
    assert [State.DEAD] == [job.state for job in service.app.jobs.find()]


@pytest.mark.parametrize("status", [400, 204])
def test_what_is_rejected_comes_again_until_it_is_kept(serve, status):
    """A process was killed before it had kept it: acknowledged now, it would never be looked at."""
    service = serve(PubSubSettings(reject_status=status))
    assert status == service.answer(push(b"{"))[0]
    [kept] = service.app.jobs.find()
    service.app.retry(kept.id)
    service.app.store.claim(ClaimFilter("killed", ids=[kept.id]), 1, 0.2)

    answer = service.handler.handle(push(b"{"))
    assert (429, "Not now", "30") == (answer.status, answer.text, answer.headers["Retry-After"])
    end = time.monotonic() + 30
    while json.loads(service.handler.tick(push(b"")).text)["rescued"] == 0:
        assert time.monotonic() < end
    assert status == service.answer(push(b"{"))[0]
    assert [State.DEAD] == [job.state for job in service.app.jobs.find()]


def test_what_is_rejected_while_the_queue_is_paused_comes_again(service):
    """Nothing is kept of it then that nobody would look at."""
    service.app.queues.pause("_pubsub")
    assert (429, "Not now") == service.answer(push(b"{"))
    service.app.queues.resume("_pubsub")

    assert 400 == service.answer(push(b"{"))[0]
    assert [State.DEAD] == [job.state for job in service.app.jobs.find()]


def test_a_message_that_was_refused_can_be_retried(service, registry):
    """When its task is there: it is sent back, published, and runs."""
    service.answer(push(envelope({"task_name": "mail.late", "kwargs": {"n": 3}})))
    [dead] = service.app.jobs.find()

    @task(name="mail.late", registry=registry)
    def late(n: int) -> int:
        return n

    route = TaskRoute(late)
    service.carrier.routes |= {"mail.late": route}
    PushHandler(service.app, [route], verifier=LocalVerifier(), settings=PubSubSettings())
    service.app.retry(dead.id)

    assert [dead.id] == [job.id for job in service.carrier.published]
    assert (200, "OK") == service.answer(service.carrier.push())
    assert 3 == service.job().result()


def test_a_rejected_message_can_be_acknowledged(serve):
    """For subscriptions without a dead-letter topic: 204, and kept all the same."""
    service = serve(PubSubSettings(reject_status=204))

    assert (204, "") == service.answer(push(b"{"))
    assert (204, "") == service.answer(push(envelope({"task_name": "nothing"})))
    assert 2 == len(service.app.jobs.find(state="dead"))


def test_a_job_that_nobody_can_run_any_more_is_refused(serve):
    """Its task was renamed, or its arguments are of an older version."""
    service = serve(unknown_grace=0)
    adding = service.app.using(unchecked=True)
    renamed = adding.enqueue("numbers.sum")
    [older] = service.app.store.add(
        [NewJob("0197f3a0-0000-7000-8000-000000000001", '{"l":1}', Terms("numbers.add"))]
    )

    for job_id, text in ((renamed.id, "Unknown task"), (older.id, "Invalid arguments")):
        request = push(envelope({"task_id": job_id, "task_name": "add"}))
        assert (400, text) == service.answer(request)
        assert State.DEAD is service.app.jobs.get(job_id).state
        assert (200, "OK") == service.answer(request)
    assert [] == service.ran


@pytest.mark.requirement("G-25")
def test_a_push_without_the_right_token_is_refused(serve, verified_settings, signer):
    """Answered with 403, before anything is read; with the right one it runs."""
    service = serve(verified_settings, verifier=TokenVerifier.from_settings(verified_settings))
    service.add.enqueue()
    bare = service.carrier.push()

    def authorised(token):
        return type(bare)([*bare.headers, ("Authorization", f"Bearer {token}")], bare.body)

    assert (403, "Unauthorized") == service.answer(bare)
    assert (403, "Unauthorized") == service.answer(push(b"{"))
    assert (403, "Unauthorized") == service.answer(authorised(signer.token(aud="x")))
    assert [] == service.ran
    assert 1 == len(service.app.jobs.find())
    assert (200, "OK") == service.answer(authorised(signer.token()))


def test_only_subscriptions_in_the_settings_are_let_in(serve):
    """Written out, or by a pattern; of others nothing is run, or kept."""
    service = serve(PubSubSettings(subscriptions=("dev--shop.tasks--*", "orders-sub")))
    data = {"task_name": "add"}

    for name in ("dev--shop.tasks--add-sub", "orders-sub"):
        assert (200, "OK") == service.answer(push(envelope(data, subscription=name)))
    assert 400 == service.answer(push(envelope(b"{", subscription="orders-sub")))[0]
    for name in ("prod--shop.tasks--add-sub", "orders-sub2", "Orders-sub", ""):
        for request in (
            push(envelope(data, subscription=name)),
            push(envelope(b"{", subscription=name)),
            push(data, headers=[("x-goog-pubsub-message-id", "1")]),
            push(b"{"),
        ):
            assert (403, "Unauthorized") == service.answer(request)
            assert 403 == asyncio.run(service.handler.ahandle(request)).status
    assert (2, 3) == (len(service.ran), len(service.app.jobs.find()))


def test_a_handler_without_a_verifier_takes_that_of_the_settings(serve, registry):
    """And does not start when they lack what it needs."""
    service = serve()

    with pytest.raises(ConfigurationError, match=r"CLOUD_RUN_SERVICE_URL.*TASKS_SERVICE_ACCOUNT"):
        PushHandler(service.app, service.routes, settings=PubSubSettings())


def test_a_handler_does_not_start_when_routes_do_not_fit(service):
    """Their timeout, their lease, or that nobody carries them."""

    def check(*routes):
        PushHandler(service.app, routes, verifier=LocalVerifier(), settings=PubSubSettings())

    @task(name="slow", registry=service.app.registry, timeout=500)
    def slow(): ...

    @task(name="idle", registry=service.app.registry)
    def idle(): ...

    with pytest.raises(ConfigurationError, match="timeout of 500 seconds .* ack_deadline of 300"):
        check(TaskRoute(slow))
    with pytest.raises(ConfigurationError, match=r"does not carry task 'idle': call app\.carry"):
        check(TaskRoute(idle))


def test_a_tick_does_the_duties_and_counts_them(service, registry):
    """For whom a push would be let in, in threads and on loops."""
    answer = service.handler.tick(push(b""))

    assert 200 == answer.status
    counted = {"rescued": 0, "fired": 0, "published": 0, "pruned": 0, "mended": 0}
    assert counted == json.loads(answer.text)
    assert answer == asyncio.run(service.handler.atick(push(b"")))
    assert 403 == service.handler.tick(push(b"", peer="10.0.0.1")).status
    assert 403 == asyncio.run(service.handler.atick(push(b"", peer="10.0.0.1"))).status


def test_a_tick_takes_back_what_was_lost(service):
    """It is due at once, and its next delivery runs it."""
    job = service.add.enqueue()
    service.app.store.claim(ClaimFilter("killed", ids=[job.id]), 1, 0.01)

    end = time.monotonic() + 30
    while json.loads(service.handler.tick(push(b"")).text)["rescued"] == 0:
        assert time.monotonic() < end
    assert State.QUEUED is job.refresh().state


def test_a_store_that_cannot_be_reached_is_told_to_come_later(serve, url):
    """Answered with 503, for messages of all kinds, and for ticks."""
    service = serve()
    service.add.enqueue()
    stored = service.carrier.push()
    service.app.close()

    for request in (stored, push(envelope(FIRING)), push(b"{")):
        answer = service.handler.handle(request)
        assert (503, "Store unavailable") == (answer.status, answer.text)
        assert int(answer.headers["Retry-After"]) > 0
        assert answer == asyncio.run(service.handler.ahandle(request))
    assert 503 == service.handler.tick(push(b"")).status


@pytest.mark.parametrize("status", [400, 204])
def test_as_many_are_kept_in_an_hour_as_people_look_at(serve, status):
    """Others are refused, so that Pub/Sub keeps them; an hour later there is room again."""
    service, now = serve(PubSubSettings(reject_status=status)), [0.0]
    service.handler._rejects = Rejects(lambda: service.app.store, 3, lambda: now[0])

    def statuses():
        bodies = (b'{"message": %d}' % number for number in range(5))
        return [service.handler.handle(push(body)).status for body in bodies]

    assert [status] * 3 + [400] * 2 == statuses()
    assert 3 == len(service.app.jobs.find(state="dead"))
    now[0] = 3599.0
    assert [400] * 5 == statuses()
    now[0] = 3600.0
    assert [status] * 5 == statuses()
    assert 5 == len(service.app.jobs.find(state="dead"))
