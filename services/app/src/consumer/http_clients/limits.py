"""What every client is held to, in one place."""

PATIENCE_S = 30.0
"""How much longer than its view takes at best a call may wait: so any delay can be measured."""

CONNECTIONS_MAX = 2000 * 3
"""Connections of a shared client: 2000 views of three calls must never queue for one."""

KEEP_ALIVE_S = 30.0
"""How long a shared client keeps an idle connection; shorter than the upstream does."""

THREADS_MAX = CONNECTIONS_MAX
"""Threads of a process for the calls of sync views. They are made on demand: only a bound."""


def timeout_s(service_time_ms: float) -> float:
    """Seconds that a call waits at most, of a view with that service time in milliseconds.

    For a connection, for a place in a pool, to write, and for a byte of the answer: each alike.
    """
    return service_time_ms / 1000 + PATIENCE_S
