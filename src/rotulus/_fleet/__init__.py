"""A supervisor and its processes: start them, watch them, take back what they held."""
