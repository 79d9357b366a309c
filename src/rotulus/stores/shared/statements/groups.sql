-- Groups: a head that waits for its members, and while it is open for itself.

-- name: group_head
-- Whether members can be added to a group, whether it is paused, and the place of its last member. Nobody but
-- itself needs the head, so the one is found among those that need it, and not among all that it needs.
SELECT
  job.ended_at IS NULL AND job.{job} IN (SELECT need.job FROM rotulus_needs AS need WHERE need.need = job.{job}),
  job.paused,
  (SELECT max(part.step) FROM rotulus_jobs AS part WHERE part.run = job.run AND part.step > '')
FROM rotulus_jobs AS job WHERE job.id = CAST(:id AS {id});

-- name: wait_for_more
-- A head waits for more members.
UPDATE rotulus_jobs SET waits_for = waits_for + CAST(:more AS integer)
WHERE id = CAST(:id AS {id});

-- name: stop_waiting_for_itself
-- A group is not open any more.
DELETE FROM rotulus_needs
WHERE need = job AND need = (SELECT {job} FROM rotulus_jobs WHERE id = CAST(:id AS {id}));

-- name: close_group
-- Its head waits for one less, and may be due. Then the head, and whether it is.
UPDATE rotulus_jobs AS job
SET waits_for = job.waits_for - 1,
    {becomes_due}
FROM (
  SELECT one.{job} AS job, one.state = 'blocked' AND one.waits_for = 1 AND NOT one.paused AS due
  FROM rotulus_jobs AS one WHERE one.id = CAST(:id AS {id})) AS wanted, {moment}
WHERE job.{job} = wanted.job AND job.ended_at IS NULL
RETURNING {job}, state IN ('delayed', 'queued');
