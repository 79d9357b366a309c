"""The app whose tasks are pushed."""
