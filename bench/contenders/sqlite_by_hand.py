"""A service written by hand: routes of FastAPI, their models, the same envelope."""

import ours
import served
from fastapi import FastAPI
from pydantic import BaseModel


class Doubled(BaseModel):
    """The arguments of one task."""

    x: int


class Noted(BaseModel):
    """The arguments of the other one."""

    number: int


class Asked(BaseModel):
    """The request of `$execute`."""

    params: Doubled


class Handed(BaseModel):
    """The request of `$enqueue`."""

    params: Noted


class Answer(BaseModel):
    """The answer of `$execute`."""

    task_name: str
    params: Doubled
    result: dict[str, int] | None
    error: dict[str, str] | None


class Stored(BaseModel):
    """The answer of `$enqueue`."""

    id: str
    task: str
    state: str
    error: dict[str, str] | None


async def double(x: int) -> dict[str, int]:
    """The function that is called within a request."""
    return {"doubled": 2 * x}


app = FastAPI()


@app.post(f"{served.PREFIX}/double/$execute")
async def execute(asked: Asked) -> Answer:
    """Call a function, without a task."""
    result = await double(asked.params.x)
    return Answer(task_name="double", params=asked.params, result=result, error=None)


@app.post(f"{served.PREFIX}/note/$enqueue", status_code=202)
async def enqueue(handed: Handed) -> Stored:
    """Store a job of the task."""
    job = await ours.note.aenqueue(handed.params.number)
    return Stored(id=job.id, task=job.task, state=job.state, error=None)


class ByHand(ours.Rotulus):
    """No worker runs what is enqueued."""

    def work(self):
        served.serve(app)


CONTENDER = ByHand()
