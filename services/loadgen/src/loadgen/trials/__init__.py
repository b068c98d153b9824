"""One measurement, from a fresh server to its row."""
