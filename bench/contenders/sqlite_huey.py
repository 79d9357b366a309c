"""huey on a SQLite file, with one thread and no log: its best of 1, 2 and 10 threads."""

import contender
from huey import SqliteHuey
from huey_jobs import Huey, declare

huey = SqliteHuey("bench", filename=contender.URL.removeprefix("sqlite:///"), fsync=True)
note = declare(huey)

CONTENDER = Huey(huey, note, threads=1)
