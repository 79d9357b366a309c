"""The app: puts a store, a registry and an engine together, and answers for them."""
