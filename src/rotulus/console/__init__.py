"""The console: a page that shows and steers jobs over the HTTP API. Its source is in `console/`."""
