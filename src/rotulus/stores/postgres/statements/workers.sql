-- Workers that are alive.

-- name: announce
-- A worker says that it is alive, and learns whether it is to take no more jobs.
INSERT INTO rotulus_workers AS worker
  (name, host, pid, queues, slots, started_at, seen_at, lease_until, names,
   version, rotulus, python, memory)
SELECT :name, :host, :pid::integer, :queues::text[], :slots::integer, :started_at::bigint, now,
  now + :lease::bigint, :names::text[], :version, :rotulus, :python, :memory::bigint
FROM rotulus_now() AS now
ON CONFLICT (name) DO UPDATE
SET seen_at = excluded.seen_at, slots = excluded.slots, lease_until = excluded.lease_until,
  names = excluded.names, memory = excluded.memory
RETURNING draining_at IS NOT NULL;
