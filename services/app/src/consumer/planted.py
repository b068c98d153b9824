"""Work that the lab's self-tests plant in a server, to see whether it finds the difference.

Off, except in the services of the profile `selftest`, whose environment says how much of it:
LAB_PLANTED_WAIT_MS, a wait after the upstream calls, and LAB_PLANTED_CPU_MS, CPU time of the view's
own thread; milliseconds for each view, 0 if not given.
"""

import asyncio
import math
import os
import time


def _milliseconds(variable: str) -> float:
    """Raises ValueError, which ends the server's start, where the variable is no duration."""
    text = os.environ.get(variable, "0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1000:
        raise ValueError(f"{variable} is {text!r}: it must be milliseconds from 0 to 1000")
    return value


WAIT_MS = _milliseconds("LAB_PLANTED_WAIT_MS")
CPU_MS = _milliseconds("LAB_PLANTED_CPU_MS")


def wait() -> None:
    """The planted wait of a sync view."""
    if WAIT_MS:
        time.sleep(WAIT_MS / 1000)


async def wait_async() -> None:
    """The planted wait of an async view."""
    if WAIT_MS:
        await asyncio.sleep(WAIT_MS / 1000)
