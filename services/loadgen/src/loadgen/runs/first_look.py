"""A run of several rounds shows its tables after the first one: who has seen enough stops there."""

from collections.abc import Sequence

from rich.console import Console

from loadgen.documents.few_rounds import KnownScatter
from loadgen.documents.run_material import of_rows
from loadgen.duets.duet import Measurement
from loadgen.records.columns import Row
from loadgen.reports.run_report import print_report
from loadgen.suites.suite import Suite

#: Who has to wait for less is not shown the same tables twice.
LEAST_TO_COME_S = 240.0


class FirstLook:
    """Prints what there is once, between the first round and the second.

    Args:
        console: where to.
        suites: what is asked.
        rounds: of the run.
        scatter: what rounds have scattered by on this machine; None: nothing is kept.
    """

    def __init__(
        self,
        console: Console,
        suites: Sequence[Suite],
        rounds: int,
        scatter: KnownScatter | None = None,
    ) -> None:
        self._console = console
        self._suites = suites
        self._rounds = rounds
        self._scatter = scatter
        self._round: int | None = None

    def before(self, trial: Measurement, rows: Sequence[Row], left_s: float) -> None:
        """A trial comes next; the first of the second round comes after what was shown.

        Args:
            trial: that comes next.
            rows: so far.
            left_s: about how long the run takes yet.

        Of a run that is resumed later than that nothing is shown: it has been before.
        """
        is_due = self._round == 1 and trial.round > 1 and left_s >= LEAST_TO_COME_S
        self._round = trial.round
        if is_due:
            print_report(self._console, of_rows(self._suites, rows, self._scatter))
            words = f"Round 1 of {self._rounds} is done. Ctrl-C stops the run here and keeps it."
            self._console.print(f"\n{words}\n", style="bold")
