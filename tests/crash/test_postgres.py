"""A server in trouble: stopped, killed, frozen, full, out of reach. Nothing is lost, all goes on."""

import itertools
import signal
import statistics
import threading
import time
from contextlib import contextmanager

import pytest

from crash.proxy import Proxy
from rotulus import App, TaskRegistry
from rotulus.errors import (
    StoreError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
)
from rotulus.store import Claim, ClaimFilter, NewJob, Renewal, Terms
from rotulus.stores.postgres import PostgresStore, listening, read_address
from servers.pgbouncer import PROGRAM, PgBouncer

pytestmark = pytest.mark.anywhere


class Producer(threading.Thread):
    """Enqueues one job after the other, whatever happens, and remembers which were accepted."""

    def __init__(self, url):
        super().__init__()
        self.accepted = []
        self.refused = 0
        self._app = App(url, registry=TaskRegistry())
        self._numbers = itertools.count()
        self._ended = threading.Event()

    def run(self):
        while not self._ended.wait(0.003):
            try:
                job = self._app.enqueue("awork", number=next(self._numbers), seconds=0.01)
                self.accepted.append(job.id)
            except StoreUnavailableError:
                self.refused += 1

    def end(self):
        self._ended.set()
        self.join()
        self._app.close()


@contextmanager
def producing(factory):
    """Jobs come in as long as the block lasts."""
    producer = Producer(factory.url)
    producer.start()
    try:
        yield producer
    finally:
        producer.end()


def more(factory, producer, jobs=60):
    """Wait until so many more jobs have been accepted, and so many more have begun."""
    accepted, begun = len(producer.accepted), len(factory.ledger())
    factory.until(lambda: len(producer.accepted) >= accepted + jobs)
    factory.until(lambda: len(factory.ledger()) >= begun + jobs)


def telling(factory, event):
    """What was being done when an event was told, in order."""
    return sorted(record["doing"] for record in factory.told(event))


def assert_all_went_well(factory, worker, producer):
    """Every accepted job has succeeded and has one outcome; the worker is the one it was."""
    factory.all_ended()
    jobs = {job.id: job for job in factory.app.jobs(limit=100_000)}

    assert set(producer.accepted) <= set(jobs)
    assert {"succeeded"} == set(factory.states())
    assert [] == factory.books()
    assert worker.poll() is None
    assert "Traceback" not in factory.logs()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_server_that_is_restarted_under_load_loses_nothing(plant, server, how):
    """Stopped or killed: the worker waits, and goes on by itself."""
    worker = plant.start("--slots", "8", lease=3)
    with producing(plant) as producer:
        more(plant, producer)
        server.stop(how)
        plant.until(lambda: {"claim", "settle"} & set(telling(plant, "store_failed")))
        plant.until(lambda: producer.refused > 3)
        server.start()
        started = time.monotonic()
        more(plant, producer, 1)
        print(f"working again {time.monotonic() - started:.2f} s after the server")
        more(plant, producer)

    assert_all_went_well(plant, worker, producer)
    plant.until(lambda: telling(plant, "store_recovered") == telling(plant, "store_failed"))
    failed = telling(plant, "store_failed")
    assert len(set(failed)) == len(failed), "an outage is told once by each who notices"


def test_connections_that_are_ended_one_by_one_and_all_at_once_are_replaced(plant, server):
    """Nobody notices but those who count: a call whose connection is lost is made once more."""
    worker = plant.start("--slots", "8", lease=3)
    all_of_them = "FROM pg_stat_activity WHERE application_name = 'rotulus'"
    with producing(plant) as producer:
        more(plant, producer)
        for _ in range(3):
            for pid in server.sql(f"SELECT pid {all_of_them}").split():
                server.sql(f"SELECT pg_terminate_backend({pid})")
                more(plant, producer, 5)
            server.sql(f"SELECT pg_terminate_backend(pid) {all_of_them}")
            more(plant, producer)

    assert 0 == producer.refused
    assert_all_went_well(plant, worker, producer)
    assert [] == plant.told("store_failed")


