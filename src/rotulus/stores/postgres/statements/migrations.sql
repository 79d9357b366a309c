-- The migrations that were applied.

-- name: has_table
-- Whether there is a table of that name.
SELECT to_regclass(:name) IS NOT NULL;

-- name: applied_migrations
-- The steps that made the tables what they are.
SELECT number, checksum FROM rotulus_migrations;

-- name: remember_migration
-- A step that has been applied.
INSERT INTO rotulus_migrations (number, name, checksum)
VALUES (:number::integer, :name, :checksum);

-- name: indexes_there
-- Which of these indexes there are, and whether each is valid. One that was not finished is not.
SELECT found.relname, facts.indisvalid
FROM pg_class AS jobs
JOIN pg_class AS found ON found.relnamespace = jobs.relnamespace AND found.relname = ANY (:names::text[])
JOIN pg_index AS facts ON facts.indexrelid = found.oid
WHERE jobs.oid = 'rotulus_jobs'::regclass;

-- name: indexes_in_progress
-- What other connections build on the jobs: the phase, and how much of the table has been read (percent).
SELECT phase, (100 * blocks_done / greatest(blocks_total, 1))::integer
FROM pg_stat_progress_create_index
WHERE datname = current_database() AND relid = 'rotulus_jobs'::regclass AND pid <> pg_backend_pid();

-- name: hold_building
-- Be the one who builds indexes until the end of the transaction, which waits while they are built; whether that
-- is so.
SELECT pg_try_advisory_xact_lock(hashtext('rotulus migrations'), 1),
  set_config('idle_in_transaction_session_timeout', '0', true);
