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

-- piece: next_task
-- It is of a later task of the same failure group. As an equality, the planner would think that there are so few
-- that reading and sorting them all is no loss. So it would with `this_task`.
(job.fingerprint, job.task) > (parts.fingerprint, parts.task) AND job.fingerprint <= parts.fingerprint

-- piece: this_task
-- It is of a failure group, and of one of its tasks.
(job.fingerprint, job.task) >= (parts.fingerprint, parts.task)
AND (job.fingerprint, job.task) <= (parts.fingerprint, parts.task)

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
    AND other.worker = :worker AND other.losses >= 2 AND other.id <> job.id)

-- piece: limit_of_job
-- How many jobs with the key of a job may run at once: as it is set, or else as the job has it.
coalesce((SELECT terms.limit_to FROM rotulus_limit_terms AS terms WHERE terms.limit_key = job.limit_key), job.limit_to)

-- piece: rate_of_job
-- How many jobs with its key may start within a window, likewise.
coalesce((SELECT terms.rate_to FROM rotulus_limit_terms AS terms WHERE terms.limit_key = job.limit_key), job.rate_to)

-- piece: room_for_one
-- Its key has room for one more.
({limit_of_job} IS NULL OR {limit_of_job} > (
  SELECT count(*) FROM rotulus_jobs AS other
  WHERE other.state = 'running' AND other.limit_key = job.limit_key))
