"""What no flag of Hypercorn can say; it reads this module (`--config python:…`)."""

keep_alive_max_requests = 1_000_000_000
"""Requests after which a connection is closed (1000): as in the other servers, never."""
