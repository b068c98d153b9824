"""The ways in which the lab says no."""


class ConfigurationError(Exception):
    """What the reader wrote or forgot: says what is wrong, where, and what to do. Exit 2."""


def unwritable(error: OSError) -> ConfigurationError:
    """The folder of runs takes no file."""
    return ConfigurationError(
        f"results/ cannot be written ({error.strerror or error}): make it a folder that you own, "
        "with room for a run"
    )


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


class RunStoppedError(Exception):
    """A run cannot go on: says why and what to do. Its rows are kept. Exit 1."""


class ResultsLostError(Exception):
    """A run cannot go on, and not even that can be written: results/ is full, or gone. Exit 1."""
