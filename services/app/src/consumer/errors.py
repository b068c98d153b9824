"""What can go wrong in a view, each with the status that it is answered with."""


class ViewError(Exception):
    """A request that cannot be answered as asked. The message is for the client.

    Attributes:
        status: HTTP status of the answer.
        details: More members for the answer's JSON object, beside `error`.
    """

    status = 500

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class BadParameterError(ViewError):
    """A parameter is malformed or out of its bounds."""

    status = 400


class NotUsableHereError(ViewError):
    """The view or HTTP client exists, but cannot work on this server."""

    status = 400


class UnknownHttpClientError(ViewError):
    """No HTTP client of that name for this view; `known` lists those that there are."""

    status = 404


class UpstreamError(ViewError):
    """The upstream could not be reached, or its answer was wrong."""

    status = 502


class UpstreamTimeoutError(ViewError):
    """The upstream did not answer in time."""

    status = 504
