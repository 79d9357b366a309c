-- What several statements have in common. A job that is looked at is called `job`.

-- piece: moment
-- The present moment as a table, for statements that need it more than once.
(SELECT {now} AS now) AS moment

-- piece: becomes_due
-- What is `due` now was waiting until now: it is neither late, nor any closer to its expiry.
state = CASE WHEN due AND job.run_at > now THEN 'delayed' WHEN due THEN 'queued' ELSE job.state END,
run_at = CASE WHEN due THEN {greatest}(job.run_at, now) ELSE job.run_at END,
expires_at = CASE WHEN due THEN job.expires_at + {greatest}(0, now - job.run_at)
                  ELSE job.expires_at END

-- piece: unended_needs
-- How many of the needs of a job have not ended. Each need is looked up by itself: joined, they may be
-- read from all jobs that have not ended, of which the statistics think that there are none.
(SELECT CAST(count(*) AS integer) FROM rotulus_needs AS need
 WHERE need.job = job.{job} AND (
   SELECT needed.ended_at IS NULL FROM rotulus_jobs AS needed WHERE needed.{job} = need.need))

-- piece: part_of_job
-- A part belongs to an opened job, or to a part of it.
part.run = job.run AND part.id <> job.id
AND (job.step = '' OR substr(part.step, 1, length(job.step) + 1) = job.step || '/')

-- piece: runs
-- All jobs of some runs, and whether they would be due if it were not for a pause.
(SELECT one.{job} AS job, one.state = 'blocked' AND one.waits_for = 0 AS due
 FROM (
   SELECT {job}, state, waits_for FROM rotulus_jobs WHERE run {in_runs}
   UNION ALL
   SELECT {job}, state, waits_for FROM rotulus_jobs WHERE id {in_runs} AND run IS NULL) AS one) AS wanted

-- piece: matching
-- A job matches a filter.
({any_states} OR job.state {in_states})
AND (CAST(:task AS text) IS NULL OR job.task = CAST(:task AS text))
AND (CAST(:queue AS text) IS NULL OR job.queue = CAST(:queue AS text))
AND (CAST(:key AS text) IS NULL OR job.key = CAST(:key AS text))
AND (CAST(:limit_key AS text) IS NULL OR job.limit_key = CAST(:limit_key AS text))
AND (CAST(:schedule AS text) IS NULL OR job.schedule = CAST(:schedule AS text))
AND (CAST(:worker AS text) IS NULL OR job.worker = CAST(:worker AS text))
AND (CAST(:run AS {id}) IS NULL OR job.run = CAST(:run AS {id}))
AND (CAST(:step AS text) IS NULL OR job.step = CAST(:step AS text))
AND (CAST(:task_prefix AS text) IS NULL
     OR substr(job.task, 1, length(CAST(:task_prefix AS text))) = CAST(:task_prefix AS text))
AND ({any_labels} OR NOT EXISTS (
  SELECT 1 FROM {each_labels} WHERE NOT EXISTS (
    SELECT 1 FROM rotulus_labels AS own WHERE own.label = wanted.value AND own.job = job.{job})))
AND (CAST(:fingerprint AS text) IS NULL OR job.fingerprint = CAST(:fingerprint AS text))
AND (CAST(:since AS bigint) IS NULL OR job.created_at >= CAST(:since AS bigint))
AND (CAST(:until AS bigint) IS NULL OR job.created_at < CAST(:until AS bigint))
AND (NOT CAST(:heads AS boolean) OR job.run = job.id)
AND (CAST(:first AS {id}) IS NULL OR job.id BETWEEN CAST(:first AS {id}) AND CAST(:last AS {id}))

-- piece: next_head
-- The run before `head`: from one to the next in the index of runs, however many jobs each of them has.
(SELECT job.run FROM rotulus_jobs AS job WHERE job.run < head.id ORDER BY job.run DESC LIMIT 1)

-- piece: page
-- A job was added before the one that ended the last page, if there was one: one condition without OR, so that
-- an index leads to the place.
job.{job} < {below}

-- piece: counted
-- All jobs, or those of a run.
(SELECT queue, task, state FROM rotulus_jobs WHERE CAST(:run AS {id}) IS NULL
 UNION ALL
 SELECT queue, task, state FROM rotulus_jobs WHERE run = CAST(:run AS {id})) AS counted
