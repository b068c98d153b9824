"""The figures by which a driver is compared with the API's own record."""

from dataclasses import dataclass

import polars as pl

from loadgen.trials import accounting


@dataclass(frozen=True)
class Figures:
    """What somebody says of a load; None where it cannot be known.

    Attributes:
        requests: how many there were.
        failures: how many of them failed.
        rps: good answers by the time from the first request to the last answer.
        p50_ms, p95_ms, p99_ms: latency; a failed request ranks as infinitely slow.
    """

    requests: int
    failures: int
    rps: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


def figures_of(samples: pl.DataFrame) -> Figures:
    """The figures of a whole load, by the same measures as a trial's."""
    begin, end = samples["sent_s"].min(), samples["answered_s"].max()
    rps = None
    if isinstance(begin, float) and isinstance(end, float):
        rps = accounting.answers(samples, begin, end).parts / (end - begin)
    return Figures(
        requests=samples.height,
        failures=samples["failure"].count(),
        rps=rps,
        **accounting.latency(samples).percentiles,
    )
