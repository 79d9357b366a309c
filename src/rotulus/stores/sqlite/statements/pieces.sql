-- What several statements have in common.

-- piece: open_queue
-- A job, or whatever has a queue, is in one that is wanted, and not paused.
(:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
AND queue NOT IN (SELECT queue FROM rotulus_pauses)

-- piece: known_task
-- A job is of a task that is wanted; or nobody alive knows the task, and it is due for long enough.
(:names IS NULL OR task IN (SELECT value FROM json_each(:names))
 OR (run_at <= :now - :grace AND task NOT IN (SELECT task FROM known)))

-- piece: matching
-- A record is what a filter asks for.
(:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
AND (:task IS NULL OR task = :task)
AND (:queue IS NULL OR queue = :queue)
AND (:key IS NULL OR key = :key)
AND (:limit_key IS NULL OR limit_key = :limit_key)
AND (:schedule IS NULL OR schedule = :schedule)
AND (:worker IS NULL OR worker = :worker)
AND (:run IS NULL OR run = :run)
AND (:step IS NULL OR step = :step)
AND (:needed_by IS NULL OR seq IN (
  SELECT need FROM rotulus_needs WHERE job = (SELECT seq FROM rotulus_jobs WHERE id = :needed_by)))
AND (:before IS NULL OR seq < (SELECT seq FROM rotulus_jobs WHERE id = :before))

-- piece: is_part
-- One job of a run is a part of another, or a part of one of its parts.
(job.step = '' OR substr(part.step, 1, length(job.step) + 1) = job.step || '/')
