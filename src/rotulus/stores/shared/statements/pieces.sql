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
