"""A job, its states and outcomes, and what decides whether it is tried again."""
