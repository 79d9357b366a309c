-- Times are whole microseconds since 1970 (UTC). Leases are microseconds of the machine's
-- monotonic clock, which means something only together with `boot`.

CREATE TABLE rotulus_jobs (
  seq              INTEGER PRIMARY KEY,           -- the order in which jobs were added
  id               TEXT    NOT NULL UNIQUE,
  task             TEXT    NOT NULL,
  queue            TEXT    NOT NULL,
  priority         INTEGER NOT NULL,
  state            TEXT    NOT NULL,
  reason           TEXT,
  attempt          INTEGER NOT NULL DEFAULT 0,    -- the fencing token: only ever raised
  failures         INTEGER NOT NULL DEFAULT 0,
  losses           INTEGER NOT NULL DEFAULT 0,
  releases         INTEGER NOT NULL DEFAULT 0,
  created_at       INTEGER NOT NULL,
  run_at           INTEGER NOT NULL,
  started_at       INTEGER,
  ended_at         INTEGER,
  expires_at       INTEGER,
  worker           TEXT,                          -- who has it, or had it last
  boot             TEXT,                          -- the run of the machine that the lease counts in
  lease_until      INTEGER,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  key              TEXT,
  held_key         TEXT,                          -- the key, until somebody else can have it
  hold_until       INTEGER,                       -- held that long, also after the end
  limit_key        TEXT,
  limit_to         INTEGER,                       -- so many with the limit_key run at once
  rate_to          INTEGER,                       -- so many of them start within rate_per
  rate_per         INTEGER,                       -- a length of time
  schedule         TEXT,
  instant          INTEGER,
  run              TEXT,                          -- the job that this one is a part of in the end
  step             TEXT,                          -- where in the run: '' that job, 'a', 'a/3'
  workflow         TEXT,
  waits_for        INTEGER NOT NULL DEFAULT 0,    -- so many of its needs have not ended
  opened           INTEGER NOT NULL DEFAULT 0,    -- its parts have been added
  paused           INTEGER NOT NULL DEFAULT 0,    -- its run is, so it is blocked while it waits
  progress         TEXT,
  arguments        TEXT    NOT NULL,
  result           TEXT,
  error            TEXT,
  -- One CASE, the commonest states first: an IN list here costs as much as the rest of an update.
  CONSTRAINT shape_fits_state CHECK (CASE state
    WHEN 'running'   THEN lease_until IS NOT NULL AND ended_at IS NULL
    WHEN 'succeeded' THEN lease_until IS NULL AND ended_at IS NOT NULL
    WHEN 'queued'    THEN lease_until IS NULL AND ended_at IS NULL
    WHEN 'delayed'   THEN lease_until IS NULL AND ended_at IS NULL
    WHEN 'blocked'   THEN lease_until IS NULL AND ended_at IS NULL
    WHEN 'failed'    THEN lease_until IS NULL AND ended_at IS NOT NULL
    WHEN 'dead'      THEN lease_until IS NULL AND ended_at IS NOT NULL
    WHEN 'cancelled' THEN lease_until IS NULL AND ended_at IS NOT NULL
    WHEN 'skipped'   THEN lease_until IS NULL AND ended_at IS NOT NULL
    ELSE 0 END),
  CONSTRAINT only_running_is_asked_to_stop
    CHECK (cancel_requested = 0 OR state = 'running'),
  CONSTRAINT held_is_the_key
    CHECK (held_key IS NULL OR held_key = key)
) STRICT;

-- What claims read. Rows that are delayed, blocked, running or ended are in none of the three,
-- so neither history nor the future slows a claim. Jobs that were lost twice stand apart.
CREATE INDEX rotulus_jobs_queued ON rotulus_jobs (queue, priority DESC, seq)
  WHERE state = 'queued' AND limit_key IS NULL AND losses < 2;
CREATE INDEX rotulus_jobs_queued_limited ON rotulus_jobs (limit_key, priority DESC, seq)
  WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2;
