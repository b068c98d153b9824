"""CPU work of a known size, in the view's own thread."""

import time


def burn(milliseconds: float) -> None:
    """Use that much CPU time of this thread; time in which it does not run does not count."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass
