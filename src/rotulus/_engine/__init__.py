"""The engine: claims, runs and settles jobs, extends their leases, and does background duties."""
