"""A supervisor and its worker processes: start them, replace them, rescue their jobs."""
