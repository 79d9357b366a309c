-- New indexes on rotulus_jobs are in 0003_operations.indexes.sql: they are built while the table is in use.

-- All tables that are changed, in the order in which workers use them within a transaction: or else one that has
-- announced itself would wait for the jobs, and this for the workers. The jobs come last, and are held the shortest.
LOCK TABLE rotulus_pauses, rotulus_workers IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE rotulus_schedules, rotulus_jobs IN ACCESS EXCLUSIVE MODE;

-- Jobs that are found by the fingerprint of their failure.
ALTER TABLE rotulus_jobs ADD COLUMN fingerprint text;   -- of what its last attempt raised

-- What attempts have logged, as long as their jobs are kept.
CREATE TABLE rotulus_logs (
  job     uuid    NOT NULL,
  attempt integer NOT NULL,
  line    integer NOT NULL,                  -- from 1, in each attempt
  at      bigint  NOT NULL,                  -- by the clock of the worker
  level   integer NOT NULL,                  -- as `logging` has them
  logger  text    NOT NULL,                  -- '' for job.log()
  text    text    NOT NULL,
  PRIMARY KEY (job, attempt, line)
);

-- Jobs that are found by their labels, and what travels with them for machines.
ALTER TABLE rotulus_jobs ADD COLUMN labels text;        -- texts by name, as JSON
ALTER TABLE rotulus_jobs ADD COLUMN headers text;       -- likewise

-- The labels of jobs, such as 'customer=7': in this order the jobs with a label are read newest first,
-- page by page. Which labels a job has stands in its own row.
CREATE TABLE rotulus_labels (
  label text NOT NULL,
  job   uuid NOT NULL,
  PRIMARY KEY (label, job)
);

-- They go with their job, and so does what it has logged, whoever deletes it: a worker of the version before knows of
-- neither. They are looked for one by one, by their whole keys: a part of one would mean to read the whole index.
CREATE FUNCTION rotulus_forget_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  DELETE FROM rotulus_logs AS log USING gone WHERE log.job = gone.id;
  WITH known AS MATERIALIZED (
    SELECT own.key || '=' || own.value AS label, gone.id
    FROM gone CROSS JOIN json_each_text(gone.labels::json) AS own (key, value))
  DELETE FROM rotulus_labels AS label USING known WHERE label.label = known.label AND label.job = known.id;
  RETURN NULL;
END $$;
CREATE TRIGGER rotulus_forget_deleted AFTER DELETE ON rotulus_jobs REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION rotulus_forget_deleted();

-- What attempts came to, and how long they waited and ran (microseconds), by the minute, the quarter of an hour, and the hour.
-- `waits_3` counts waits that are in the fourth bucket of a histogram; see store/stats.py.
CREATE TABLE rotulus_stats (
  span    integer NOT NULL,                  -- seconds: 60, 900, 3600 or 604800
  at      bigint  NOT NULL,                  -- when the span began
  task    text    NOT NULL,
  queue   text    NOT NULL,
  outcome text    NOT NULL,                  -- or `enqueued`
  count   bigint  NOT NULL DEFAULT 0,
  wait_sum bigint NOT NULL DEFAULT 0, run_sum bigint NOT NULL DEFAULT 0,
  wait_max bigint NOT NULL DEFAULT 0, run_max bigint NOT NULL DEFAULT 0,
  waits_0 integer NOT NULL DEFAULT 0, waits_1 integer NOT NULL DEFAULT 0,
  waits_2 integer NOT NULL DEFAULT 0, waits_3 integer NOT NULL DEFAULT 0,
  waits_4 integer NOT NULL DEFAULT 0, waits_5 integer NOT NULL DEFAULT 0,
  waits_6 integer NOT NULL DEFAULT 0, waits_7 integer NOT NULL DEFAULT 0,
  waits_8 integer NOT NULL DEFAULT 0, waits_9 integer NOT NULL DEFAULT 0,
  waits_10 integer NOT NULL DEFAULT 0, waits_11 integer NOT NULL DEFAULT 0,
  waits_12 integer NOT NULL DEFAULT 0, waits_13 integer NOT NULL DEFAULT 0,
  waits_14 integer NOT NULL DEFAULT 0, waits_15 integer NOT NULL DEFAULT 0,
  waits_16 integer NOT NULL DEFAULT 0,
  runs_0 integer NOT NULL DEFAULT 0, runs_1 integer NOT NULL DEFAULT 0,
  runs_2 integer NOT NULL DEFAULT 0, runs_3 integer NOT NULL DEFAULT 0,
  runs_4 integer NOT NULL DEFAULT 0, runs_5 integer NOT NULL DEFAULT 0,
  runs_6 integer NOT NULL DEFAULT 0, runs_7 integer NOT NULL DEFAULT 0,
  runs_8 integer NOT NULL DEFAULT 0, runs_9 integer NOT NULL DEFAULT 0,
  runs_10 integer NOT NULL DEFAULT 0, runs_11 integer NOT NULL DEFAULT 0,
  runs_12 integer NOT NULL DEFAULT 0, runs_13 integer NOT NULL DEFAULT 0,
  runs_14 integer NOT NULL DEFAULT 0, runs_15 integer NOT NULL DEFAULT 0,
  runs_16 integer NOT NULL DEFAULT 0,
  PRIMARY KEY (span, at, task, queue, outcome)
);

