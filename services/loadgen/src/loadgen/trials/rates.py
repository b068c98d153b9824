"""Throughput, and CPU per view: both by the same count of answers."""

from dataclasses import dataclass

from loadgen.trials import accounting
from loadgen.trials.recording import CpuUse, Recording
from loadgen.trials.window_account import WindowAccount


@dataclass(frozen=True)
class Rates:
    """The columns of trials.csv that count answers.

    Attributes:
        rps: good answers by the window's length.
        app_cpu_ms_per_view: CPU time of the server by good answers between the snapshots; None
            where it is not known, or there were none.
    """

    rps: float
    app_cpu_ms_per_view: float | None


def rates_of(recording: Recording, account: WindowAccount, use: CpuUse, *, by_parts: bool) -> Rates:
    """The rates of a window.

    Args:
        recording, account, use: of the trial.
        by_parts: whether an answer that lies partly in the window counts by that part, or those
            that ended in it count.
    """

    def counted(answers: accounting.Answers) -> float:
        return answers.parts if by_parts else float(answers.ended)

    between_snapshots = accounting.answers(
        recording.samples,
        (recording.before.app.monotonic_ns - recording.start_ns) / 1e9,
        (recording.after.app.monotonic_ns - recording.start_ns) / 1e9,
    )
    views, cpu_s = counted(between_snapshots), use.app_cpu_seconds
    return Rates(
        rps=counted(account.answers) / recording.length_s,
        app_cpu_ms_per_view=cpu_s * 1000 / views if cpu_s is not None and views else None,
    )
