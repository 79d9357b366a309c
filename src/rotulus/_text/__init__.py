"""Names, ids and JSON text: checks and conversions."""
