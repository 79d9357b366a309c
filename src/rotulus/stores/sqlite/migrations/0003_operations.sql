-- Jobs that are found by the fingerprint of their failure.
ALTER TABLE rotulus_jobs ADD COLUMN fingerprint TEXT;   -- of what its last attempt raised

-- Jobs that failed or died, by their failure group. Only the end of such a job writes here.
CREATE INDEX rotulus_jobs_failures ON rotulus_jobs (fingerprint, task, ended_at)
  WHERE state IN ('failed', 'dead') AND fingerprint IS NOT NULL;

-- What attempts have logged, as long as their jobs are kept.
CREATE TABLE rotulus_logs (
  job     INTEGER NOT NULL,                  -- rotulus_jobs.seq
  attempt INTEGER NOT NULL,
  line    INTEGER NOT NULL,                  -- from 1, in each attempt
  at      INTEGER NOT NULL,                  -- by the clock of the worker
  level   INTEGER NOT NULL,                  -- as `logging` has them
  logger  TEXT    NOT NULL,                  -- '' for job.log()
  text    TEXT    NOT NULL,
  PRIMARY KEY (job, attempt, line)
) STRICT, WITHOUT ROWID;

-- Jobs that are found by their labels, and what travels with them for machines.
ALTER TABLE rotulus_jobs ADD COLUMN labels TEXT;        -- texts by name, as JSON
ALTER TABLE rotulus_jobs ADD COLUMN headers TEXT;       -- likewise

-- The labels of jobs, such as 'customer=7': in this order the jobs with a label are read newest first,
-- page by page. Which labels a job has stands in its own row.
CREATE TABLE rotulus_labels (
  label TEXT    NOT NULL,
  job   INTEGER NOT NULL,                         -- seq
  PRIMARY KEY (label, job)
) STRICT, WITHOUT ROWID;

-- They go with their job, and so does what it has logged, whoever deletes it: a worker of the version before knows of
-- neither, and the number of a job that is gone can be given to another one.
CREATE TRIGGER rotulus_forget_deleted AFTER DELETE ON rotulus_jobs
BEGIN
  DELETE FROM rotulus_logs WHERE job = old.seq;
  DELETE FROM rotulus_labels WHERE job = old.seq AND label IN (
    SELECT key || '=' || value FROM json_each(old.labels));
END;

-- What went wrong, the last added first. A job that succeeds writes nothing here.
CREATE INDEX rotulus_jobs_unsuccessful ON rotulus_jobs (state)
  WHERE ended_at IS NOT NULL AND state || '' <> 'succeeded';

-- The jobs of a run in their order, so that the last ones are read, and not all of them. The index of steps is
-- not for those who do not name one.
DROP INDEX rotulus_jobs_run;
CREATE INDEX rotulus_jobs_run ON rotulus_jobs (run)
  WHERE run IS NOT NULL;
CREATE INDEX rotulus_jobs_step ON rotulus_jobs (run, step)
  WHERE step IS NOT NULL;

-- What attempts came to, and how long they waited and ran (microseconds), by the minute, the quarter of an hour, and the hour.
-- `waits_3` counts waits that are in the fourth bucket of a histogram; see store/stats.py.
CREATE TABLE rotulus_stats (
  span    INTEGER NOT NULL,                  -- seconds: 60, 900, 3600 or 604800
  at      INTEGER NOT NULL,                  -- when the span began
  task    TEXT    NOT NULL,
  queue   TEXT    NOT NULL,
  outcome TEXT    NOT NULL,                  -- or `enqueued`
  count   INTEGER NOT NULL DEFAULT 0,
  wait_sum INTEGER NOT NULL DEFAULT 0, run_sum INTEGER NOT NULL DEFAULT 0,
  wait_max INTEGER NOT NULL DEFAULT 0, run_max INTEGER NOT NULL DEFAULT 0,
  waits_0 INTEGER NOT NULL DEFAULT 0, waits_1 INTEGER NOT NULL DEFAULT 0,
  waits_2 INTEGER NOT NULL DEFAULT 0, waits_3 INTEGER NOT NULL DEFAULT 0,
  waits_4 INTEGER NOT NULL DEFAULT 0, waits_5 INTEGER NOT NULL DEFAULT 0,
  waits_6 INTEGER NOT NULL DEFAULT 0, waits_7 INTEGER NOT NULL DEFAULT 0,
  waits_8 INTEGER NOT NULL DEFAULT 0, waits_9 INTEGER NOT NULL DEFAULT 0,
  waits_10 INTEGER NOT NULL DEFAULT 0, waits_11 INTEGER NOT NULL DEFAULT 0,
  waits_12 INTEGER NOT NULL DEFAULT 0, waits_13 INTEGER NOT NULL DEFAULT 0,
  waits_14 INTEGER NOT NULL DEFAULT 0, waits_15 INTEGER NOT NULL DEFAULT 0,
  waits_16 INTEGER NOT NULL DEFAULT 0,
  runs_0 INTEGER NOT NULL DEFAULT 0, runs_1 INTEGER NOT NULL DEFAULT 0,
  runs_2 INTEGER NOT NULL DEFAULT 0, runs_3 INTEGER NOT NULL DEFAULT 0,
  runs_4 INTEGER NOT NULL DEFAULT 0, runs_5 INTEGER NOT NULL DEFAULT 0,
  runs_6 INTEGER NOT NULL DEFAULT 0, runs_7 INTEGER NOT NULL DEFAULT 0,
  runs_8 INTEGER NOT NULL DEFAULT 0, runs_9 INTEGER NOT NULL DEFAULT 0,
  runs_10 INTEGER NOT NULL DEFAULT 0, runs_11 INTEGER NOT NULL DEFAULT 0,
  runs_12 INTEGER NOT NULL DEFAULT 0, runs_13 INTEGER NOT NULL DEFAULT 0,
  runs_14 INTEGER NOT NULL DEFAULT 0, runs_15 INTEGER NOT NULL DEFAULT 0,
  runs_16 INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (span, at, task, queue, outcome)
) STRICT, WITHOUT ROWID;

