"""Facts computed from logs: tracebacks, what the model server did, HTTP answers."""
