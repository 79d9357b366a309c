-- Changes: what has happened, for those who listen.

-- name: listening
-- Whether changes are written: as long as there is a row.
SELECT count(*) FROM rotulus_listening;

-- name: listen
-- They are, for so long.
INSERT INTO rotulus_listening (only_one, until)
SELECT 1, now + CAST(:kept AS bigint) FROM {moment} WHERE true
ON CONFLICT (only_one) DO UPDATE SET until = excluded.until;

-- name: stop_listening
-- They are not any more, if nobody has listened for so long.
DELETE FROM rotulus_listening WHERE until <= {now};

-- name: add_reset
-- What happened before this is not known.
INSERT INTO rotulus_changes (at, kind, name, what) SELECT {wall_clock}, 'reset', '', 'reset';

-- name: last_position
-- The position of the last change that is known.
SELECT coalesce(max(position), 0) FROM rotulus_changes;

-- name: read_changes
-- The changes after a position; the last one of all, if it comes before that.
SELECT position, at, kind, name, what, task, queue FROM (
  SELECT position, at, kind, name, what, task, queue FROM rotulus_changes
  WHERE position > CAST(:after AS bigint) ORDER BY position LIMIT CAST(:limit AS integer)) AS next
UNION ALL
SELECT position, at, kind, name, what, task, queue FROM rotulus_changes
WHERE position < CAST(:after AS bigint) AND position = (SELECT max(position) FROM rotulus_changes);

-- name: drop_changes
-- Some old changes, and some of those that are too many. The last one stays: positions go on after it.
DELETE FROM rotulus_changes WHERE position IN (
  SELECT position FROM rotulus_changes
  WHERE position < (SELECT max(position) FROM rotulus_changes)
    AND (at <= {wall_clock} - CAST(:kept AS bigint)
         OR position <= (SELECT max(position) FROM rotulus_changes) - CAST(:most AS bigint))
  ORDER BY position LIMIT CAST(:portion AS integer));
