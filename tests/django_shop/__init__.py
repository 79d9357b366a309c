"""An app of Django whose tasks are pushed."""
