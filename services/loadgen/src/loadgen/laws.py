"""Laws of queueing that bound a trial: pure functions, seconds and requests per second.

P. J. Denning & J. P. Buzen, "The Operational Analysis of Queueing Network Models", ACM Computing
Surveys 10(3), 1978; J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations Research
9(3), 1961.
"""


def users_ceiling_rps(users: float | None, service_time_s: float) -> float | None:
    """N users without think time ask for at most N / S (Little's law with the shortest W)."""
    return users / service_time_s if users and service_time_s else None


def slots_ceiling_rps(slots: int | None, service_time_s: float) -> float | None:
    """A server that holds k requests finishes at most k / S of them a second (Little's law)."""
    return slots / service_time_s if slots and service_time_s else None