CREATE INDEX rotulus_jobs_queued_suspect ON rotulus_jobs (priority DESC, seq)
  WHERE state = 'queued' AND losses >= 2;
CREATE INDEX rotulus_jobs_running_limited ON rotulus_jobs (limit_key)
  WHERE state = 'running' AND limit_key IS NOT NULL;
CREATE INDEX rotulus_jobs_delayed ON rotulus_jobs (run_at)
  WHERE state = 'delayed';
CREATE INDEX rotulus_jobs_promoted ON rotulus_jobs (priority DESC, run_at)
  WHERE state = 'delayed';
CREATE INDEX rotulus_jobs_blocked ON rotulus_jobs (id)
  WHERE state = 'blocked';
CREATE INDEX rotulus_jobs_running ON rotulus_jobs (worker)
  WHERE state = 'running';
CREATE INDEX rotulus_jobs_ended ON rotulus_jobs (state, ended_at)
  WHERE ended_at IS NOT NULL;
CREATE INDEX rotulus_jobs_schedule ON rotulus_jobs (schedule)
  WHERE schedule IS NOT NULL;
CREATE INDEX rotulus_jobs_key ON rotulus_jobs (key)
  WHERE key IS NOT NULL;
CREATE UNIQUE INDEX rotulus_jobs_held_key ON rotulus_jobs (held_key)
  WHERE held_key IS NOT NULL;

CREATE INDEX rotulus_jobs_run ON rotulus_jobs (run, step)
  WHERE run IS NOT NULL;

-- Who waits for whom. A part is needed by what it is a part of, unless another part needs it.
CREATE TABLE rotulus_needs (
  need INTEGER NOT NULL,                          -- rotulus_jobs.seq
  job  INTEGER NOT NULL,                          -- rotulus_jobs.seq
  part INTEGER NOT NULL,                          -- whether the one is a part of the other
  PRIMARY KEY (need, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX rotulus_needs_of ON rotulus_needs (job);

-- The attempts that were followed by another. The last one stands in the job's own row, so a
-- job that succeeds at once writes nothing here.
CREATE TABLE rotulus_attempts (
  job        INTEGER NOT NULL,                    -- rotulus_jobs.seq
  number     INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  worker     TEXT,
  started_at INTEGER,
  ended_at   INTEGER NOT NULL,
  error      TEXT,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

-- What the rates of keys are counted by: how many starts count until when.
CREATE TABLE rotulus_starts (
  limit_key    TEXT    NOT NULL,
  counts_until INTEGER NOT NULL,
  starts       INTEGER NOT NULL,
  PRIMARY KEY (limit_key, counts_until)
) STRICT, WITHOUT ROWID;

CREATE TABLE rotulus_pauses (
  queue     TEXT    NOT NULL PRIMARY KEY,
  paused_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rotulus_workers (
  name        TEXT    NOT NULL PRIMARY KEY,
  host        TEXT    NOT NULL,
  pid         INTEGER NOT NULL,
  queues      TEXT,                               -- a JSON array; NULL: all of them
  slots       INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL,
  names       TEXT,                               -- a JSON array of tasks; NULL: not told
  boot        TEXT    NOT NULL,
  lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rotulus_schedules (
  name     TEXT    NOT NULL PRIMARY KEY,
  cron     TEXT    NOT NULL,
  timezone TEXT    NOT NULL,
  since    INTEGER NOT NULL                       -- instants up to here are none of its business
) STRICT, WITHOUT ROWID;

-- One job as a JSON array, in the order of JobRecord; the last two are read apart.
CREATE VIEW rotulus_records AS
SELECT seq, id, task, queue, state, key, limit_key, schedule, worker, run, step, json_array(
    id, arguments, key, limit_key, instant, task, queue, priority, state, created_at, run_at,
    expires_at, limit_to, rate_to, rate_per, schedule, attempt, failures, losses, releases, worker,
    started_at, ended_at, cancel_requested, reason, progress, result, error, run, step, workflow,
    waits_for, opened, paused, NULL, NULL) AS record
FROM rotulus_jobs;
