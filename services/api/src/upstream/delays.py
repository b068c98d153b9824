"""Delays as they stand in a URL."""

import re
from decimal import ROUND_CEILING, Decimal

LONGEST_MS = 60_000
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?")


class BadDelayError(ValueError):
    """A text that is no delay; its message says what would be one."""


def parse_delay(text: str) -> int:
    """Nanoseconds of a delay given in milliseconds, such as `300` or `62.5`.

    A part of a nanosecond counts as a whole one, so that no answer is early.
    """
    if not NUMBER.fullmatch(text) or Decimal(text) > LONGEST_MS:
        raise BadDelayError(
            f"the delay {text[:40]!r} is not a number of milliseconds from 0 to {LONGEST_MS}"
        )
    return int((Decimal(text) * 1_000_000).to_integral_value(ROUND_CEILING))
