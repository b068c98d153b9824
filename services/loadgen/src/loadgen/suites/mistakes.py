"""A mistake in a suite, as its writer is told of it: file, key, and what is allowed there."""

from loadgen.errors import ConfigurationError


def mistake(suite: str, key: str, what: str) -> ConfigurationError:
    """What is wrong at a key of a suite's file."""
    return ConfigurationError(f"{suite}.toml, {key}: {what}")
