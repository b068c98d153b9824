"""slices/: of each duet the stretches of which its CPU per view is the mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from loadgen.records.columns import COUNT, NUMBER, Column
from loadgen.records.files import write_csv


@dataclass(frozen=True)
class SliceSide:
    """What one server did in a slice.

    Attributes:
        cpu_seconds: of its process tree.
        views: good answers, one that lies partly in the slice counted by that part.
    """

    cpu_seconds: float
    views: float

    @property
    def cpu_ms_per_view(self) -> float:
        """The one by the other, milliseconds."""
        return 1000 * self.cpu_seconds / self.views


@dataclass(frozen=True)
class Slice:
    """A stretch in which both servers were under load.

    Attributes:
        number: 1, 2, …
        begin_s, end_s: of a, seconds from the first slice's start; b's stamps are some
            milliseconds away.
        a, b: what each did.
    """

    number: int
    begin_s: float
    end_s: float
    a: SliceSide
    b: SliceSide


#: Of the files in slices/.
COLUMNS = (
    Column("slice", COUNT, "number of the slice, from 1"),
    Column("begin_s", NUMBER, "when the slice began, from the first slice's start", unit="s"),
    Column("end_s", NUMBER, "when it ended, from the first slice's start", unit="s"),
    *(
        column
        for side in ("a", "b")
        for column in (
            Column(f"{side}_cpu_seconds", NUMBER, f"CPU time of {side}'s process tree", unit="s"),
            Column(f"{side}_views", NUMBER, f"good answers of {side}, parts of them too"),
            Column(
                f"{side}_cpu_ms_per_view",
                NUMBER,
                f"{side}_cpu_seconds / {side}_views",
                unit="ms",
            ),
        )
    ),
)


def write_slices(slices: Iterable[Slice], file: Path) -> None:
    """The CSV of a duet, in COLUMNS."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        (
            *(each.number, each.begin_s, each.end_s),
            *(each.a.cpu_seconds, each.a.views, each.a.cpu_ms_per_view),
            *(each.b.cpu_seconds, each.b.views, each.b.cpu_ms_per_view),
        )
        for each in slices
    )
    write_csv(file, (column.name for column in COLUMNS), lines)
