"""The engine: claims jobs, runs them through one door, and settles what came of them."""
