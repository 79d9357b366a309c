"""Django's migrations of our tables: each applies one step of the store's, unless it is there."""
