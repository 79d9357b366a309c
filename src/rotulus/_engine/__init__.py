"""The engine: claims jobs, renews their leases, runs them through one door, settles outcomes."""
