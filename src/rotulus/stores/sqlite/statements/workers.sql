-- Workers that are alive.

-- name: announce
-- A worker says that it is alive, and learns whether it is to take no more jobs. SQLite 3.40 takes a column that has
-- been added to the table for one that is never NULL here, so that is not asked.
INSERT INTO rotulus_workers
  (name, host, pid, queues, slots, started_at, seen_at, names, boot, lease_until,
   version, rotulus, python, memory)
VALUES (:name, :host, :pid, :queues, :slots, :started_at, :now, :names, :boot, :lease_until,
  :version, :rotulus, :python, :memory)
ON CONFLICT (name) DO UPDATE
SET seen_at = :now, slots = :slots, names = :names, boot = :boot, lease_until = :lease_until, memory = :memory
RETURNING coalesce(draining_at, 0) > 0;

-- name: forget_workers
-- Workers whose lease is over.
DELETE FROM rotulus_workers WHERE boot <> :boot OR lease_until <= :clock;
