-- For programs that enqueue jobs and ask what became of them.
GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT, INSERT ON rotulus_jobs TO :"role";
-- Keys are released, debounced jobs take what newer ones bring, and groups wait for more jobs or are closed.
GRANT UPDATE (held_key, arguments, labels, headers, run_at, expires_at, state, waits_for) ON rotulus_jobs
  TO :"role";
GRANT DELETE ON rotulus_labels, rotulus_needs TO :"role";
GRANT SELECT, INSERT ON rotulus_needs, rotulus_labels TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_outbox TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_schedules, rotulus_revisions TO :"role";
-- A service that is such a program knows its callers, and writes down what they do.
GRANT SELECT, UPDATE (last_used_at) ON rotulus_tokens TO :"role";
GRANT SELECT, INSERT, UPDATE ON rotulus_audit TO :"role";
GRANT INSERT ON rotulus_stats_new TO :"role";
GRANT SELECT ON rotulus_stats, rotulus_stats_new TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_listening, rotulus_changes, rotulus_changes_new TO :"role";
GRANT SELECT ON rotulus_records, rotulus_logs, rotulus_attempts, rotulus_pauses, rotulus_starts,
  rotulus_workers, rotulus_limit_terms, rotulus_mutes, rotulus_migrations TO :"role";
