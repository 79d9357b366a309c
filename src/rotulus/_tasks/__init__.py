"""Tasks: how they are declared and registered, and how their calls are bound and filled."""
