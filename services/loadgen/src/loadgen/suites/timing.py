"""How long a suite's trials last, and how they count."""

from dataclasses import dataclass
from typing import Literal

#: How a row counts its requests, see Timing.
Accounting = Literal["due", "answered"]

#: So much longer than its service time does a view's client wait, and whoever waits for the view.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Timing:
    """How a suite's trials are timed and counted.

    Attributes:
        warm_up_s: load before the window; None: until the load is steady.
        window_s: length of the window; None: the protocol's own rule. A ramp or a counted load
            brings its own.
        drain_s: how much longer than its service time a request is followed after the window.
        accounting: `due` counts the requests due in the window and follows them through the
            drain; `answered` counts those answered in it, as Locust and hey do.
        share: of warm-up and window, what a suite with a time limit can afford, 0 to 1.
        is_limited: the suite has a time limit, so no trial takes longer than was planned.
    """

    warm_up_s: float | None
    window_s: float | None
    drain_s: float
    accounting: Accounting
    share: float = 1.0
    is_limited: bool = False


def duration(seconds: float) -> str:
    """Seconds as a person says them: `45 s`, `3 min 05 s`, `1 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
