"""Django's migrations: each applies one migration of the store, unless it has been applied."""
