-- Schedules.

-- name: next_revision
-- The number of a change of schedules, or of webhooks. Others wait for it until the transaction is over, so numbers are in
-- the order of commits: who has seen one has seen all before.
INSERT INTO rotulus_revisions AS known (what, revision) VALUES (CAST(:what AS text), {now})
ON CONFLICT (what) DO UPDATE SET revision = {greatest}(known.revision + 1, excluded.revision)
RETURNING revision;

-- name: all_schedules
-- Every schedule, by name.
SELECT {schedule_columns} FROM rotulus_schedules ORDER BY name;

-- name: schedules
-- Schedules of these names.
SELECT {schedule_columns} FROM rotulus_schedules WHERE name {in_names} ORDER BY name;

-- name: last_of
-- The last job of each of some schedules, each looked up in the index.
SELECT {record} FROM (
  SELECT (SELECT fired.id FROM rotulus_jobs AS fired WHERE fired.schedule = wanted.value
          ORDER BY fired.schedule DESC, fired.{job} DESC LIMIT 1) AS id
  FROM {each_names}) AS latest
{join} rotulus_jobs AS job ON job.id = latest.id;

-- name: live_of_schedule
-- Those among the last thousand jobs of a schedule that have not ended, the last one first.
SELECT recent.id FROM (
  SELECT fired.id, fired.ended_at FROM rotulus_jobs AS fired WHERE fired.schedule = CAST(:name AS text)
  ORDER BY fired.schedule DESC, fired.{job} DESC LIMIT 1000) AS recent
WHERE recent.ended_at IS NULL;

-- name: changed_schedules
-- Schedules that have changed after a revision, in the order of their changes.
SELECT {schedule_columns} FROM rotulus_schedules
WHERE changed > CAST(:after AS bigint) ORDER BY changed, name;

-- name: put_schedules
-- Schedules that are new, or have changed.
INSERT INTO rotulus_schedules AS known ({put_columns}, changed)
SELECT {put_columns}, CAST(:revision AS bigint) FROM {put_rows} WHERE true ORDER BY name
ON CONFLICT (name) DO UPDATE SET
  cron = excluded.cron, timezone = excluded.timezone, task = excluded.task,
  arguments = excluded.arguments, missed = excluded.missed, overlap = excluded.overlap,
  spread = excluded.spread, start_at = excluded.start_at, end_at = excluded.end_at,
  origin = excluded.origin, since = excluded.since, paused_at = excluded.paused_at,
  declared_at = excluded.declared_at, created_at = excluded.created_at,
  version = known.version + 1, changed = excluded.changed;

-- name: declared_again
-- Programs still have these schedules in their code.
UPDATE rotulus_schedules SET declared_at = {now} WHERE name {in_names} AND origin = 'code';

-- name: remove_schedule
-- The schedule of a name is no more.
DELETE FROM rotulus_schedules WHERE name = CAST(:name AS text);

-- name: take_instants
-- Deals with the instants of a schedule up to a moment, if it is as the caller has seen it.
UPDATE rotulus_schedules SET fired_to = CAST(:until AS bigint)
WHERE name = CAST(:name AS text) AND version = CAST(:version AS integer) AND since = CAST(:since AS bigint)
  AND fired_to = CAST(:fired_to AS bigint) AND paused_at IS NULL
RETURNING last_jobs;

-- name: hold_schedule
-- Nobody else notes jobs of a schedule until the transaction is over.
UPDATE rotulus_schedules SET name = name WHERE name = CAST(:name AS text) RETURNING last_jobs;

-- name: note_jobs
-- The jobs that a schedule has fired last.
UPDATE rotulus_schedules SET last_jobs = CAST(:last_jobs AS text) WHERE name = CAST(:name AS text);