-- Attempts, a row each, and new jobs that have been counted, and are not in their place yet. Every
-- transaction adds rows of its own, so none waits for another.
CREATE TABLE rotulus_stats_new (
  at      bigint  NOT NULL,                  -- when they ended, or were added
  wait    bigint,                            -- how long one has waited; NULL: new jobs
  run     bigint,                            -- how long it has run
  count   integer NOT NULL,
  task    text    NOT NULL,
  queue   text    NOT NULL,
  outcome text    NOT NULL
);

-- Schedules that are changed while workers run. A client of the version before leaves these columns out.
ALTER TABLE rotulus_schedules ADD COLUMN origin text NOT NULL DEFAULT 'code';         -- code, or added
ALTER TABLE rotulus_schedules ADD COLUMN task text;                                   -- NULL: the task of its name
ALTER TABLE rotulus_schedules ADD COLUMN arguments text NOT NULL DEFAULT '{}';        -- a JSON object
ALTER TABLE rotulus_schedules ADD COLUMN missed text NOT NULL DEFAULT 'latest';
ALTER TABLE rotulus_schedules ADD COLUMN overlap text NOT NULL DEFAULT 'allow';       -- allow, or skip
ALTER TABLE rotulus_schedules ADD COLUMN spread bigint NOT NULL DEFAULT 0;            -- its jobs are due within that time after the instant
ALTER TABLE rotulus_schedules ADD COLUMN start_at bigint;                             -- and no instant before
ALTER TABLE rotulus_schedules ADD COLUMN end_at bigint;                               -- and none after
ALTER TABLE rotulus_schedules ADD COLUMN fired_to bigint NOT NULL DEFAULT 0;          -- instants up to here have been dealt with
ALTER TABLE rotulus_schedules ADD COLUMN paused_at bigint;
ALTER TABLE rotulus_schedules ADD COLUMN version integer NOT NULL DEFAULT 1;          -- one more with each change
ALTER TABLE rotulus_schedules ADD COLUMN changed bigint NOT NULL DEFAULT 0;           -- the revision of its last change
ALTER TABLE rotulus_schedules ADD COLUMN declared_at bigint;                          -- when a program had it in its code last
ALTER TABLE rotulus_schedules ADD COLUMN created_at bigint;
ALTER TABLE rotulus_schedules ADD COLUMN last_jobs text NOT NULL DEFAULT '[]';        -- a JSON array of ids: fired last, or not ended then
CREATE INDEX rotulus_schedules_changed ON rotulus_schedules (changed);

-- The number of the last change of a kind of things. Changes are numbered in the order of their commits.
CREATE TABLE rotulus_revisions (
  what     text   NOT NULL PRIMARY KEY,
  revision bigint NOT NULL
);