def test_every_call_to_a_server_that_hangs_comes_to_an_end(plant, server):
    """On a connection that was there and on a new one; then all works again."""
    store = PostgresStore(read_address(f"{plant.url}?deadline=1"))
    fresh = PostgresStore(read_address(f"{plant.url}?deadline=1"))
    [job] = store.add([NewJob("01890000-0000-7000-8000-000000000000", "{}", Terms("t"))])
    calls = {
        "add": lambda s: s.add([NewJob("01890000-0000-7000-8000-000000000001", "{}", Terms("t"))]),
        "claim": lambda s: s.claim(ClaimFilter("w"), 1, 30),
        "extend": lambda s: s.extend([Renewal(job.id, 1)], 30),
        "rescue": lambda s: s.rescue(10),
        "cancel": lambda s: s.cancel([job.id]),
        "get": lambda s: s.get(job.id),
        "find": lambda s: s.find(),
        "count": lambda s: s.count(),
        "count by step": lambda s: s.count(by="step", run=job.id),
        "fleet": lambda s: s.fleet(),
        "wait": lambda s: s.wait(ClaimFilter("w", queues=["none"]), 0.1),
    }
    took, told = [], []

    def time_out(call, one):
        begun = time.monotonic()
        try:
            call(one)
        except StoreUnavailableError as error:
            told.append(str(error))
        took.append(time.monotonic() - begun)

    every = list(itertools.product(calls.values(), (store, fresh)))
    threads = [threading.Thread(target=time_out, args=pair) for pair in every]
    server.freeze()
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    server.thaw()
    print(f"longest {max(took):.2f} s")

    assert len(every) == len(told)
    assert all("no answer within 1 s" in text or "timeout expired" in text for text in told), told
    assert max(took) < 5  # the driver gives a new connection two seconds at least
    assert "queued" == store.get(job.id).state
    assert store.get(job.id) == fresh.get(job.id)
    store.close()
    fresh.close()


def test_a_worker_outlives_a_server_that_hangs(plant, server):
    """What ended meanwhile is settled when it can be; nothing is run again."""
    worker = plant.start("--slots", "4", url=f"{plant.url}?deadline=1")
    jobs = plant.add("awork", 4, seconds=1.0)
    plant.began(4)
    server.freeze()
    plant.until(lambda: {"settle", "extend"} <= set(telling(plant, "store_failed")))
    server.thaw()

    assert [0, 1, 2, 3] == [job.result(20) for job in jobs]
    assert {1} == {job.refresh().attempt for job in jobs}
    plant.until(lambda: telling(plant, "store_recovered") == telling(plant, "store_failed"))
    assert 0 == plant.add("awork", seconds=0)[0].result(20)
    assert worker.poll() is None
    assert "Traceback" not in plant.logs()


def test_what_cannot_be_renewed_is_given_up_before_its_lease_is_over(plant, server):
    """Though the call that should renew it still waits for an answer."""
    plant.start("--slots", "1", lease=3)  # and 15 seconds for a call
    job = plant.app.enqueue("polite")
    plant.began(1)
    plant.until(lambda: plant.app.store.fleet().workers)
    server.freeze()
    frozen = time.monotonic()
    plant.until(lambda: any(line[0] == "cleaned" for line in plant.ledger()), 10)
    took = time.monotonic() - frozen
    print(f"given up {took:.2f} s after the server froze, of a lease of 3 s")
    server.thaw()

    assert took < 3
    assert [job.id] == [record["job"] for record in plant.told("lease_lost")]
    plant.began(2)
    assert 2 == job.refresh().attempt


def test_a_worker_ends_in_time_though_the_server_hangs(plant, server):
    """It cannot give back what it has: the lease does that."""
    worker = plant.start("--drain", "0.2", url=f"{plant.url}?deadline=2")
    plant.add("awork", 1, seconds=60)
    plant.began(1)
    server.freeze()
    stopped = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    code = worker.wait(20)
    took = time.monotonic() - stopped
    server.thaw()
    print(f"ended after {took:.2f} s")

    assert 0 == code
    assert took < 12
    assert "Traceback" not in plant.logs()


