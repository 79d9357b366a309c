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

-- What attempts came to, and how long they waited and ran (microseconds), by the minute and by the hour.
-- `waits_3` counts waits that are in the fourth bucket of a histogram; see store/stats.py.
CREATE TABLE rotulus_stats (
  span    INTEGER NOT NULL,                  -- seconds: 60, 3600 or 604800
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
-- the list of outcomes, takes twice as long.
CREATE TRIGGER rotulus_count_success AFTER UPDATE OF state ON rotulus_jobs
WHEN new.state = 'succeeded' AND old.state = 'running'
BEGIN
  INSERT INTO rotulus_stats_new (at, wait, run, count, task, queue, outcome)
  VALUES (new.ended_at, max(0, old.started_at - old.run_at), max(0, new.ended_at - old.started_at), 1,
    old.task, old.queue, 'succeeded');
END;
