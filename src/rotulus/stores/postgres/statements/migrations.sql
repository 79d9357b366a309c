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
