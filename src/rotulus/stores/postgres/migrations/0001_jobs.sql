-- Times are whole microseconds since 1970 (UTC), by the server's clock and no other.

CREATE FUNCTION rotulus_now() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

CREATE TABLE rotulus_jobs (
  id               uuid    NOT NULL PRIMARY KEY,  -- version 7: its order is that of making
  seq              bigint  NOT NULL GENERATED ALWAYS AS IDENTITY,  -- the order of adding
  created_at       bigint  NOT NULL,
  run_at           bigint  NOT NULL,
  started_at       bigint,
  ended_at         bigint,
  expires_at       bigint,
  lease_until      bigint,
  hold_until       bigint,                        -- the key is held that long, also after the end
  instant          bigint,
  rate_per         bigint,
  priority         integer NOT NULL,
  attempt          integer NOT NULL DEFAULT 0,    -- the fencing token: only ever raised
  failures         integer NOT NULL DEFAULT 0,
  losses           integer NOT NULL DEFAULT 0,
  releases         integer NOT NULL DEFAULT 0,
  limit_to         integer,                       -- so many with the limit_key run at once
  rate_to          integer,                       -- so many of them start within rate_per
  waits_for        integer NOT NULL DEFAULT 0,    -- so many of its needs have not ended
  cancel_requested boolean NOT NULL DEFAULT false,
  opened           boolean NOT NULL DEFAULT false,  -- its parts have been added
  paused           boolean NOT NULL DEFAULT false,  -- its run is, so it is blocked while it waits
  run              uuid,                          -- the job that this one is a part of in the end
  state            text    NOT NULL,
  task             text    NOT NULL,
  queue            text    NOT NULL,
  reason           text,
  worker           text,                          -- who has it, or had it last
  key              text,
  held_key         text,                          -- the key, until somebody else can have it
  limit_key        text,
  schedule         text,
  step             text,                          -- where in the run: '' that job, 'a', 'a/3'
  workflow         text,
  progress         text,
  arguments        text    NOT NULL,
  result           text,
  error            text,
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
    ELSE false END),
  CONSTRAINT only_running_is_asked_to_stop
    CHECK (NOT cancel_requested OR state = 'running'),
  CONSTRAINT held_is_the_key
    CHECK (held_key IS NULL OR held_key = key)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02,
        autovacuum_vacuum_cost_delay = 0);

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
-- In the order of adding, so that new entries go where the last ones went. All running jobs have a
-- lease; who asks for that as well gets this index, and who does not, never gets it by mistake.
CREATE INDEX rotulus_jobs_running ON rotulus_jobs (seq)
  WHERE state = 'running' AND lease_until IS NOT NULL;
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
  need uuid    NOT NULL,
  job  uuid    NOT NULL,
  part boolean NOT NULL,                          -- whether the one is a part of the other
  PRIMARY KEY (need, job)
);
CREATE INDEX rotulus_needs_of ON rotulus_needs (job);

-- The attempts that were followed by another. The last one stands in the job's own row, so a
-- job that succeeds at once writes nothing here.
CREATE TABLE rotulus_attempts (
  job        uuid    NOT NULL,
  number     integer NOT NULL,
  reason     text    NOT NULL,
  worker     text,
  started_at bigint,
  ended_at   bigint  NOT NULL,
  error      text,
  PRIMARY KEY (job, number)
);

CREATE TABLE rotulus_pauses (
  queue     text   NOT NULL PRIMARY KEY,
  paused_at bigint NOT NULL
);

-- What the rates of keys are counted by: how many starts count until when.
CREATE TABLE rotulus_starts (
  limit_key    text   NOT NULL,
  counts_until bigint NOT NULL,
  starts       bigint NOT NULL,
  PRIMARY KEY (limit_key, counts_until)
);

CREATE TABLE rotulus_workers (
  name        text    NOT NULL PRIMARY KEY,
  host        text    NOT NULL,
  pid         integer NOT NULL,
  queues      text[],                             -- NULL: all of them
  slots       integer NOT NULL,
  started_at  bigint  NOT NULL,
  seen_at     bigint  NOT NULL,
  lease_until bigint  NOT NULL,
  names       text[]                              -- the tasks it knows; NULL: not told
);

CREATE TABLE rotulus_schedules (
  name     text   NOT NULL PRIMARY KEY,
  cron     text   NOT NULL,
  timezone text   NOT NULL,
  since    bigint NOT NULL                        -- instants up to here are none of its business
);

-- A job as JobRecord has it; the last two are read apart.
CREATE VIEW rotulus_records AS
SELECT
  id, arguments, key, limit_key, instant, task, queue, priority, state, created_at, run_at,
  expires_at, limit_to, rate_to, rate_per, schedule, attempt, failures, losses, releases, worker,
  started_at, ended_at, cancel_requested, reason, progress, result, error, run, step,
  workflow, waits_for, opened, paused, NULL::text AS history, NULL::bigint AS opens_at
FROM rotulus_jobs;
