-- For people and dashboards that only look.
GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT ON rotulus_jobs, rotulus_records, rotulus_needs, rotulus_attempts, rotulus_pauses, rotulus_starts,
  rotulus_workers, rotulus_outbox, rotulus_labels, rotulus_schedules, rotulus_logs, rotulus_stats,
  rotulus_stats_new, rotulus_limit_heads, rotulus_limit_terms, rotulus_mutes, rotulus_migrations TO :"role";
-- A listener has changes written, and gives them positions.
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_listening, rotulus_changes, rotulus_changes_new TO :"role";
-- A service knows its callers.
GRANT SELECT, UPDATE (last_used_at) ON rotulus_tokens TO :"role";
