-- Tokens: they let senders into a service.

-- name: add_token
-- A token, unless its name is taken.
INSERT INTO rotulus_tokens (name, hash, role, created_at, expires_at)
SELECT CAST(:name AS text), CAST(:digest AS text), CAST(:role AS text), now, now + CAST(:expires AS bigint)
FROM {moment} WHERE true
ON CONFLICT (name) DO NOTHING
RETURNING {token_columns};

-- name: all_tokens
-- Every token, by name.
SELECT {token_columns} FROM rotulus_tokens ORDER BY name;

-- name: find_token
-- The token with a hash, while it is valid.
SELECT {token_columns} FROM rotulus_tokens
WHERE hash = CAST(:digest AS text) AND (expires_at IS NULL OR expires_at > {now});

-- name: note_use_of_token
-- A token is used now, unless that was noted a short time ago.
UPDATE rotulus_tokens SET last_used_at = {now}
WHERE hash = CAST(:digest AS text)
  AND (last_used_at IS NULL OR last_used_at <= {now} - CAST(:apart AS bigint));

-- name: remove_tokens
-- Tokens are not valid any more.
DELETE FROM rotulus_tokens WHERE name {in_names} RETURNING name;