def pick_up(factory, number):
    """Seconds until a job of an idle factory begins."""
    factory.app.store.wait(ClaimFilter(queues=["nobody serves this"]), 1.5)  # looks become rare
    begun = len(factory.ledger())
    added = time.monotonic()
    job = factory.app.enqueue("awork", number=number, seconds=0)
    factory.until(lambda: len(factory.ledger()) > begun, 20)
    took = time.monotonic() - added
    job.result(10)
    return took


def test_notifications_that_stop_cost_a_second_and_no_job(plant, server):
    """A worker that hears nothing looks for itself."""
    proxy = Proxy(server.port)
    proxy.deaf = True
    url = plant.url.replace(str(server.port), str(proxy.port))
    plant.start(url=f"{url}?sslmode=disable")
    plant.until(lambda: plant.app.store.fleet().workers)
    deaf = [pick_up(plant, number) for number in range(4)]
    proxy.deaf = False
    proxy.cut()
    plant.app.store.wait(ClaimFilter(queues=["nobody serves this"]), 2)
    hearing = [pick_up(plant, number) for number in range(4, 8)]
    proxy.close()
    print(f"deaf {[f'{s:.2f}' for s in deaf]}, hearing {[f'{s:.2f}' for s in hearing]}")

    assert max(deaf) < 3
    assert statistics.median(hearing) < 0.2


def test_a_listener_notices_that_it_is_deaf_and_begins_anew(plant, server, monkeypatch):
    """Its connection lives, and nothing comes through it."""
    monkeypatch.setattr(listening, "_TEST_EVERY", 0.2)
    monkeypatch.setattr(listening, "_HEARS_WITHIN", 0.5)
    proxy = Proxy(server.port)
    url = plant.url.replace(str(server.port), str(proxy.port))
    store = PostgresStore(read_address(f"{url}?sslmode=disable"))
    store.wait(ClaimFilter(queues=["none"]), 0)
    plant.until(lambda: store._listener.hears, 10)
    began = store._listener.began
    proxy.deaf = True
    plant.until(lambda: not store._listener.hears, 10)
    proxy.deaf = False
    plant.until(lambda: store._listener.hears, 10)
    assert store._listener.began > began

    proxy.cut()
    plant.until(lambda: not store._listener.hears, 10)
    plant.until(lambda: store._listener.hears, 10)
    store.close()
    proxy.close()


