"""Gunicorn's own ASGI worker, with the backlog that it is given."""

from functools import partial

from gunicorn.workers.gasgi import ASGIWorker


class Worker(ASGIWorker):  # type: ignore[misc]  # it has no types
    """Honours `--backlog`.

    The original listens again on Gunicorn's socket through its loop, whose default of 100 then
    holds (27.0.1, `ASGIWorker._serve`). The loop stays the one that it was: requests use it too.
    """

    def _setup_event_loop(self) -> None:
        super()._setup_event_loop()
        self.loop.create_server = partial(self.loop.create_server, backlog=self.cfg.backlog)
