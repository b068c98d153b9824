"""What a duet recorded → its two rows, one a side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.duets.duet import Duet
from loadgen.duets.load import GivenUpError, check_equal_load
from loadgen.duets.recording import DuetRecording
from loadgen.errors import TrialError
from loadgen.records.columns import BOUNDED, Row
from loadgen.records.slices import Slice, SliceSide
from loadgen.suites.pairs import CPU_METRIC
from loadgen.trials import caveats
from loadgen.trials.rows import REFERENCE_PROBE_MS, failed_row, measured_row

#: CPU per view at the speed of the reference CPU.
REFERENCE_METRIC = "app_cpu_reference_ms_per_view"
#: Beside another server a row tells neither throughput nor latency, nor what held them back. How
#: many views it answered stays: its CPU per view is of that load.
NOT_OF_A_DUET = (
    *("rps", "ended_rps", "max_rps", "inflight_mean", "inflight_growth"),
    *("min_ms", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "sent_p95_ms"),
    *("users_ceiling_rps", "slots_ceiling_rps", "pool_ceiling_rps"),
    *("cpu_ceiling_rps", "cpu_ceiling_kind", "bound_by", "ceiling_share"),
    # What an instrument did, it did to both; that their loads were equal is checked.
    *(f"{metric}_bound" for metric in BOUNDED),
)
#: These warn of throughput and latency.
WARNS_OF_OTHERS = frozenset(
    caveat.name
    for caveat in (
        *(caveats.AT_CEILING, caveats.CENSORED, caveats.TOO_FEW, caveats.STARVED),
        *(caveats.UNSTEADY, caveats.IN_STEP, caveats.UNEVEN, caveats.ONE_AT_A_TIME),
    )
)


@dataclass(frozen=True)
class MeasuredDuet:
    """A duet that was measured.

    Attributes:
        rows: of a and of b.
        slices: what they are made of.
    """

    rows: tuple[Row, Row]
    slices: Sequence[Slice]


def measured_duet(duet: Duet, recording: DuetRecording) -> MeasuredDuet:
    """The rows of a duet that was measured.

    CPU per view is the geometric mean over the slices, so that ln(b / a) of the rows is the mean of
    the slices' ln(b / a).

    Raises:
        TrialError: its sides had no equal load, or made more than can be.
    """
    slices = recording.slices()
    of_a, of_b = [each.a for each in slices], [each.b for each in slices]
    a, b = (
        _row(duet, recording, number, side_slices) for number, side_slices in ((0, of_a), (1, of_b))
    )
    # What failed is missing among the answers: such a round is not ranked, and says no more.
    if not any(map(caveats.spoilt_by_failures, (a, b))):
        check_equal_load(duet, recording.answers(), recording.load)
    return MeasuredDuet((a, b), slices)


def failed_rows(duet: Duet, reason: TrialError) -> tuple[Row, Row]:
    """The rows of a duet that could not be measured; of one that was given up with the load at
    which that was.
    """
    loaded = duet.under(reason.load) if isinstance(reason, GivenUpError) else duet.sides
    a, b = (
        failed_row(with_its_load, reason.outcome) | {"case": side.case.slug}
        for with_its_load, side in zip(loaded, duet.sides, strict=True)
    )
    return a, b


def _row(duet: Duet, recording: DuetRecording, number: int, slices: Sequence[SliceSide]) -> Row:
    loaded = duet.under(recording.load)[number]
    row = measured_row(loaded, recording.sides[number])
    cpu_ms = math.exp(sum(math.log(each.cpu_ms_per_view) for each in slices) / len(slices))
    probe_ms = row.number("probe_ms")
    # What the API or the driver was late, both sides were. CPU of other sets is one's own, and so
    # is that of what failed.
    is_ranked = caveats.MORE_CPU.name not in row.caveats and not caveats.spoilt_by_failures(row)
    return row | {
        **dict.fromkeys(NOT_OF_A_DUET),
        "case": duet.sides[number].case.slug,
        "slices": len(slices),
        "ranked": "yes" if is_ranked else "no",
        CPU_METRIC: cpu_ms,
        REFERENCE_METRIC: cpu_ms * REFERENCE_PROBE_MS / probe_ms if probe_ms else None,
        "caveats": " ".join(name for name in row.caveats if name not in WARNS_OF_OTHERS),
    }
