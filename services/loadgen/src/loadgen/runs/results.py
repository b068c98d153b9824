"""A run's folder: rows are written as they are made, so that an interrupted run keeps them."""

import csv
import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadgen.drivers.registry import DRIVERS
from loadgen.duets.duet import Duet, Measurement
from loadgen.duets.recording import DuetRecording
from loadgen.duets.rows import MeasuredDuet, failed_rows
from loadgen.errors import ResultsLostError, TrialError, unwritable
from loadgen.findings import drift
from loadgen.findings.capacity import write_capacities
from loadgen.findings.comparisons import write_comparisons
from loadgen.findings.earlier_run import AS_MEASURED, Run, as_measured
from loadgen.findings.summary import write_summary
from loadgen.findings.waterfalls import write_waterfalls
from loadgen.lab.app_registry import COPY
from loadgen.lab.lab import SUITES, Lab
from loadgen.records import environment
from loadgen.records.columns import TRIALS, Row, cell_text, parse_line
from loadgen.records.files import new_folder, write_csv
from loadgen.records.samples import write_samples
from loadgen.records.slices import write_slices
from loadgen.records.trials_csv import TRIALS_CSV, write_table
from loadgen.suites.suite import Suite
from loadgen.trials.recording import PROBE_COLUMNS, Recording
from loadgen.trials.trial import Trial

