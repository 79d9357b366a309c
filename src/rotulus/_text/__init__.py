"""Names, ids and JSON text: what may be written where."""
