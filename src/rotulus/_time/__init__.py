"""Clocks, cron expressions, schedules, and how long to wait."""
