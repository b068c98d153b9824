"""Laws of queueing that bound a trial: pure functions, seconds and requests per second.

P. J. Denning & J. P. Buzen, "The Operational Analysis of Queueing Network Models", ACM Computing
Surveys 10(3), 1978; J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations Research
9(3), 1961.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def users_ceiling_rps(users: float | None, service_time_s: float) -> float | None:
    """N users without think time ask for at most N / S (Little's law with the shortest W)."""
    return users / service_time_s if users and service_time_s else None


def slots_ceiling_rps(slots: int | None, service_time_s: float) -> float | None:
    """A server that holds k requests finishes at most k / S of them a second (Little's law)."""
    return slots / service_time_s if slots and service_time_s else None


def pool_ceiling_rps(
    processes: int, connections: int | None, delays_s: Sequence[float]
) -> float | None:
    """A view holds a connection for each of its calls: p × c of them serve p × c / Σ delays views.

    None where the pool is unbounded or the view makes no call.
    """
    total_s = sum(delays_s)
    return processes * connections / total_s if connections and total_s else None


def cpu_ceiling_rps(cpus: float, cpu_s_per_view: float | None) -> float | None:
    """C / D: the utilisation law U = X·D with U ≤ C.

    A ceiling only where it was measured near saturation: D falls with load, so below that it is no
    more than a lower bound of the ceiling.
    """
    return cpus / cpu_s_per_view if cpu_s_per_view else None


def usable_cpus(app_cpus: int, processes: int) -> int:
    """C: a Python process uses one CPU at a time."""
    return min(app_cpus, processes)


#: A ceiling binds where throughput reaches this share of it, and the CPU where it is this busy.
BINDING_SHARE = 0.9
#: Ceilings within this ratio of the smallest bind together.
TIE = 1.02
#: What rounding of instants may add to a share that can be 1 at most.
TOLERANCE = 1.01


@dataclass(frozen=True)
class Bound:
    """What held a trial back.

    Attributes:
        by: `users`, `slots`, `pool` or `cpu`, joined with + where they tie, or `unexplained`.
        share: throughput by the smallest ceiling, 0 to 1.
    """

    by: str
    share: float


def bound(rps: float, ceilings: Mapping[str, float | None]) -> Bound | None:
    """The smallest ceiling, and how near the throughput came to it; None without any ceiling.

    Args:
        rps: throughput in the window.
        ceilings: by name; None where there is none, a CPU ceiling only where measured near
            saturation.

    Raises:
        ValueError: throughput above a ceiling, which cannot be: the measurement is wrong.
    """
    known = {name: ceiling for name, ceiling in ceilings.items() if ceiling}
    if not known:
        return None
    smallest = min(known.values())
    share = rps / smallest
    if share > TOLERANCE:
        raise ValueError(f"{rps:.2f}/s is above a ceiling of {smallest:.2f}/s ({known})")
    if share < BINDING_SHARE:
        return Bound("unexplained", share)
    tied = [name for name, ceiling in known.items() if ceiling <= smallest * TIE]
    return Bound("+".join(tied), min(share, 1.0))


def little_holds(inflight_mean: float, users: float, tolerance: float = 0.02) -> bool:
    """Little's law for a closed load: each user has one request in flight, all the time."""
    return abs(inflight_mean - users) <= tolerance * users
