"""huey on Redis, with two threads and no log: its best of 1, 2 and 10 threads."""

import contender
from huey import RedisHuey
from huey_jobs import Huey, declare

huey = RedisHuey("bench", url=contender.URL)
note = declare(huey)

CONTENDER = Huey(huey, note, threads=2)