@pytest.fixture
def pooler(server):
    """A transaction pooler in front of the server."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed")
    made = PgBouncer(server)
    made.start()
    yield made
    made.stop()


def test_everything_works_through_a_transaction_pooler(plant, server, pooler):
    """Where no connection lasts longer than a transaction: with ?listen=false."""
    url = f"{pooler.url(plant.url)}?listen=false"
    app = App(url, registry=TaskRegistry())
    supervisor = plant.start("--processes", "2", "--slots", "4", url=url)
    jobs = [app.enqueue("awork", number=n, seconds=0.01) for n in range(200)]
    keyed = {app.using(key=f"k{n % 3}", delay=0.1).enqueue("flaky", number=n).id for n in range(9)}
    plant.all_ended()
    took = pick_up(plant, 500)
    told = app.jobs(limit=1000)
    app.close()
    supervisor.send_signal(signal.SIGTERM)

    assert 0 == supervisor.wait(30)
    assert {"succeeded": 204} == plant.states()
    assert 3 == len(keyed)
    assert 200 == len(jobs)
    assert 204 == len(told)
    assert took < 3
    assert [] == plant.books()
    assert [] == plant.told("store_failed")


def test_a_pooler_that_was_not_told_of_is_noticed(plant, pooler):
    """The error says what to add to the URL."""
    apps = [App(pooler.url(plant.url), registry=TaskRegistry()) for _ in range(8)]
    errors = []

    def use(app):
        for number in range(20):
            try:
                app.enqueue("awork", number=number, seconds=0)
                app.store.claim(ClaimFilter("w"), 1, 30)
            except StoreError as error:
                errors.append(str(error))
        app.close()

    threads = [threading.Thread(target=use, args=(app,)) for app in apps]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert errors
    assert set() == {error for error in errors if "listen=false" not in error}


def test_a_machine_that_dies_costs_one_lease(plant):
    """And a little, until somebody looks. Nobody is there to see the worker die."""
    lease = 2
    [job] = plant.add("awork", 1, seconds=60)
    victim = plant.start("--name", "victim", lease=lease)
    plant.began(1)
    plant.start("--name", "heir", lease=lease)
    plant.until(lambda: len(plant.app.store.fleet().workers) == 2)
    victim.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    plant.began(2)
    took = time.monotonic() - killed
    print(f"run again {took:.2f} s after the death, with a lease of {lease} s")

    assert took < lease + 5 * 1.25 + 1.5
    job = job.refresh()
    assert ("heir", 2, 1) == (job.worker, job.attempt, job.record.losses)


def test_kills_of_workers_and_connections_together_lose_nothing(plant, server):
    """Again and again, at any moment."""
    workers = [plant.start("--slots", "8", lease=1.5) for _ in range(2)]
    with producing(plant) as producer:
        for round_ in range(6):
            more(plant, producer, 20)
            workers[round_ % 2].send_signal(signal.SIGKILL)
            server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'rotulus' AND random() < 0.5"
            )
            workers[round_ % 2].wait()
            workers[round_ % 2] = plant.start("--slots", "8", lease=1.5)
    plant.all_ended(90)
    jobs = {job.id for job in plant.app.jobs(limit=100_000)}

    assert set(producer.accepted) <= jobs
    assert {"succeeded", "dead"} >= set(plant.states())
    assert [] == plant.books()


def test_a_server_without_room_is_waited_for(plant, server):
    """Its connections are all taken when the worker's are lost: it goes on when there is room."""
    server.sql("CREATE ROLE guest LOGIN")
    database = plant.url.rpartition("/")[2]
    server.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO guest", database)
    worker = plant.start(url=plant.url.replace("rotulus@", "guest@"))
    assert 0 == plant.add("awork", seconds=0)[0].result(20)
    server.sql("ALTER ROLE guest CONNECTION LIMIT 0")
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'")
    plant.until(lambda: "claim" in telling(plant, "store_failed"))
    server.sql("ALTER ROLE guest CONNECTION LIMIT -1")
    job = plant.app.enqueue("awork", number=1, seconds=0)

    assert 1 == job.result(20)
    assert worker.poll() is None
    assert "too many connections" in plant.logs()
    assert "max_connections" in plant.logs()
    assert "Traceback" not in plant.logs()
    worker.kill()
    worker.wait()
    server.sql("DROP OWNED BY guest", database)
    server.sql("DROP ROLE guest")


