-- New jobs, and the keys that say which of them are new.
--
-- Parameters that hold many values are JSON arrays, and many rows come back as one JSON array:
-- Python's sqlite3 gives up and takes back the interpreter lock at every step of a statement, so a
-- batch is one step, not one per job.

-- name: add
-- New jobs with nothing of their own but id and arguments, in order; one that is here already is
-- left out.
INSERT INTO rotulus_jobs (
  id, arguments, {terms_columns}, created_at, run_at, state, expires_at)
SELECT key, value, {terms_values}, :now, :run_at, :state, :expires_at
FROM json_each(:jobs) WHERE true
ON CONFLICT DO NOTHING;

-- name: add_keyed
-- The same with keys of their own; one whose key is held is left out.
INSERT INTO rotulus_jobs (
  {keyed_columns}, held_key, hold_until, {terms_columns}, created_at, run_at, state, expires_at)
SELECT
  {keyed_columns}, key, :hold_until, {terms_values}, :now, :run_at, :state, :expires_at
FROM {keyed_rows} WHERE true
ON CONFLICT DO NOTHING;

-- name: add_parts
-- Jobs with their parts, or the parts of a job; `blocked` while they wait for each other. Each has terms
-- of its own. Then the ids of those that were not here already, and whose key was not held; as a value
-- and no column, which a connection of an application may convert.
INSERT INTO rotulus_jobs (
  {run_columns}, held_key, hold_until, paused,
  {terms_columns}, created_at, run_at, state, expires_at)
SELECT
  {run_columns}, key, :now + hold, :paused, {terms_columns}, :now, run_at,
  CASE WHEN waits_for > 0 OR :paused THEN 'blocked'
       WHEN run_at > :now THEN 'delayed'
       ELSE 'queued' END,
  max(run_at, :now) + expires
FROM (SELECT *, coalesce(at, :now + delay) AS run_at FROM {in_run_rows}) WHERE true
ON CONFLICT DO NOTHING
RETURNING id || '';

-- name: add_needs
-- What jobs wait for.
INSERT INTO rotulus_needs (need, job, part)
SELECT needed.seq, job.seq, need.part FROM {need_rows}
CROSS JOIN rotulus_jobs AS needed ON needed.id = need.need
CROSS JOIN rotulus_jobs AS job ON job.id = need.job
WHERE true
ON CONFLICT DO NOTHING;
