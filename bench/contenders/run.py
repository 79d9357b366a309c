"""Runs a contender: it is a program for the Python of the contender's own environment.

    python run.py NAME prepare | enqueue KIND N | worker | finish N LIMIT | pickup N GAP
                       | past N | future N | flows KIND N | load PATH BODY CONNECTIONS SECONDS
                       | push N | verify N | scene NAME | listed | look TIMES
                       | roll PATH ROWS | listen N CHANGES GAP

NAME is a module beside this one. The answer is one line of JSON, the last one printed.
"""

import asyncio
import importlib
import inspect
import json
import os
import statistics
import sys
import time

from contender import (
    LINKS,
    HasConsole,
    HasFuture,
    HasPast,
    HasScenes,
    IsListed,
    IsPushed,
    IsWatched,
    RunsWorkflows,
    TakesFromCallers,
    TakesJobs,
    TakesMany,
    TellsWhatIsLeft,
    Verifies,
    Works,
    marked,
)
from load import each, load
from reading import Listeners, read_pages, wait_for_go

CALLERS = 100
"""How many enqueue at once, where that is measured."""

WARM = 20
"""How many do not count where each is timed."""

_loop = asyncio.Runner()


def main():
    """Do what the command line says."""
    name, command, *words = sys.argv[1:]
    contender = importlib.import_module(name).CONTENDER
    answer = COMMANDS[command](contender, *words)
    print(json.dumps(answer), flush=True)
    os._exit(0)  # some libraries leave threads behind that never end


def _prepare(contender):
    _told(contender.prepare())


def _worker(contender):
    _check(contender, Works)
    _told(contender.work())


def _past(contender, count):
    _check(contender, HasPast)
    _told(contender.open())
    _told(contender.past(int(count)))


def _future(contender, count):
    _check(contender, HasFuture)
    _told(contender.open())
    _told(contender.future(int(count)))


def _enqueue(contender, kind, count):
    _check(contender, TakesJobs)
    _told(contender.open())
    _each(contender, [0])  # the first call also loads and compiles what it needs
    numbers = list(range(1, int(count) + 1))
    began = time.perf_counter()
    {"one": _each, "many": _many, "callers": _callers}[kind](contender, numbers)
    return {"seconds": time.perf_counter() - began}


def _finish(contender, count, limit):
    """Wait until all have run (and the one before them), and then until the store knows it."""
    _check(contender, TellsWhatIsLeft)
    _told(contender.open())
    _told(contender.left())
    print("ready", flush=True)
    end = time.monotonic() + float(limit)
    while marked() <= int(count) and time.monotonic() < end:
        time.sleep(0.005)
    left = True
    while left and time.monotonic() < end:
        time.sleep(0.002)
        left = _told(contender.left())
    return {"ended": time.time_ns(), "left": bool(left)}


def _pickup(contender, count, gap):
    """Enqueue one job now and then; when each call began."""
    _check(contender, TakesJobs)
    _told(contender.open())
    before = marked()
    sent = _each(contender, range(1_000_000, 1_000_000 + int(count)), float(gap))
    end = time.monotonic() + 30
    while marked() < before + int(count) and time.monotonic() < end:
        time.sleep(0.05)
    return {"sent": sent}


def _flows(contender, kind, count):
    """Run workflows; how many seconds each took, or all of them together."""
    _check(contender, RunsWorkflows)
    contender.launch()
    for _ in range(3):  # the first ones also load and compile what they need
        _chains(contender, 2)
    _fan(contender, 10)
    return {
        "seconds": {"alone": _alone, "together": _together, "fan": _fan}[kind](
            contender, int(count)
        )
    }


def _load(contender, path, body, connections, seconds):  # noqa: ARG001 - for any server
    """Keep its server busy; how many answers a second came."""
    return {"a_second": _told(load(path, body, int(connections), float(seconds)))}


def _push(contender, count):
    """Push jobs one after the other; the milliseconds in the middle, after some that warm up."""
    _check(contender, IsPushed)
    _told(contender.open())
    requests = contender.pushes(WARM + int(count))
    return {"ms": statistics.median(_told(each(requests))[WARM:])}


def _verify(contender, count):
    """Check tokens one after the other; the milliseconds in the middle."""
    _check(contender, Verifies)
    verify = contender.verifying()
    taken = []
    for _ in range(WARM + int(count)):
        began = time.perf_counter()
        verify()
        taken.append((time.perf_counter() - began) * 1000)
    return {"ms": statistics.median(taken[WARM:])}


