-- New jobs, and the keys that say which of them are new.
--
-- Parameters that hold many values are JSON arrays, and many rows come back as one JSON array:
-- Python's sqlite3 gives up and takes back the interpreter lock at every step of a statement, so a
-- batch is one step, not one per job.

-- name: add
-- New jobs with nothing of their own but id and arguments, in order; one that is here already is
-- left out.
INSERT INTO rotulus_jobs (
  id, arguments, task, queue, priority, created_at, run_at, state, expires_at,
  limit_to, rate_to, rate_per, schedule)
SELECT
  key, value, :task, :queue, :priority, :now, :run_at, :state, :expires_at,
  :limit_to, :rate_to, :rate_per, :schedule
FROM json_each(:jobs) WHERE true
ON CONFLICT DO NOTHING;

-- name: add_keyed
-- The same with keys of their own; one whose key is held is left out.
INSERT INTO rotulus_jobs (
  id, arguments, key, held_key, limit_key, instant, hold_until,
  task, queue, priority, created_at, run_at, state, expires_at,
  limit_to, rate_to, rate_per, schedule)
SELECT
  value ->> 0, value ->> 1, value ->> 2, value ->> 2, value ->> 3, value ->> 4, :hold_until,
  :task, :queue, :priority, :now, :run_at, :state, :expires_at,
  :limit_to, :rate_to, :rate_per, :schedule
FROM json_each(:jobs) WHERE true
ON CONFLICT DO NOTHING;

-- name: add_parts
-- Jobs with their parts, or the parts of a job; `blocked` while they wait for each other. Then the
-- ids of those that were not here already, and whose key was not held; as a value and no column,
-- which a connection of an application may convert.
INSERT INTO rotulus_jobs (
  id, arguments, key, held_key, limit_key, instant, hold_until, run, step, workflow, waits_for,
  opened, paused, task, queue, priority, created_at, run_at, state, expires_at, limit_to, rate_to,
  rate_per, schedule)
SELECT
  id, arguments, key, key, limit_key, instant, :hold_until, run, step, workflow, waits_for, opened,
  :paused, :task, :queue, :priority, :now, :run_at,
  CASE WHEN waits_for > 0 OR :paused THEN 'blocked' ELSE :state END,
  :expires_at, :limit_to, :rate_to, :rate_per, :schedule
FROM (
  SELECT
    value ->> 0 AS id, value ->> 1 AS arguments, value ->> 2 AS key, value ->> 3 AS limit_key,
    value ->> 4 AS instant, value ->> 5 AS run, value ->> 6 AS step, value ->> 7 AS workflow,
    value ->> 8 AS waits_for, value ->> 9 AS opened
  FROM json_each(:jobs))
WHERE true
ON CONFLICT DO NOTHING
RETURNING id || '';

-- name: add_needs
-- Who waits for whom.
INSERT INTO rotulus_needs (need, job, part)
SELECT need.seq, job.seq, pair.value ->> 2 FROM json_each(:needs) AS pair
CROSS JOIN rotulus_jobs AS need ON need.id = pair.value ->> 0
CROSS JOIN rotulus_jobs AS job ON job.id = pair.value ->> 1
WHERE true
ON CONFLICT DO NOTHING;

-- name: drop_keys
-- Keys that nobody holds any more: their job has ended, and their window is over.
UPDATE rotulus_jobs SET held_key = NULL
WHERE held_key IN (SELECT value FROM json_each(:keys))
  AND ended_at IS NOT NULL
  AND (hold_until IS NULL OR hold_until <= :now);

-- name: holders
-- The jobs that hold keys.
SELECT '[' || coalesce(group_concat(record, ','), '') || ']'
FROM json_each(:keys) AS wanted
JOIN rotulus_jobs AS holder ON holder.held_key = wanted.value
JOIN rotulus_records AS r ON r.seq = holder.seq;