-- Attempts, a row each, and new jobs that have been counted, and are not in their place yet.
CREATE TABLE rotulus_stats_new (
  at      INTEGER NOT NULL,                  -- when they ended, or were added
  wait    INTEGER,                           -- how long one has waited; NULL: new jobs
  run     INTEGER,                           -- how long it has run
  count   INTEGER NOT NULL,
  task    TEXT    NOT NULL,
  queue   TEXT    NOT NULL,
  outcome TEXT    NOT NULL
) STRICT;

-- An attempt that succeeds is counted where its row is written. To look for the row again, and for the job in
-- the list of outcomes, takes twice as long. A claim sets no `ended_at`, and does not begin it.
CREATE TRIGGER rotulus_count_success AFTER UPDATE OF ended_at ON rotulus_jobs
WHEN new.state = 'succeeded' AND old.state = 'running'
BEGIN
  INSERT INTO rotulus_stats_new (at, wait, run, count, task, queue, outcome)
  VALUES (new.ended_at, max(0, old.started_at - old.run_at), max(0, new.ended_at - old.started_at), 1,
    old.task, old.queue, 'succeeded');
END;

-- Schedules that are changed while workers run. A client of the version before leaves these columns out.
ALTER TABLE rotulus_schedules ADD COLUMN origin TEXT NOT NULL DEFAULT 'code';         -- code, or added
ALTER TABLE rotulus_schedules ADD COLUMN task TEXT;                                   -- NULL: the task of its name
ALTER TABLE rotulus_schedules ADD COLUMN arguments TEXT NOT NULL DEFAULT '{}';        -- a JSON object
ALTER TABLE rotulus_schedules ADD COLUMN missed TEXT NOT NULL DEFAULT 'latest';
ALTER TABLE rotulus_schedules ADD COLUMN overlap TEXT NOT NULL DEFAULT 'allow';       -- allow, or skip
ALTER TABLE rotulus_schedules ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;           -- its jobs are due within that time after the instant
ALTER TABLE rotulus_schedules ADD COLUMN start_at INTEGER;                            -- and no instant before
ALTER TABLE rotulus_schedules ADD COLUMN end_at INTEGER;                              -- and none after
ALTER TABLE rotulus_schedules ADD COLUMN fired_to INTEGER NOT NULL DEFAULT 0;         -- instants up to here have been dealt with
ALTER TABLE rotulus_schedules ADD COLUMN paused_at INTEGER;
ALTER TABLE rotulus_schedules ADD COLUMN version INTEGER NOT NULL DEFAULT 1;          -- one more with each change
ALTER TABLE rotulus_schedules ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;          -- the revision of its last change
ALTER TABLE rotulus_schedules ADD COLUMN declared_at INTEGER;                         -- when a program had it in its code last
ALTER TABLE rotulus_schedules ADD COLUMN created_at INTEGER;
ALTER TABLE rotulus_schedules ADD COLUMN last_jobs TEXT NOT NULL DEFAULT '[]';        -- a JSON array of ids: fired last, or not ended then
CREATE INDEX rotulus_schedules_changed ON rotulus_schedules (changed);

-- The number of the last change of a kind of things. Changes are numbered in the order of their commits.
CREATE TABLE rotulus_revisions (
  what     TEXT    NOT NULL PRIMARY KEY,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Where the first jobs of keys with a limit stand, a row for each key, queue and task with jobs waiting, and whether the
-- key has room. They are kept once many keys have jobs waiting: as long as there is a row in
-- `rotulus_limits_kept`, there are triggers that keep them.
CREATE TABLE rotulus_limit_heads (
  id        INTEGER PRIMARY KEY,
  limit_key TEXT    NOT NULL,
  queue     TEXT    NOT NULL,
  task      TEXT    NOT NULL,
  priority  INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  run_at    INTEGER NOT NULL,
  opens_at  INTEGER DEFAULT 0,                    -- 0: it may have room; NULL: not until something changes
  UNIQUE (limit_key, queue, task)
) STRICT;
CREATE INDEX rotulus_limit_heads_open ON rotulus_limit_heads (queue, task, priority DESC, seq)
  WHERE opens_at = 0;
CREATE INDEX rotulus_limit_heads_opening ON rotulus_limit_heads (opens_at)
  WHERE opens_at > 0;

-- Jobs that waited before are looked at in the order of their keys, some at a time, up to the last one here.
CREATE TABLE rotulus_limits_kept (
  only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
  limit_key TEXT,                                 -- NULL: all have been looked at
  priority  INTEGER,
  seq       INTEGER
) STRICT;

-- What has happened to jobs, queues, schedules and workers, while somebody listens: as long as there is a row in
-- `rotulus_listening`, there are triggers that write it.
CREATE TABLE rotulus_listening (
  only_one INTEGER NOT NULL PRIMARY KEY CHECK (only_one = 1),
  until    INTEGER NOT NULL
) STRICT;

CREATE TABLE rotulus_changes (
  position INTEGER NOT NULL PRIMARY KEY,
  at       INTEGER NOT NULL,
  kind     TEXT    NOT NULL,                      -- job, queue, schedule, worker, reset
  name     TEXT    NOT NULL,                      -- the id of a job, or the name of the rest
  what     TEXT    NOT NULL,                      -- the state of a job, or what has happened
  task     TEXT,
  queue    TEXT
) STRICT;
