"""The app whose tasks are measured."""
