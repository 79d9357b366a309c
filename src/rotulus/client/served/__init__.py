"""An app that a service serves elsewhere, with the nouns and handles of `App`, for commands."""
