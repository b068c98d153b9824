"""Uvicorn's worker for Gunicorn, with its loop and its parser stated.

A class of one's own is the documented way to configure it; it takes keep-alive and backlog from
Gunicorn's flags.
"""

from typing import Any

from uvicorn_worker import UvicornWorker


class Worker(UvicornWorker):  # type: ignore[misc]  # it has no types
    """As the server `uvicorn`: `auto` would take what happens to be installed."""

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012  (the original's name and kind)
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        "access_log": False,
    }
