"""What a duet's protocol brings home, and the slices that are cut out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from loadgen.errors import TrialError
from loadgen.records.slices import Slice, SliceSide
from loadgen.trials import accounting
from loadgen.trials.instruments import AppStats
from loadgen.trials.recording import Recording


@dataclass(frozen=True)
class DuetRecording:
    """All that was brought home from one duet.

    Attributes:
        load: arrivals a second each.
        sides: of a and of b, each as of a trial whose window are all slices.
        edges: of a and of b: the counters at each edge of a slice.
    """

    load: float
    sides: tuple[Recording, Recording]
    edges: tuple[Sequence[AppStats], Sequence[AppStats]]

    def answers(self) -> tuple[float, float]:
        """Good answers of each side over all slices."""
        slices = self.slices()
        return sum(each.a.views for each in slices), sum(each.b.views for each in slices)

    def slices(self) -> list[Slice]:
        """CPU time and good answers of both sides, slice by slice.

        Each side between its own stamps: the launchers are asked one after the other.

        Raises:
            TrialError: a side has no counter, or answered nobody in a slice.
        """
        a, b = (
            _slices_of(recording.samples, recording.start_ns, edges)
            for recording, edges in zip(self.sides, self.edges, strict=True)
        )
        first = self.sides[0].window[0]
        return [
            Slice(number, of_a.begin_s - first, of_a.end_s - first, of_a.side, of_b.side)
            for number, (of_a, of_b) in enumerate(zip(a, b, strict=True), start=1)
        ]


@dataclass(frozen=True)
class _Stretch:
    begin_s: float
    end_s: float
    side: SliceSide


def _slices_of(samples: pl.DataFrame, start_ns: int, edges: Sequence[AppStats]) -> list[_Stretch]:
    return [_stretch(samples, start_ns, *ends) for ends in pairwise(edges)]


def _stretch(samples: pl.DataFrame, start_ns: int, begin: AppStats, end: AppStats) -> _Stretch:
    begin_s, end_s = ((stats.monotonic_ns - start_ns) / 1e9 for stats in (begin, end))
    if begin.cpu_seconds is None or end.cpu_seconds is None:
        raise TrialError("no-cpu-time", "the launcher cannot read its server's CPU time")
    views = accounting.answers(samples, begin_s, end_s).parts
    cpu_seconds = end.cpu_seconds - begin.cpu_seconds
    if views <= 0 or cpu_seconds <= 0:
        raise TrialError("no-answer", "a side of the duet answered nobody in one of the slices")
    return _Stretch(begin_s, end_s, SliceSide(cpu_seconds, views))
