-- For workers: they run jobs, fire schedules, and delete what is old.
GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_jobs, rotulus_needs, rotulus_attempts, rotulus_starts,
  rotulus_workers, rotulus_outbox, rotulus_labels, rotulus_logs, rotulus_stats, rotulus_stats_new,
  rotulus_listening, rotulus_changes, rotulus_changes_new, rotulus_limit_heads TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_schedules, rotulus_revisions TO :"role";
-- They delete what is old of the audit, and tell webhooks of changes.
GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_audit, rotulus_webhooks TO :"role";
GRANT SELECT, UPDATE (last_used_at) ON rotulus_tokens TO :"role";
GRANT SELECT ON rotulus_records, rotulus_pauses, rotulus_limit_terms, rotulus_mutes, rotulus_migrations TO :"role";
