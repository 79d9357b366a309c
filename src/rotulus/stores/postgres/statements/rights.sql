-- What the user of the database may do.

-- name: rights_of_user
-- Of rights, each a table, a right and a column or nothing: whether the user has them. What is not there yet
-- nobody has a right on.
SELECT wanted.value, coalesce(CASE
    WHEN split_part(wanted.value, ' ', 3) = '' THEN
      has_table_privilege(to_regclass(split_part(wanted.value, ' ', 1)), split_part(wanted.value, ' ', 2))
    WHEN EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass(split_part(wanted.value, ' ', 1))
        AND attname = split_part(wanted.value, ' ', 3)) THEN
      has_column_privilege(
        to_regclass(split_part(wanted.value, ' ', 1)), split_part(wanted.value, ' ', 3),
        split_part(wanted.value, ' ', 2))
  END, false)
FROM {each_names};

-- name: user_of_store
-- The name of the user, and whether the tables are the user's own, or those of a group of the user.
SELECT current_user, coalesce((
  SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('rotulus_jobs')), false);
