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


def usable_cpus(app_cpus: int, processes: int, *, many_each: bool = False) -> int:
    """C: a Python process uses one CPU at a time, unless it computes outside of Python too."""
    return app_cpus if many_each else min(app_cpus, processes)


def full_share(busy: float, cpus: float, others: float, at_most: float) -> float | None:
    """How much of the CPU time that somebody could have had was used: 1 is full.

    Args:
        busy: CPU seconds a second of the one who is asked about.
        cpus: of its set.
        others: CPU seconds a second that others used there.
        at_most: CPUs that it can use at once: 1 of a single process without native threads.

    Returns:
        A share up to 1; None where nothing was left.
    """
    left = min(cpus - others, at_most)
    return min(busy / left, 1.0) if left > 0 else None


def cpu_ceiling_kind(busy_share: float) -> str:
    """`measured` where this share of the usable CPUs was busy, else `lower-bound`."""
    return "measured" if busy_share >= BINDING_SHARE else "lower-bound"


#: A resource binds where this much of it is used.
BINDING_SHARE = 0.9
#: What binds where nothing does.
UNEXPLAINED = "unexplained"
#: Shares this near to the largest bind together.
TIE = 0.02
#: What the rounding of instants may add to a share that can be 1 at most.
TOLERANCE = 0.01


#: What nothing can make more than, by the name of the resource.
MOST_OF = {
    "users": "its users can ask for",
    "slots": "its slots allow",
    "pool": "the pool of its client allows",
}


@dataclass(frozen=True)
class Bound:
    """What held a trial back.

    Attributes:
        by: `users`, `slots`, `pool`, `cpu`, `api` or, of an open load that was served, `rate`;
            joined with + where they tie; or `unexplained`.
        share: how much of the most used of them was used, 0 to 1.
    """

    by: str
    share: float


def bound(shares: Mapping[str, float | None], tolerance: float = TOLERANCE) -> Bound | None:
    """The resource that was used up; None where none is known.

    Args:
        shares: by name: throughput by its ceiling, or busy time by time (the utilisation law makes
            them the same); None where there is no such ceiling.
        tolerance: by how much a share may exceed 1 for want of exactness.

    Raises:
        ValueError: more than all of a resource was used, so the measurement is wrong.
    """
    known = {name: share for name, share in shares.items() if share is not None}
    if not known:
        return None
    name, most = max(known.items(), key=lambda item: item[1])
    if most > 1 + tolerance:
        allowed = MOST_OF.get(name, f"{name} allows")
        raise ValueError(f"more than {allowed} ({100 * most:.1f} %)")
    if most < BINDING_SHARE:
        return Bound(UNEXPLAINED, most)
    tied = [name for name, share in known.items() if share >= most - TIE]
    return Bound("+".join(tied), min(most, 1.0))


def little_holds(inflight_mean: float, users: float, tolerance: float = 0.02) -> bool:
    """Little's law for a closed load: each user has one request in flight, all the time."""
    return abs(inflight_mean - users) <= tolerance * users


#: CPU per view falls with load, by 0.2 to 0.4 % for each percent (measured on uvicorn with aiohttp:
#: 5.8 ms at 10 users, 3.5 at 100, 2.1 at 400). So it is compared only where the rates differ by
#: less than this share, which moves it by less than the margin of 3 %.
EQUAL_LOAD_SHARE = 0.05


def is_equal_load(ratio: float) -> bool:
    """Whether two rates of this ratio are near enough to compare CPU per view."""
    return max(ratio, 1 / ratio) - 1 <= EQUAL_LOAD_SHARE