def _scene(contender, name):
    """Fill its store with what a scene has; the milliseconds of what is timed there."""
    _check(contender, HasScenes)
    return contender.scene(name)


def _listed(contender):
    """Read pages over HTTP; the milliseconds of each, by what they are of."""
    _check(contender, IsListed)
    pages = contender.listed()
    return {name: _told(read_pages(path, count)) for name, (path, count) in pages.items()}


def _look(contender, times):
    """Open screens in a browser; the milliseconds until each is there, by what it shows."""
    from browsing import look  # noqa: PLC0415 - only one environment has a browser

    _check(contender, HasConsole)
    return look(contender.screens(), int(times))


def _roll(contender, path, rows):
    """Scroll through a long table in a browser; what it takes."""
    from browsing import roll  # noqa: PLC0415 - only one environment has a browser

    _check(contender, HasConsole)
    return roll(path, int(rows))


def _listen(contender, count, changes, gap):
    """Listen to changes many times over; the milliseconds until all have heard of each."""
    _check(contender, IsWatched)
    _told(contender.open())

    async def listen():
        listeners = Listeners()
        await listeners.open(int(count))
        print("ready", flush=True)
        if int(changes):
            await asyncio.to_thread(wait_for_go)
        taken = []
        for number in range(int(changes)):
            taken.append(await listeners.hear(number, contender.told))
            await asyncio.sleep(float(gap))
        return taken

    return {"ms": _told(listen())}


def _alone(contender, count):
    return [_chains(contender, 1) for _ in range(count)]


def _together(contender, count):
    return [_chains(contender, count)]


def _fan(contender, count):
    """One fan-out of so many, and its join."""
    began = time.perf_counter()
    total = contender.result(contender.fan(count))
    seconds = time.perf_counter() - began
    if total != count * (count + 1) // 2:
        sys.exit(f"a fan-out of {count} came to {total}")
    return [seconds]


def _chains(contender, count):
    """So many chains, begun one after the other; the seconds until all have ended."""
    began = time.perf_counter()
    runs = [contender.chain() for _ in range(count)]
    results = [contender.result(run) for run in runs]
    seconds = time.perf_counter() - began
    if results != [LINKS] * count:
        sys.exit(f"chains of {LINKS} came to {results}")
    return seconds


def _each(contender, numbers, gap=0.0):
    """Enqueue one by one; when each call began."""
    if inspect.iscoroutinefunction(contender.enqueue):
        return _loop.run(_aeach(contender, numbers, gap))
    sent = []
    for number in numbers:
        if gap:
            time.sleep(gap)
        sent.append((number, time.time_ns()))
        contender.enqueue(number)
    return sent


async def _aeach(contender, numbers, gap):
    sent = []
    for number in numbers:
        if gap:
            await asyncio.sleep(gap)
        sent.append((number, time.time_ns()))
        await contender.enqueue(number)
    return sent


def _many(contender, numbers):
    if isinstance(contender, TakesMany):
        _told(contender.enqueue_many(numbers))
    else:
        _each(contender, numbers)


def _callers(contender, numbers):
    """Many coroutines at once, each of which waits for its own jobs to be stored."""
    _check(contender, TakesFromCallers)

    async def caller(own):
        for number in own:
            await contender.aenqueue(number)

    async def callers():
        await asyncio.gather(*(caller(numbers[first::CALLERS]) for first in range(CALLERS)))

    _loop.run(callers())


def _check(contender, ability):
    """Refuse a measure that this contender cannot do. `PLAN` of the roster has the measures."""
    if not isinstance(contender, ability):
        sys.exit(f"{type(contender).__name__} is not {ability.__name__}: it cannot do this")


def _told(value):
    """The value, or what comes out of a coroutine."""
    return _loop.run(value) if inspect.iscoroutine(value) else value


COMMANDS = {
    "prepare": _prepare,
    "enqueue": _enqueue,
    "worker": _worker,
    "finish": _finish,
    "pickup": _pickup,
    "past": _past,
    "future": _future,
    "flows": _flows,
    "load": _load,
    "push": _push,
    "verify": _verify,
    "scene": _scene,
    "listed": _listed,
    "look": _look,
    "roll": _roll,
    "listen": _listen,
}


if __name__ == "__main__":
    main()
