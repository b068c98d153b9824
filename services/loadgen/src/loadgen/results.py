"""A run's folder: rows are written as they are made, so that an interrupted run keeps them."""

import csv
import shutil
from datetime import UTC, datetime
from pathlib import Path

from loadgen import environment
from loadgen.columns import TRIALS, Row, parse, text
from loadgen.drivers.registry import DRIVERS
from loadgen.errors import ConfigurationError
from loadgen.lab import SUITES, Lab
from loadgen.rows import Recording
from loadgen.samples import write_samples
from loadgen.summary import write_summary
from loadgen.trial import Trial


class Results:
    """The folder of one run.

    Args:
        lab: where the run takes place.
        suites: the suites as asked for.
        description: the environment, as `environment.describe` gives it.

    Raises:
        ConfigurationError: results/ cannot be written.
    """

    def __init__(self, lab: Lab, suites: list[str], description: dict[str, object]) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{'+'.join(suites)}"
        self.folder = lab.results / name
        self.rows: list[Row] = []
        self._description = description
        try:
            self.folder.mkdir()
        except OSError as error:
            raise ConfigurationError(
                f"results/ cannot be written ({error.strerror}): make it a folder that you own"
            ) from error
        self._copy_inputs(lab)
        environment.write(self.folder / "environment.json", description)
        self._stream = (self.folder / "trials.csv").open("w", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(column.name for column in TRIALS)
        self._stream.flush()

    def raw_folder(self, trial: Trial) -> Path:
        """Where the driver of a trial leaves its own files."""
        return self.folder / trial.case.driver / trial.name

    def keep(self, trial: Trial, row: Row, recording: Recording | None) -> None:
        """Append a row at once, and write the samples behind it."""
        cells = {column.name: text(row[column.name]) for column in TRIALS}
        # The digits of the file, so that `report` prints the same tables as the run did.
        self.rows.append(parse(cells))
        self._writer.writerow(cells.values())
        self._stream.flush()
        if recording is None:
            return
        write_samples(
            recording.samples,
            recording.window[0],
            self.folder / "samples" / f"{trial.name}.csv.gz",
        )
        for name in DRIVERS[trial.case.driver].scratch:
            (self.raw_folder(trial) / name).unlink(missing_ok=True)

    def finish(self, outcome: str) -> None:
        """Write summary.csv and how the run ended."""
        self._stream.close()
        write_summary(self.rows, self.folder / "summary.csv")
        finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        ended = self._description | {"outcome": outcome, "finished_at": finished_at}
        environment.write(self.folder / "environment.json", ended)

    def _copy_inputs(self, lab: Lab) -> None:
        """Copies of what was run: an edit afterwards must not change the meaning of a run."""
        shutil.copytree(lab.project / SUITES, self.folder / "suites")
        for name in ("compose.yaml", "compose.override.yaml"):
            if (lab.project / name).exists():
                shutil.copy(lab.project / name, self.folder / name)


def read_rows(folder: Path) -> list[Row]:
    """The rows of an earlier run.

    Raises:
        ConfigurationError: the folder is no run, or its trials.csv is not ours.
    """
    try:
        with (folder / "trials.csv").open(newline="") as stream:
            return [parse(line) for line in csv.DictReader(stream)]
    except FileNotFoundError:
        raise ConfigurationError(f"{folder} is no run: it has no trials.csv") from None
    except (KeyError, ValueError) as error:
        raise ConfigurationError(f"{folder}/trials.csv cannot be read: {error}") from error
