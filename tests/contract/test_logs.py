"""Log lines: kept with their attempt, fenced by it, and gone with their job."""

import sqlite3
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.workbench import OUTCOMES
from rotulus._jobs.states import State
from rotulus.store import LogFilter, LogRow

ALL = LogFilter()
NOBODY = "00000000-0000-7000-8000-00000000abcd"


def row(job, line=1, text="hello", attempt=None, level=20, logger="app.mail"):
    """A line of an attempt."""
    return LogRow(job.id, attempt or job.attempt, line, 1_000_000 + line, level, logger, text)


def texts(bench, job, wanted=ALL, limit=100):
    """The lines of a job."""
    return [line.text for line in bench.store.logs.read(job.id, wanted, limit)]


def test_lines_are_read_as_they_were_added(bench):
    """In the order of their numbers, of whichever job they are."""
    job, other = bench.running(), bench.running()
    rows = [row(job, 2, "two"), row(other, 1, "of another"), row(job, 1, "one", level=40)]
    bench.store.logs.add(rows)

    assert [rows[2], rows[0]] == bench.store.logs.read(job.id, ALL, 10)
    assert [rows[1]] == bench.store.logs.read(other.id, ALL, 10)
    assert [] == bench.store.logs.read(NOBODY, ALL, 10)
    assert [] == bench.store.logs.read("nonsense", ALL, 10)


def test_a_line_stays_as_it_is(bench):
    """Lines are added again where it is not known whether they were."""
    job = bench.running()
    bench.store.logs.add([row(job, 1, "one")])
    bench.store.logs.add([row(job, 1, "other"), row(job, 2, "two")])

    assert ["one", "two"] == texts(bench, job)


def test_only_the_last_attempt_adds_lines(bench):
    """Whatever became of it, until the next one begins."""
    job = bench.running()
    bench.store.settle([OUTCOMES["retried now"](job)])
    bench.store.logs.add([row(job, 1, "late")])
    [again] = bench.claim()
    bench.store.logs.add([row(job, 2, "too late"), row(again, 1, "second")])
    bench.store.logs.add([row(again, 2, "of the future", attempt=3)])

    assert ["late", "second"] == texts(bench, job)
    assert [(1, 1), (2, 1)] == [
        (line.attempt, line.line) for line in bench.store.logs.read(job.id, ALL, 10)
    ]


def test_lines_of_a_job_that_is_not_there_are_left_out(bench):
    """It was deleted, or never was."""
    job = bench.ended()
    other = bench.running()
    bench.store.delete([job.id])
    bench.store.logs.add([row(job), row(other), row(job._replace(id=NOBODY))])

    assert [] == texts(bench, job)
    assert ["hello"] == texts(bench, other)


def test_lines_go_with_their_job(bench):
    """When it is deleted, or pruned, and with a job that is opened anew its parts' lines."""
    gone, pruned, kept = (bench.running() for _ in range(3))
    bench.store.logs.add([row(job) for job in (gone, pruned, kept)])
    bench.store.settle([OUTCOMES["succeeded"](job) for job in (gone, pruned)])
    bench.store.delete([gone.id])
    bench.clock.advance(60)
    bench.store.prune(bench.clock.now(), [State.SUCCEEDED], 10)
    for job in (gone, pruned):
        assert [] == texts(bench, job)
        assert None is bench.store.get(job.id)

    bench.add_many(3)  # SQLite gives numbers of the last jobs again
    assert ["hello"] == texts(bench, kept)
    assert all([] == texts(bench, job) for job in bench.claim())


def test_lines_are_chosen(bench):
    """By attempt, level, and place."""
    job = bench.running()
    bench.store.logs.add([row(job, n, f"a{n}", level=n * 10) for n in (1, 2, 3)])
    bench.store.settle([OUTCOMES["retried now"](job)])
    [job] = bench.claim()
    bench.store.logs.add([row(job, n, f"b{n}", level=n * 10) for n in (1, 2, 3)])

    assert ["a1", "a2", "a3", "b1", "b2", "b3"] == texts(bench, job)
    assert ["b1", "b2", "b3"] == texts(bench, job, LogFilter(attempt=2))
    assert ["a3", "b3"] == texts(bench, job, LogFilter(level=30))
    assert ["a3", "b1"] == texts(bench, job, LogFilter(after=(1, 2)), limit=2)
    assert ["b3"] == texts(bench, job, LogFilter(attempt=2, level=20, after=(2, 2)))
    assert [] == texts(bench, job, LogFilter(after=(2**31 - 1, 2**31 - 1)))


def test_many_lines_at_once(bench):
    """Of many jobs, in one call; and none."""
    jobs = bench.add_many(20)
    jobs = bench.claim(20)
    bench.store.logs.add([row(job, n, f"{n}") for job in jobs for n in range(1, 101)])
    bench.store.logs.add([])

    assert all(len(texts(bench, job)) == 100 for job in jobs)


@settings(max_examples=20)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80))
def test_every_character_is_kept(make_bench, text):
    """Quotes, braces, backslashes and line ends, in the text and in the name of the logger."""
    bench = make_bench("memory")
    job = bench.running()
    bench.store.logs.add([row(job, 1, text, logger=text)])

    [line] = bench.store.logs.read(job.id, ALL, 10)
    assert (text, text) == (line.text, line.logger)


def test_odd_texts_are_kept_on_every_store(bench):
    """As arrays of PostgreSQL have signs of their own."""
    job = bench.running()
    odd = ['"', "\\", "{a,b}", "NULL", "", "a\nb\r\tc", "ü𝄞", "\x01\x1f\x7f", "'; --", "%s %(a)s"]
    bench.store.logs.add([row(job, n, text, logger=text) for n, text in enumerate(odd, 1)])

    assert odd == texts(bench, job)


def test_a_delete_waits_for_lines_that_are_being_added(shared):
    """No line stays behind: what is added while its job is deleted goes with it, or is left out."""
    for _ in range(5):
        job = shared.running()
        shared.store.settle([OUTCOMES["failed"](job)])
        other = shared.open_another()
        adding = threading.Thread(
            target=lambda job=job, other=other: [
                other.logs.add([row(job, n)]) for n in range(1, 30)
            ]
        )
        adding.start()
        shared.store.delete([job.id])
        adding.join()
        assert [] == left_behind(shared)


def left_behind(bench):
    """Lines whose job is not there."""
    sql = (
        "SELECT log.line FROM rotulus_logs AS log WHERE NOT EXISTS ("
        "SELECT 1 FROM rotulus_jobs AS job WHERE {job} = log.job)"
    )
    if not bench.store.url.startswith("sqlite"):
        return bench.clock._connection.execute(sql.format(job="job.id")).fetchall()
    connection = sqlite3.connect(bench.store.url.removeprefix("sqlite:///"))
    found = connection.execute(sql.format(job="job.seq")).fetchall()
    connection.close()
    return found