#: The folder of what the probe said of each trial's CPU, second by second.
PROBE = "probe"
#: A disk with less than this is full: a trial's own files may need as much.
LEAST_ROOM_BYTES = 64 * 1024
#: Errors that say that results/ takes no more, whoever in a trial meets them.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Results:
    """The folder of one run; it exists, and tells at every instant how far the run has come.

    Args:
        folder: where to.
        suites: the suites whose cases are measured.
        environment: the state of environment.json, with its sessions, the last of them ours.
        rows: those that an earlier session has left.
        count: trials of the whole run.

    Attributes:
        rows: all rows so far.
        at: how far the run has come: `trial 7 of 24`.
    """

    def __init__(
        self,
        folder: Path,
        suites: Sequence[Suite],
        environment: dict[str, Any],
        rows: Iterable[Row],
        count: int,
    ) -> None:
        self.folder = folder
        self.rows = list(rows)
        self._suites = suites
        self._environment = environment
        self._count = count
        self.at = "the start"

    @property
    def as_run(self) -> Run:
        """The run so far, as documents take it."""
        return Run(self.folder, self._suites, self.rows, self._environment)

    @property
    def tally(self) -> str:
        """What there is of the run, and where."""
        places = len({row["position"] for row in self.rows})
        return f"{places} of {self._count} trials are in results/{self.folder.name}/"

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """What of the environment is not as it was when the run began."""
        changes: dict[str, dict[str, Any]] = self._environment["sessions"][-1]["changes"]
        return changes

    def begin(self, trial: Measurement) -> None:
        """Say which trial is under way, for whoever finds the folder of a run that was killed."""
        self.at = f"trial {trial.position} of {self._count}"
        self.note(outcome=f"unfinished: at {self.at}")

    def note(self, **facts: object) -> None:
        """Add facts to environment.json: above stands what is so now, each session keeps its own.

        Raises:
            ResultsLostError: it cannot be written.
        """
        for document in (self._environment, self._environment["sessions"][-1]):
            document.update(facts)
        with self._writing():
            environment.write(self.folder / "environment.json", self._environment)

    def raw_folder(self, trial: Trial) -> Path:
        """Where the driver of a trial leaves its own files."""
        return self.folder / trial.case.driver / trial.name

    def keep(self, trial: Trial, row: Row, recording: Recording | None) -> None:
        """Write a trial's samples, then append its row: a row has its samples.

        Raises:
            ResultsLostError: they cannot be written; the table holds whole rows only.
        """
        self._keep([(trial, row, recording)])

    def keep_duet(self, duet: Duet, measured: MeasuredDuet, recording: DuetRecording) -> None:
        """The same of both sides at once, and the slices of which their CPU per view is the mean.

        Raises:
            ResultsLostError: they cannot be written; the table holds both rows or none.
        """
        with self._writing():
            write_slices(measured.slices, self.folder / "slices" / f"{duet.name}.csv")
        self._keep(list(zip(duet.sides, measured.rows, recording.sides, strict=True)))

    def keep_failed_duet(self, duet: Duet, reason: TrialError) -> None:
        """The rows of a duet that could not be measured.

        Raises:
            ResultsLostError: they cannot be written; the table holds both rows or none.
        """
        rows = failed_rows(duet, reason)
        self._keep([(side, row, None) for side, row in zip(duet.sides, rows, strict=True)])

    def _keep(self, kept: Sequence[tuple[Trial, Row, Recording | None]]) -> None:
        session = len(self._environment["sessions"])
        rows = [row | {"session": session} for _, row, _ in kept]
        lines = [{column.name: cell_text(row[column.name]) for column in TRIALS} for row in rows]
        with self._writing():
            for trial, _, recording in kept:
                if recording is not None:
                    write_samples(
                        recording.samples,
                        recording.window[0],
                        self.folder / "samples" / f"{trial.name}.csv.gz",
                    )
                    self._keep_probe(trial, recording)
            _append(self.folder / TRIALS_CSV, (line.values() for line in lines))
            for trial, _, recording in kept:
                if recording is not None:
                    self._tidy(trial)
        # The digits of the file, so that `report` prints the same tables as the run did.
        self.rows += map(parse_line, lines)

    def _keep_probe(self, trial: Trial, recording: Recording) -> None:
        if recording.probe is None:
            return
        (self.folder / PROBE).mkdir(exist_ok=True)
        write_csv(
            self.folder / PROBE / f"{trial.name}.csv",
            (column.name for column in PROBE_COLUMNS),
            recording.probe_lines,
        )

    def _tidy(self, trial: Trial) -> None:
        """Remove what samples/ has now; and folders that are empty then."""
        raw = self.raw_folder(trial)
        for name in DRIVERS[trial.case.driver].scratch:
            (raw / name).unlink(missing_ok=True)
        for folder in (raw, raw.parent):
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()

    def check_room(self) -> None:
        """Raises ResultsLostError where results/ is full: whatever failed, failed of that."""
        if shutil.disk_usage(self.folder).free < LEAST_ROOM_BYTES:
            raise self._lost(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A block that writes into the folder among other things.

        Raises:
            ResultsLostError: the disk is full or has become read-only.
        """
        try:
            yield
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            raise self._lost(error) from error

    def finish(self, outcome: str) -> None:
        """Judge `cpu-drift`, write summary.csv, the files of comparisons, waterfalls and searches,
        and the end.

        The CPU of a trial is held against that of all trials, which nobody knew when it was made.
        """
        judged = drift.judged(self.rows)
        with self._writing():
            if judged != self.rows:
                write_table(self.folder / TRIALS_CSV, judged)
                self.rows = judged
            write_summary(self.rows, self.folder / "summary.csv")
            write_comparisons(self._suites, self.rows, self.folder / "comparisons.csv")
            write_waterfalls(self._suites, self.rows, self.folder / "waterfall.csv")
            write_capacities(self._suites, self.rows, self.folder / "capacity.csv")
        self.note(
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
            outcome=outcome,
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A block in which every OSError is of the folder."""
        try:
            yield
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> ResultsLostError:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "is full" if full else f"can no longer be written ({error.strerror})"
        return ResultsLostError(f"results/ {what}: {self.tally}")


def create(lab: Lab, suites: Sequence[Suite], description: dict[str, Any], count: int) -> Results:
    """The folder of a new run, named after the time and the suites as asked for.

    Args:
        lab: where the run takes place.
        suites: the suites whose cases are measured.
        description: the environment, as `machine.describe` gives it.
        count: trials of the run.

    Raises:
        ConfigurationError: results/ cannot be written.
    """
    asked = "+".join(description["arguments"]["suites"])
    described = description | {
        AS_MEASURED: as_measured(suites),
        "sessions": [session(description, changes={})],
    }
    try:
        folder = new_folder(lab.results, asked)
    except OSError as error:
        raise unwritable(error) from error
    try:
        # Copies of what is run: an edit afterwards must not change the meaning of a run.
        shutil.copytree(lab.project / SUITES, folder / "suites")
        for name in ("compose.yaml", "compose.override.yaml"):
            if (lab.project / name).exists():
                shutil.copy(lab.project / name, folder / name)
        environment.write(folder / COPY, lab.app.model_dump(mode="json", exclude_defaults=True))
        environment.write(folder / "environment.json", described)
        write_table(folder / TRIALS_CSV, ())
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise unwritable(error) from error
    return Results(folder, suites, described, (), count)


def session(description: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """One sitting of a run: when, how it ended, what of the environment had changed.

    Whatever else the description says that is not compared (a check before the run) is of the
    sitting too.
    """
    elsewhere = {*environment.COMPARED, "arguments", "sessions"}
    own = {key: value for key, value in description.items() if key not in elsewhere}
    return own | {"changes": dict(changes)}


def _append(file: Path, lines: Iterable[Iterable[str]]) -> None:
    """Append lines, all of them whole or none at all."""
    size = file.stat().st_size if file.exists() else 0
    try:
        with file.open("a", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(lines)
    except OSError:
        with suppress(OSError):  # the first error says more
            os.truncate(file, size)
        raise
