"""Never run: what type checkers have to see. They check this file and find nothing."""

import sqlite3
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, assert_type

from rotulus import INJECTED, App, Group, Job, JobOutcome, JobPage, Retry, Task, scheduled, task
from rotulus.testing import make_job

app = App("sqlite://")


@task
def bare(user_id: int, locale: str = "en") -> dict[str, int]:
    return {locale: user_id}


@task("named")
def named(x: int) -> str:
    return str(x)


@task(name="emails.send", tags=["email"], retry=Retry(attempts=5), timeout=timedelta(seconds=30))
async def send(user_id: int, *, urgent: bool = False) -> str:
    return f"{user_id}{urgent}"


@scheduled("*/5 * * * *", "tidy", timezone="Europe/London", queue="cron")
async def tidy() -> None: ...


@scheduled(cron="0 9 * * *")
def daily(limit: int = 5) -> int:
    return limit


# A call is a call.
assert_type(bare(7), dict[str, int])
assert_type(named(7), str)
coroutine: Coroutine[Any, Any, str] = send(7)
assert_type(daily(), int)

# An enqueue takes the function's own parameters, and its job ends with the function's value.
assert_type(bare.enqueue(7, locale="de"), Job[dict[str, int]])
assert_type(bare.enqueue(7).result(timeout=5), dict[str, int])
assert_type(send.enqueue(7, urgent=True), Job[str])
assert_type(send.enqueue(7).result(), str)
assert_type(tidy.enqueue().result(), None)
assert_type(daily.enqueue(limit=3).result(), int)
assert_type(bare.using(queue="mail", delay=60).enqueue(7), Job[dict[str, int]])
assert_type(named.using(rate=5, per=timedelta(minutes=1)).enqueue(1), Job[str])
assert_type(named.enqueue_many([1, (2,), {"x": 3}]), list[Job[str]])
assert_type(named.enqueue(1).refresh(), Job[str])


async def main() -> None:
    assert_type(await send(7), str)
    assert_type(await send.aenqueue(7), Job[str])
    assert_type(await (await bare.aenqueue(7)).aresult(), dict[str, int])


# A task is a value that can be passed on.
def twice(which: Task[[int], str, str]) -> list[Job[str]]:
    return [which.enqueue(1), which.enqueue(2)]


twice(named)
assert_type(app.enqueue("emails.send", 7).result(), Any)


# A parameter that is filled need not be given, and `Job` alone is a type.
@task
def count(words: list[str], job: Job = INJECTED, db: sqlite3.Connection = INJECTED) -> int:
    job.progress(len(words))
    return db.total_changes


count(["a"])
count(["a"], job=make_job())
assert_type(count.enqueue(["a"]), Job[int])
assert_type(count.using(delay=60).enqueue(["a"]).result(), int)
assert_type(count.enqueue_many([(["a"],)]), list[Job[int]])


@task
def outcomes_of(outcomes: list[JobOutcome]) -> int:
    return len(outcomes)


with app.group("numbers", then=outcomes_of) as group:
    assert_type(group, Group)
    assert_type(count.using(group=group).enqueue(["a"]), Job[int])
assert_type(app.group("numbers").close(), Job[Any])


async def filled() -> None:
    async with app.group("numbers") as opened:
        assert_type(opened, Group)
    assert_type(await count.aenqueue(["a"]), Job[int])
    assert_type(await app.jobs.afind(state="failed", limit=5), JobPage)
    assert_type(app.jobs(task="mail"), JobPage)