-- What claims read of jobs with a limit: where the first jobs of each key stand, and which keys may have room.
-- It is kept by triggers, so that it is right whatever version of the workers changes a job.

-- Where the first job of a key stands that waits in a queue for a task, or one that stood before it. A job that
-- begins to wait adds a row, and nobody waits for that; a claim that holds the key puts one in the place of all.
-- A row in no queue says that a job of the key does not run or wait any more: the others may have room again. Its
-- `seq` is the number of its transaction, below 0: so a transaction finds its own.
CREATE TABLE rotulus_limit_heads (
  limit_key text    NOT NULL,
  queue     text    NOT NULL,
  task      text    NOT NULL,
  priority  integer NOT NULL,
  seq       bigint  NOT NULL,
  run_at    bigint  NOT NULL,
  opens_at  bigint  DEFAULT 0                     -- 0: it may have room; NULL: not until that is told
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX rotulus_limit_heads_open ON rotulus_limit_heads (queue, task, priority DESC, seq)
  WHERE opens_at = 0;
CREATE INDEX rotulus_limit_heads_opening ON rotulus_limit_heads (opens_at)
  WHERE opens_at IS NOT NULL;
CREATE INDEX rotulus_limit_heads_key ON rotulus_limit_heads (limit_key, seq);

-- With the rights of their owner: who adds jobs need not have any on these tables. Of what a transaction adds
-- for a key one row is enough; to look for those of others would mean to wait for them.
CREATE FUNCTION rotulus_note_limits() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_seqscan = off AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.state IN ('running', 'queued') THEN
    INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
    SELECT OLD.limit_key, '', '', 0, -own, 0 FROM (SELECT pg_current_xact_id()::text::bigint AS own) AS this
    WHERE NOT EXISTS (SELECT FROM rotulus_limit_heads WHERE limit_key = OLD.limit_key AND seq = -own);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.state = 'queued' AND NEW.limit_key IS NOT NULL AND NEW.losses < 2 THEN
    INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
    SELECT NEW.limit_key, NEW.queue, NEW.task, NEW.priority, NEW.seq, NEW.run_at WHERE NOT EXISTS (
      SELECT FROM (
        SELECT *, xmin AS made_by FROM rotulus_limit_heads
        WHERE limit_key = NEW.limit_key AND seq <= NEW.seq ORDER BY seq DESC LIMIT 1
      ) AS last
      WHERE made_by = pg_current_xact_id()::xid AND opens_at = 0
        AND queue = NEW.queue AND task = NEW.task AND priority >= NEW.priority);
  END IF;
  RETURN NULL;
END $$;

-- Tables of the caller's own come last, though they were not named: they are looked for first otherwise, and what
-- their triggers do would be done with the rights of the owner.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION rotulus_note_limits() SET search_path = %I, pg_temp', (
    SELECT nspname FROM pg_namespace WHERE oid = (
      SELECT relnamespace FROM pg_class WHERE oid = 'rotulus_jobs'::regclass)));
END $$;

CREATE TRIGGER rotulus_limits_added AFTER INSERT ON rotulus_jobs
FOR EACH ROW WHEN (NEW.limit_key IS NOT NULL AND NEW.state = 'queued')
EXECUTE FUNCTION rotulus_note_limits();
CREATE TRIGGER rotulus_limits_changed AFTER UPDATE OF state ON rotulus_jobs
FOR EACH ROW WHEN (OLD.limit_key IS NOT NULL AND OLD.state <> NEW.state
  AND (OLD.state <> 'queued' OR NEW.state <> 'running'))
EXECUTE FUNCTION rotulus_note_limits();
CREATE TRIGGER rotulus_limits_raised AFTER UPDATE OF priority ON rotulus_jobs
FOR EACH ROW WHEN (NEW.limit_key IS NOT NULL AND NEW.state = 'queued' AND OLD.state = 'queued'
  AND OLD.priority < NEW.priority)
