-- How statements are planned.

-- name: pin
-- Keep the plans of our statements what they are on a large table: a plan is made once and kept, and
-- a table that has just been filled, or emptied, has statistics that say otherwise. No statement takes
-- long enough to share it with processes that have to be started. And let the server end by itself
-- what its client has given up, or left behind (milliseconds). A transition that has waited for a lock
-- has to see what its last holder did: no longer isolation would let it.
SELECT
  set_config('jit', 'off', :local::boolean),
  set_config('default_transaction_isolation', 'read committed', :local::boolean),
  set_config('plan_cache_mode', 'force_generic_plan', :local::boolean),
  set_config('enable_seqscan', 'off', :local::boolean),
  set_config('enable_hashjoin', 'off', :local::boolean),
  set_config('enable_mergejoin', 'off', :local::boolean),
  set_config('max_parallel_workers_per_gather', '0', :local::boolean),
  set_config('statement_timeout', :timeout, :local::boolean),
  set_config('idle_in_transaction_session_timeout', '30000', :local::boolean);

-- name: unpin
-- Leave it to the planner, until the end of the transaction: for what reads whole
-- tables, and takes its time.
SELECT
  set_config('statement_timeout', :timeout, true),
  set_config('enable_seqscan', 'on', true),
  set_config('enable_hashjoin', 'on', true),
  set_config('enable_mergejoin', 'on', true);
