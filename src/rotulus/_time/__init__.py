"""Clocks, cron expressions, schedules, and delays."""
