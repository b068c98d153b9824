"""What every client is held to, in one place."""

TIMEOUT_S = 60.0
"""Longest wait for a connection, for a byte of the answer, to write, and for a place in a pool."""

CONNECTIONS_MAX = 2000 * 3
"""Connections of a shared client: 2000 views of three calls must never queue for one."""

KEEP_ALIVE_S = 30.0
"""How long a shared client keeps an idle connection; shorter than the upstream does."""

THREADS_MAX = CONNECTIONS_MAX
"""Threads of a process for the calls of sync views. They are made on demand: only a bound."""
