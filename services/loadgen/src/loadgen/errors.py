"""The two ways in which the lab says no."""


class ConfigurationError(Exception):
    """What the reader wrote or forgot: says what is wrong, where, and what to do. Exit 2."""


class TrialError(Exception):
    """A trial could not be measured.

    Attributes:
        outcome: a short slug for the `outcome` column, e.g. `server-did-not-start`.
        details: lines that help to find the cause, e.g. the server's last log lines.
    """

    def __init__(self, outcome: str, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.details = details