EXECUTE FUNCTION rotulus_note_limits();
CREATE TRIGGER rotulus_limits_deleted AFTER DELETE ON rotulus_jobs
FOR EACH ROW WHEN (OLD.limit_key IS NOT NULL AND OLD.state IN ('queued', 'running'))
EXECUTE FUNCTION rotulus_note_limits();

-- The triggers have locked the table until this transaction is over, so no job is missed.
INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
SELECT DISTINCT ON (limit_key, queue, task) limit_key, queue, task, priority, seq, run_at
FROM rotulus_jobs WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
ORDER BY limit_key, queue, task, priority DESC, seq;

-- What has happened to jobs, queues, schedules and workers, while somebody listens: as long as there is a row in
-- `rotulus_listening`. Transactions note their changes; a reader gives them positions, one process at a time, so
-- what is committed later has a later position.
CREATE TABLE rotulus_listening (
  only_one integer NOT NULL DEFAULT 1 PRIMARY KEY CHECK (only_one = 1),
  until    bigint  NOT NULL
);

CREATE TABLE rotulus_changes (
  position bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       bigint NOT NULL,
  kind     text   NOT NULL,                       -- job, queue, schedule, worker, reset
  name     text   NOT NULL,                       -- the id of a job, or the name of the rest
  what     text   NOT NULL,                       -- the state of a job, or what has happened
  task     text,
  queue    text
);

CREATE TABLE rotulus_changes_new (
  number   bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       bigint NOT NULL,
  kind     text   NOT NULL,
  name     text   NOT NULL,
  what     text   NOT NULL,
  task     text,
  queue    text
) WITH (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0);

-- Those of tables that change rarely are noted by triggers, whatever changes them.
CREATE FUNCTION rotulus_note_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  row_now jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
BEGIN
  INSERT INTO rotulus_changes_new (at, kind, name, what, queue)
  SELECT rotulus_now(), TG_ARGV[0], row_now ->> TG_ARGV[1],
    TG_ARGV[CASE TG_OP WHEN 'INSERT' THEN 2 WHEN 'DELETE' THEN 3 ELSE 4 END], row_now ->> 'queue'
  WHERE EXISTS (SELECT FROM rotulus_listening);
  RETURN NULL;
END $$;
CREATE TRIGGER note_change AFTER INSERT OR DELETE ON rotulus_pauses
  FOR EACH ROW EXECUTE FUNCTION rotulus_note_change('queue', 'queue', 'paused', 'resumed');
CREATE TRIGGER note_change AFTER INSERT OR DELETE ON rotulus_workers
  FOR EACH ROW EXECUTE FUNCTION rotulus_note_change('worker', 'name', 'started', 'gone');
CREATE TRIGGER note_change AFTER INSERT OR DELETE ON rotulus_schedules
  FOR EACH ROW EXECUTE FUNCTION rotulus_note_change('schedule', 'name', 'added', 'removed');
CREATE TRIGGER note_other_change AFTER UPDATE OF version ON rotulus_schedules
  FOR EACH ROW WHEN (OLD.version <> NEW.version)
  EXECUTE FUNCTION rotulus_note_change('schedule', 'name', '', '', 'changed');

-- Roles have the rights on these that they have on the jobs.
DO $$
DECLARE
  tables constant text := array_to_string(ARRAY[
    'rotulus_labels',
    'rotulus_logs',
    'rotulus_stats',
    'rotulus_stats_new',
    'rotulus_revisions',
    'rotulus_limit_heads',
    'rotulus_listening',
    'rotulus_changes',
    'rotulus_changes_new'
  ], ', ');
  granted record;
BEGIN
  FOR granted IN
    SELECT CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END AS role,
      item.privilege_type AS privilege
    FROM pg_class AS jobs CROSS JOIN LATERAL aclexplode(jobs.relacl) AS item
    WHERE jobs.oid = 'rotulus_jobs'::regclass AND item.grantee <> jobs.relowner
      AND item.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
  LOOP
    EXECUTE format('GRANT %s ON %s TO %s', granted.privilege, tables, granted.role);
  END LOOP;
END $$;
