"""Never run: every line marked `# wrong` is one that type checkers have to refuse."""

from rotulus import INJECTED, App, Job, Retry, scheduled, task

app = App("sqlite://")


@task
def bare(user_id: int, locale: str = "en") -> str:
    return f"{user_id}{locale}"


@task(name="send", retry=Retry(attempts=3))
async def send(user_id: int) -> str:
    return str(user_id)


bare()  # wrong
bare("7")  # wrong
bare.enqueue()  # wrong
bare.enqueue("7")  # wrong
bare.enqueue(7, 8)  # wrong
bare.enqueue(7, locle="de")  # wrong
send.enqueue(user="7")  # wrong
bare.using(queue="mail").enqueue()  # wrong
bare.using(que="mail")  # wrong
bare.using(priority="high")  # wrong
number: int = bare.enqueue(7).result()  # wrong
other: int = send.enqueue(7).result()  # wrong
task(name="x", retries=3)  # wrong
task(name="x", retry=3)  # wrong
scheduled(cron=5)  # wrong
scheduled("* * * * *", zone="UTC")  # wrong
Retry(backoff="fixd")  # wrong
App(url=5)  # wrong


async def main() -> None:
    await send.aenqueue("x")  # wrong
    text: int = await (await send.aenqueue(7)).aresult()  # wrong
    print(text)


@task
def count(words: list[str], job: Job = INJECTED) -> int:
    return len(words)


count.enqueue()  # wrong
count.enqueue(["a"], 5)  # wrong
app.jobs(stat="failed")  # wrong
