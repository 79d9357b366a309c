-- How jobs and queues stand.

-- name: records
-- Some jobs by id.
SELECT {record} FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value;

-- name: alike
-- How many of some jobs have the same error, task, queue or worker, when the first and the last of them were
-- added, and the last one. No other jobs are read.
SELECT value, jobs, first, created_at, id FROM (
  SELECT value, id, created_at, count(*) OVER same AS jobs, min(created_at) OVER same AS first,
    row_number() OVER (same ORDER BY place DESC) AS nth
  FROM (
    SELECT job.id, job.{job} AS place, job.created_at,
      CASE CAST(:by AS text)
        WHEN 'error' THEN job.fingerprint WHEN 'task' THEN job.task
        WHEN 'queue' THEN job.queue ELSE job.worker END AS value
    FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value) AS asked
  WINDOW same AS (PARTITION BY value)) AS alike
WHERE nth = 1;

-- name: history
-- The last of the earlier attempts of one job, oldest first: so many, and of so many characters.
SELECT number, reason, worker, started_at, ended_at, error FROM (
  SELECT *, sum(length(coalesce(error, ''))) OVER (ORDER BY number DESC) AS characters FROM (
    SELECT number, reason, worker, started_at, ended_at, error FROM rotulus_attempts
    WHERE job = (SELECT {job} FROM rotulus_jobs WHERE id = CAST(:id AS {id}))
    ORDER BY number DESC LIMIT CAST(:limit AS integer)) AS last) AS attempt
WHERE characters <= CAST(:characters AS bigint) ORDER BY number;

-- name: histories
-- The same of several jobs. The numbers of attempts have no gaps: so no others are read.
SELECT id, number, reason, worker, started_at, ended_at, error FROM (
  SELECT job.id, kept.number, kept.reason, kept.worker, kept.started_at, kept.ended_at, kept.error,
    row_number() OVER last AS nth, sum(length(coalesce(kept.error, ''))) OVER last AS characters
  FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
  {join} rotulus_attempts AS kept
    ON kept.job = job.{job} AND kept.number >= job.attempt - CAST(:limit AS integer)
  WINDOW last AS (PARTITION BY job.id ORDER BY kept.number DESC)) AS attempt
WHERE nth <= CAST(:limit AS integer) AND characters <= CAST(:characters AS bigint)
ORDER BY id, number;

-- name: find_by_prefix
-- Jobs that match, the last added first, among the ids from `first` to `last`.
SELECT {record} FROM rotulus_jobs AS job
WHERE job.id BETWEEN CAST(:first AS {id}) AND CAST(:last AS {id}) AND {matching}
  AND (CAST(:before AS {id}) IS NULL OR job.{job} < {below})
ORDER BY job.{job} DESC LIMIT CAST(:limit AS integer);

-- name: last_runs
-- The last job of each of some tasks that is no step of a run, among the last jobs, or else the last runs.
WITH RECURSIVE recent AS MATERIALIZED (
  SELECT {job} AS place, id, task, run FROM rotulus_jobs ORDER BY {job} DESC LIMIT CAST(:most AS integer)),
head (id, number) AS (
  SELECT (SELECT run FROM rotulus_jobs WHERE run IS NOT NULL ORDER BY run DESC LIMIT 1), 1
  UNION ALL
  SELECT {next_head}, number + 1 FROM head WHERE head.id IS NOT NULL AND number < CAST(:runs AS integer)),
older AS MATERIALIZED (
  SELECT job.id, job.task FROM head {join} rotulus_jobs AS job ON job.id = head.id),
latest AS MATERIALIZED (
  SELECT coalesce(
    (SELECT recent.id FROM recent
     WHERE recent.task = wanted.value AND (recent.run IS NULL OR recent.run = recent.id)
     ORDER BY recent.place DESC LIMIT 1),
    (SELECT older.id FROM older WHERE older.task = wanted.value ORDER BY older.id DESC LIMIT 1)) AS id
  FROM {each_names})
SELECT {record} FROM latest {join} rotulus_jobs AS job ON job.id = latest.id;

-- name: count_by_queue
-- Jobs by queue and state.
SELECT queue, state, count(*) FROM {counted} GROUP BY queue, state ORDER BY queue, state;

-- name: count_by_task
-- Jobs by task and state.
SELECT task, state, count(*) FROM {counted} GROUP BY task, state ORDER BY task, state;

-- name: count_by_step
-- The parts of a job in a run, and the parts that they have, so many levels in all. Those of one job that are
-- numbered are one group.
SELECT min(step), state, count(*) FROM (
  SELECT step, state, rtrim(step, '0123456789') AS place FROM rotulus_jobs
  WHERE run = CAST(:run AS {id}) AND step <> ''
    AND substr(step, 1, length(CAST(:prefix AS text))) = CAST(:prefix AS text)
    AND length(substr(step, 1 + length(CAST(:prefix AS text))))
      - length(replace(substr(step, 1 + length(CAST(:prefix AS text))), '/', '')) < CAST(:depth AS integer)) AS part
GROUP BY CASE WHEN place = '' OR place LIKE '%/' THEN place ELSE step END, state
ORDER BY min(step), state;

-- name: steps
-- The parts of a job in a run, without the parts that they have, and without those that are numbered.
SELECT {record} FROM rotulus_jobs AS job
WHERE job.run = CAST(:run AS {id}) AND job.step <> ''
  AND substr(job.step, 1, length(CAST(:prefix AS text))) = CAST(:prefix AS text)
  AND substr(job.step, 1 + length(CAST(:prefix AS text))) NOT LIKE '%/%'
  AND rtrim(substr(job.step, 1 + length(CAST(:prefix AS text))), '0123456789') <> ''
ORDER BY job.{job};

-- name: needs_of
-- What some jobs need: the id of each, and that of each job that it needs. Parts of a job are no needs here.
SELECT job.id, (SELECT needed.id FROM rotulus_jobs AS needed WHERE needed.{job} = need.need)
FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
{join} rotulus_needs AS need ON need.job = job.{job} AND NOT need.part
ORDER BY job.{job}, need.need;

-- name: workers
-- The workers whose lease is not over.
SELECT {worker_columns} FROM rotulus_workers WHERE {alive} ORDER BY started_at, name;

-- name: paused
-- The paused queues.
SELECT queue, paused_at FROM rotulus_pauses ORDER BY queue;

-- name: opens_at
-- When the rate of a key has room again: so many starts after it do not fill it.
SELECT max(counts_until) FROM (
  SELECT counts_until, sum(starts) OVER (ORDER BY counts_until DESC) AS later
  FROM rotulus_starts WHERE limit_key = :limit_key AND counts_until > {now}) AS start
WHERE later >= coalesce(
  (SELECT terms.rate_to FROM rotulus_limit_terms AS terms WHERE terms.limit_key = :limit_key), CAST(:rate_to AS integer));

-- name: unended
-- Those of some jobs that have not ended.
SELECT job.id FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value
WHERE job.ended_at IS NULL;

-- name: state_of
-- The state of one job.
SELECT state FROM rotulus_jobs WHERE id = CAST(:id AS {id});

-- name: migrations_by_name
-- The steps that made the tables what they are, in order.
SELECT name FROM rotulus_migrations ORDER BY number;