AND ({rate_of_job} IS NULL OR {rate_of_job} > (
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

-- piece: not_so_simple
-- The begin of a CASE that says why a claim is not simple: a delayed job is due, or a job that was lost twice is
-- queued.
WHEN EXISTS (SELECT FROM rotulus_jobs WHERE state = 'delayed' AND run_at <= (SELECT rotulus_now()))
  THEN 'due'
WHEN EXISTS (SELECT FROM rotulus_jobs WHERE state = 'queued' AND losses >= 2)
  THEN 'limits'

-- piece: has_many
-- Many queues have jobs waiting. To know that, no more of them are looked for.
(SELECT count(*) FROM (SELECT FROM served LIMIT :few_queues::integer + 1) AS few) > :few_queues::integer

-- piece: first_of_few
-- The first jobs of the few queues that are served are running, where that is simple.
chosen AS MATERIALIZED (
  SELECT free.id FROM served CROSS JOIN LATERAL (
    SELECT job.id, job.priority, job.seq FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
      AND job.queue = served.queue AND {known_task}
    ORDER BY job.priority DESC, job.seq LIMIT :limit::integer FOR UPDATE OF job SKIP LOCKED) AS free
  WHERE (SELECT refusal IS NULL FROM look)
  ORDER BY free.priority DESC, free.seq LIMIT :limit::integer),
{claimed}

-- piece: taken_or_refused
-- The jobs that were taken, or a row that says why none was.
SELECT {record}, job.seq, look.refusal FROM look LEFT JOIN claimed AS job ON true
WHERE job.id IS NOT NULL OR look.refusal IS NOT NULL ORDER BY job.priority DESC, job.seq

-- piece: heads
-- The first job without a limit of each queue to take jobs from, found in the same way.
waiting (queue, priority, seq, task, run_at) AS (
  (SELECT queue, priority, seq, task, run_at FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key IS NULL AND losses < 2
   ORDER BY queue, priority DESC, seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM waiting CROSS JOIN LATERAL (
    SELECT job.queue, job.priority, job.seq, job.task, job.run_at FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
      AND job.queue > waiting.queue
    ORDER BY job.queue, job.priority DESC, job.seq LIMIT 1) AS next),
served AS MATERIALIZED (
  SELECT job.*, {known_task} AS is_known FROM waiting AS job WHERE {open_queue}),
head AS MATERIALIZED (
  SELECT queue, priority, seq FROM served WHERE is_known
  UNION ALL
  SELECT served.queue, first.* FROM served CROSS JOIN LATERAL (
    SELECT job.priority, job.seq FROM rotulus_jobs AS job
    WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
      AND job.queue = served.queue AND {known_task}
    ORDER BY job.priority DESC, job.seq LIMIT 1) AS first
  WHERE is_known IS NOT TRUE)

-- piece: next_of_heads
-- The jobs that are next: those of the first `:heads` queues by their first jobs, not behind the first job of the
-- last of these. Of each queue `:depth` jobs are looked at, or more where that makes few; where one has more,
-- nothing behind those is known to be next.
best AS MATERIALIZED (
  SELECT * FROM head ORDER BY priority DESC, seq LIMIT :heads::integer),
far AS MATERIALIZED (
  SELECT coalesce(last.priority, -2147483648) AS priority,
    coalesce(last.seq, 9223372036854775807) AS seq,
    (SELECT greatest(:depth::integer, :ahead::integer * 2 / greatest(count(*), 1)) FROM best) AS depth
  FROM (VALUES (1)) AS one LEFT JOIN (
    SELECT priority, seq FROM best ORDER BY priority DESC, seq OFFSET :heads::integer - 1) AS last ON true),
ahead AS MATERIALIZED (
  SELECT job.* FROM far CROSS JOIN best CROSS JOIN LATERAL (
    SELECT ordered.*, row_number() OVER () AS place FROM (
      (SELECT job.id, job.priority, job.seq FROM rotulus_jobs AS job
       WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
         AND job.queue = best.queue AND {known_task} AND job.priority > far.priority
       ORDER BY job.priority DESC, job.seq LIMIT far.depth)
      UNION ALL
      (SELECT job.id, job.priority, job.seq FROM rotulus_jobs AS job
       WHERE job.state = 'queued' AND job.limit_key IS NULL AND job.losses < 2
         AND job.queue = best.queue AND {known_task}
         AND job.priority = far.priority AND job.seq <= far.seq
       ORDER BY job.seq LIMIT far.depth)) AS ordered
    LIMIT far.depth) AS job),
edge AS MATERIALIZED (
  SELECT ahead.priority, ahead.seq FROM ahead JOIN far ON ahead.place = far.depth
  ORDER BY ahead.priority DESC, ahead.seq LIMIT 1),
free AS MATERIALIZED (
  SELECT id, priority, seq FROM ahead
  WHERE NOT EXISTS (
    SELECT FROM edge
    WHERE ahead.priority < edge.priority OR ahead.priority = edge.priority AND ahead.seq > edge.seq)
  ORDER BY priority DESC, seq LIMIT :ahead::integer)

-- piece: limited_groups
-- The queues and tasks of jobs with a limit that wait, and may have room. They are found by skipping from one to
-- the next in an index.
limited_group (queue, task, run_at) AS (
  (SELECT queue, task, run_at FROM rotulus_limit_heads
   WHERE opens_at = 0 ORDER BY queue, task, priority DESC, seq LIMIT 1)
  UNION ALL
  SELECT next.* FROM limited_group CROSS JOIN LATERAL (
    SELECT head.queue, head.task, head.run_at FROM rotulus_limit_heads AS head
    WHERE head.opens_at = 0 AND (head.queue, head.task) > (limited_group.queue, limited_group.task)
    ORDER BY head.queue, head.task, head.priority DESC, head.seq LIMIT 1) AS next)

-- piece: waits_for_room
-- Of jobs of a key in `room`, those that wait for it, may be taken, and have room by their own terms.
SELECT job.id, job.priority, job.seq, job.limit_to, job.rate_to FROM rotulus_jobs AS job
WHERE job.state = 'queued' AND job.limit_key = room.limit_key AND job.losses < 2
  AND least(coalesce(room.set_limit, job.limit_to) - room.running, coalesce(room.set_rate, job.rate_to) - room.started) > 0
  AND {open_queue}
  AND {known_task}

-- piece: shared_limits
-- Workers of the version before lock all limits at once: wait for one that does, and let none begin until this
-- transaction is over.
pg_advisory_xact_lock_shared(hashtext('rotulus limits'), 'rotulus_jobs'::regclass::oid::integer)

-- piece: limit_lock
-- The number of the lock of a key, of these tables.
hashtextextended(limit_key, 'rotulus_jobs'::regclass::oid::bigint)

-- piece: running_of_key
-- How many jobs of a key run.
(SELECT count(*) FROM rotulus_jobs AS job
 WHERE job.state = 'running' AND job.limit_key = key.limit_key)

-- piece: started_of_key
-- How many starts of a key count.
(SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
 WHERE start.limit_key = key.limit_key AND start.counts_until > (SELECT rotulus_now()))

-- piece: taken
-- A job is running: nothing else raises attempt.
state = 'running', attempt = job.attempt + 1, reason = NULL, progress = NULL, worker = :worker,
lease_until = now + :lease::bigint, started_at = now

-- piece: started
-- Those of `claimed` that have a rate count for it.
started AS (
  INSERT INTO rotulus_starts AS known (limit_key, counts_until, starts)
  SELECT limit_key, started_at + coalesce(terms.rate_per, job.rate_per), count(*)
  FROM claimed AS job LEFT JOIN rotulus_limit_terms AS terms USING (limit_key)
  WHERE coalesce(terms.rate_to, job.rate_to) IS NOT NULL AND limit_key IS NOT NULL
  GROUP BY limit_key, started_at + coalesce(terms.rate_per, job.rate_per)
  ON CONFLICT (limit_key, counts_until) DO UPDATE SET starts = known.starts + excluded.starts)

-- piece: claimed
-- The jobs of `chosen` are running.
claimed AS (
  UPDATE rotulus_jobs AS job
  SET {taken}
  FROM chosen, (SELECT rotulus_now() AS now) AS moment
  WHERE job.id = chosen.id AND job.state || '' = 'queued'
  RETURNING job.*),
{noted_claimed}

-- piece: noted_claimed
-- The changes of what has been `claimed`.
noted AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT started_at, 'job', id, state, task, queue FROM claimed WHERE {listened})

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
  RETURNING due, job.id, job.state, job.task, job.queue, now),
noted_unblocked AS (
  INSERT INTO rotulus_changes_new ({change_columns})
  SELECT now, 'job', id, state, task, queue FROM unblocked WHERE due AND {listened})

-- piece: lower_error
-- The error of a job, its letters from A to Z as small ones.
lower(job.error COLLATE "C")

-- piece: running_order
-- The order in which the index of running jobs has them.
seq

-- piece: of_key
-- A job of the next page has a key. Not by `=`: for the planner the order would then be that of
-- the ids alone, and it might walk all jobs in that order.
job.key >= CAST(:key AS text) AND (job.key, job.id) < (CAST(:key AS text), {below})

-- piece: of_run
-- A job of the next page is a part of a run. See `of_key`.
job.run >= CAST(:run AS uuid) AND (job.run, job.id) < (CAST(:run AS uuid), {below})

-- piece: of_schedule
-- A job of the next page was fired for a schedule. See `of_key`.
job.schedule >= CAST(:schedule AS text) AND (job.schedule, job.id) < (CAST(:schedule AS text), {below})

-- piece: of_verb
-- Entries of the audit of one verb, with numbers in a span. Of the numbers alone the planner would think that
-- there are so few that the verb is no matter. So it would with `of_actor`.
(verb, id) > (:verb::text, :first::bigint) AND (verb, id) < (:verb::text, :before::bigint)

-- piece: of_actor
-- Entries of the audit of one actor, with numbers in a span.
(actor, id) > (:actor::text, :first::bigint) AND (actor, id) < (:actor::text, :before::bigint)