def test_a_server_that_only_reads_is_left_when_it_may_be_written_again(plant, server):
    """As after a failover: connections that lead to the old server are of no use."""
    worker = plant.start()
    assert 0 == plant.add("awork", seconds=0)[0].result(20)
    database = plant.url.rpartition("/")[2]
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
    server.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    server.sql(f"{ended}'{database}'")
    with pytest.raises(StoreReadOnlyError, match="only reads: connect to the primary"):
        plant.app.enqueue("awork", number=1, seconds=0)
    plant.until(lambda: "rescue" in telling(plant, "store_failed"), 20)
    server.sql(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    job = plant.app.enqueue("awork", number=2, seconds=0)

    assert 2 == job.result(20)
    plant.until(lambda: telling(plant, "store_recovered") == telling(plant, "store_failed"))
    assert 1 == telling(plant, "store_failed").count("rescue")
    assert worker.poll() is None
    assert "Traceback" not in plant.logs()


def test_a_table_that_is_away_is_told_once_and_waited_for(plant, server):
    """By each who needs it, without a traceback."""
    worker = plant.start()
    assert 0 == plant.add("awork", seconds=0)[0].result(20)
    database = plant.url.rpartition("/")[2]
    server.sql("ALTER TABLE rotulus_jobs RENAME TO away", database)
    plant.until(lambda: {"claim", "rescue"} <= set(telling(plant, "store_failed")), 20)
    server.sql("ALTER TABLE away RENAME TO rotulus_jobs", database)

    assert 1 == plant.app.enqueue("awork", number=1, seconds=0).result(20)
    plant.until(lambda: telling(plant, "store_recovered") == telling(plant, "store_failed"))
    failed = telling(plant, "store_failed")
    assert len(set(failed)) == len(failed)
    assert [] == plant.told("duty_failed")
    assert worker.poll() is None
    assert "Traceback" not in plant.logs()


def test_an_outcome_that_cannot_be_written_holds_up_no_other(plant, server):
    """It is the outcome of one job, not of those that ended together with it."""
    database = plant.url.rpartition("/")[2]
    server.sql("ALTER TABLE rotulus_jobs ADD CHECK (result <> '13') NOT VALID", database)
    jobs = plant.add("awork", 30, seconds=0.3)
    worker = plant.start("--slots", "30")
    plant.all_ended()
    unlucky = jobs.pop(13).refresh()

    assert ("failed", "result") == (unlucky.state, unlucky.reason)
    assert "StoreRefusedError" == unlucky.error.type
    assert [n for n in range(30) if n != 13] == [job.result(0) for job in jobs]
    assert worker.poll() is None


def test_a_success_that_the_store_refuses_once_is_a_success(plant, server):
    """Whatever came between is over when it is written by itself."""
    database = plant.url.rpartition("/")[2]
    server.sql("CREATE SEQUENCE refusals", database)
    server.sql(
        "CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('refusals') = 1 THEN RAISE check_violation; END IF; RETURN NEW; END $$",
        database,
    )
    server.sql(
        "CREATE TRIGGER refuse_once BEFORE UPDATE ON rotulus_jobs FOR EACH ROW "
        "WHEN (NEW.state = 'succeeded') EXECUTE FUNCTION refuse_once()",
        database,
    )
    [job] = plant.add("awork", 1, seconds=0)
    plant.start()
    plant.all_ended()

    job = job.refresh()
    assert ("succeeded", 1) == (job.state, job.attempt)


def test_a_job_that_cannot_be_stored_holds_up_no_other(plant, server):
    """Though it is enqueued at the same time."""
    database = plant.url.rpartition("/")[2]
    server.sql("ALTER TABLE rotulus_jobs ADD CHECK (queue <> 'forbidden')", database)
    accepted, refused = [], []

    def enqueue(number):
        sender = plant.app.using(queue="forbidden" if number % 5 == 0 else "default")
        try:
            accepted.append(sender.enqueue("awork", number=number, seconds=0).id)
        except StoreRefusedError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=enqueue, args=(n,)) for n in range(40)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert (32, 8) == (len(accepted), len(refused))
    assert all("violates check constraint" in text for text in refused)
    assert set(accepted) == {job.id for job in plant.app.jobs()}


def test_a_row_that_is_damaged_is_given_up_and_the_others_flow(plant, server):
    """With what is wrong with it, and retryable when that has been put right."""
    jobs = plant.add("awork", 10, seconds=0)
    database = plant.url.rpartition("/")[2]
    broken = f"SET arguments = '{{broken' WHERE id = '{jobs[4].id}'"
    server.sql("ALTER TABLE rotulus_jobs DROP CONSTRAINT IF EXISTS arguments_are_json", database)
    server.sql(f"UPDATE rotulus_jobs {broken}", database)
    worker = plant.start()
    plant.all_ended()
    damaged = jobs.pop(4).refresh()

    assert ("dead", "corrupt") == (damaged.state, damaged.reason)
    assert [n for n in range(10) if n != 4] == [job.result(0) for job in jobs]
    assert worker.poll() is None


def test_a_claim_whose_answer_is_lost_comes_back_after_its_lease(plant, server):
    """Nobody knows that he has the job, so nobody renews it."""
    store = plant.app.store
    [job] = plant.add("awork", 1, seconds=0)
    [lost] = store.claim(ClaimFilter("lost"), 1, 1.0)
    plant.start()

    assert 0 == job.result(20)
    assert [Claim(job.id, 1)] == store.extend([Renewal(lost.id, lost.attempt)], 30).lost
    assert 2 == job.refresh().attempt


def test_a_worker_that_starts_before_its_server_says_so(plant, server):
    """Who started it will start it again."""
    server.stop()
    worker = plant.start()
    code = worker.wait(30)
    told = plant.logs()

    assert 4 == code
    assert "is the server running there" in told
    assert "Traceback" not in told
