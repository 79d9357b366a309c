-- What several statements have in common. A job that is looked at is called `job`.

-- piece: own_labels
-- The labels of a job: `key` and `value` of each.
json_each_text(job.labels::json) AS own (key, value)

-- piece: open_queue
-- It is in a queue that is wanted, and not paused. A private queue has to be named.
(:queues::text[] IS NULL AND NOT starts_with(job.queue, '_') OR job.queue = ANY (:queues::text[]))
AND NOT EXISTS (SELECT FROM rotulus_pauses AS pause WHERE pause.queue = job.queue)

-- piece: logging_jobs
-- Jobs that have logged something: nobody deletes them until it is stored.
(SELECT id, attempt FROM rotulus_jobs WHERE id = ANY (:log_job::uuid[]) ORDER BY id FOR KEY SHARE)

-- piece: known_task
-- It is of a task that is wanted; or nobody alive knows the task, and it is due for long enough.
(:names::text[] IS NULL OR job.task = ANY (:names::text[])
 OR job.run_at <= (SELECT rotulus_now()) - :grace::bigint
 AND NOT EXISTS (
   SELECT FROM rotulus_workers AS other
   WHERE job.task = ANY (other.names) AND other.lease_until > (SELECT rotulus_now())))

-- piece: lone_suspect
-- It was lost twice, and the worker runs no other of that kind.
job.losses >= 2
AND NOT EXISTS (
  SELECT FROM rotulus_jobs AS other
  WHERE other.state = 'running' AND other.lease_until IS NOT NULL
    AND other.worker = :worker AND other.losses >= 2)

-- piece: room_for_one
-- Its key has room for one more.
(job.limit_to IS NULL OR job.limit_to > (
  SELECT count(*) FROM rotulus_jobs AS other
  WHERE other.state = 'running' AND other.limit_key = job.limit_key))
AND (job.rate_to IS NULL OR job.rate_to > (
  SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
  WHERE start.limit_key = job.limit_key AND start.counts_until > (SELECT rotulus_now())))

-- piece: served
-- The queues to take jobs from. They are found by skipping from one to the next in the index, so it
-- matters how many there are, not how many jobs wait in them.
waiting (queue) AS (
  (SELECT queue FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NULL AND losses < 2 ORDER BY queue LIMIT 1)
  UNION ALL
  SELECT (SELECT job.queue FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
            AND job.queue > waiting.queue
          ORDER BY job.queue LIMIT 1)
  FROM waiting WHERE waiting.queue IS NOT NULL),
served AS (
  SELECT job.queue FROM waiting AS job WHERE job.queue IS NOT NULL AND {open_queue})

-- piece: free
-- Of each queue that is served, the jobs without a limit that are next.
served CROSS JOIN LATERAL (
  SELECT job.id, job.priority, job.seq FROM rotulus_jobs AS job
  WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
    AND job.queue = served.queue AND {known_task}
  ORDER BY job.priority DESC, job.seq LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS free

-- piece: limit_keys
-- The keys of jobs with a limit that wait, found in the same way.
limit_keys (limit_key) AS (
  (SELECT limit_key FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2 ORDER BY limit_key LIMIT 1)
  UNION ALL
  SELECT (SELECT job.limit_key FROM rotulus_jobs AS job
          WHERE job.state = 'queued' AND job.limit_key IS NOT NULL AND job.losses < 2
            AND job.limit_key > limit_keys.limit_key
          ORDER BY job.limit_key LIMIT 1)
  FROM limit_keys WHERE limit_keys.limit_key IS NOT NULL)

-- piece: taken
-- A job is running: nothing else raises attempt.
state = 'running', attempt = job.attempt + 1, reason = NULL, progress = NULL, worker = :worker,
lease_until = now + :lease::bigint, started_at = now

-- piece: started
-- Those of `claimed` that have a rate count for it.
started AS (
  INSERT INTO rotulus_starts AS known (limit_key, counts_until, starts)
  SELECT limit_key, started_at + rate_per, count(*) FROM claimed
  WHERE rate_to IS NOT NULL AND limit_key IS NOT NULL
  GROUP BY limit_key, started_at + rate_per
  ON CONFLICT (limit_key, counts_until) DO UPDATE SET starts = known.starts + excluded.starts)

-- piece: claimed
-- The jobs of `chosen` are running.
claimed AS (
  UPDATE rotulus_jobs AS job
  SET {taken}
  FROM chosen, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = chosen.id AND job.state || '' = 'queued'
  RETURNING job.*)

-- piece: unblocked
-- What waits for those of the `held` jobs that end waits for fewer, and may be due. Its rows have been
-- locked by a statement before this one: what is read here is what stands there. Jobs in no run cost
-- nothing here. The held jobs themselves are left alone.
fewer AS (
  SELECT need.job AS id, count(*)::integer AS needs
  FROM held JOIN rotulus_needs AS need ON need.need = held.id
  WHERE held.ends AND held.run IS NOT NULL
  GROUP BY need.job),
waiting AS MATERIALIZED (
  SELECT job.id, fewer.needs,
    job.state = 'blocked' AND job.waits_for = fewer.needs AND NOT job.paused AS due
  FROM fewer JOIN rotulus_jobs AS job ON job.id = fewer.id
  WHERE job.ended_at IS NULL AND job.id NOT IN (SELECT id FROM held)),
unblocked AS (
  UPDATE rotulus_jobs AS job
  SET waits_for = job.waits_for - waiting.needs,
      {becomes_due}
  FROM waiting, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = waiting.id
  RETURNING due)
