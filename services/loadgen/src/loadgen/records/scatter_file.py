"""scatter.json of results/: how much this machine's measurements have scattered, run by run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from loadgen.errors import ConfigurationError
from loadgen.records.files import replace_text

SCATTER_FILE = "scatter.json"
#: Of each machine the newest runs are kept; older ones would weigh next to nothing.
MOST_RUNS = 40


@dataclass(frozen=True)
class Spread:
    """How much the differences of pairs have scattered over the rounds of a run.

    Attributes:
        metric: the column of trials.csv.
        by: `trials` or `duet`: how the pairs were measured.
        busy_from: of the app's CPU, the share from which on they are counted here.
        sd_log: standard deviation of ln(b / a) over rounds.
        freedom: its degrees of freedom: rounds less one, summed over pairs.
        window_s: how long their windows were planned to be; None: nobody has kept it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    metric: str
    by: str
    busy_from: Annotated[float, Field(ge=0)]
    sd_log: Annotated[float, Field(ge=0)]
    freedom: Annotated[float, Field(gt=0)]
    window_s: Annotated[float, Field(ge=0)] | None = None


#: Run → its spreads, the newest last.
type SpreadsByRun = Mapping[str, Sequence[Spread]]

_FILE = TypeAdapter(dict[str, dict[str, list[Spread]]])


def read_spreads(file: Path, machine: str) -> dict[str, Sequence[Spread]]:
    """What the runs on this machine have shown, the newest last; empty where nothing is kept.

    Raises:
        ConfigurationError: the file is there and cannot be read.
    """
    return dict(_read(file).get(machine, {}))


def keep_spreads(file: Path, machine: str, run: str, spreads: Sequence[Spread]) -> None:
    """Write what a run has shown, in the place of what an earlier session of it had.

    Raises:
        ConfigurationError: what is there cannot be read, so it stays.
        OSError: the file cannot be written; what was there still is.
    """
    kept = _read(file)
    runs = {name: shown for name, shown in kept.get(machine, {}).items() if name != run}
    runs[run] = list(spreads)
    kept[machine] = dict(list(runs.items())[-MOST_RUNS:])
    document = {
        name: {each: [asdict(spread) for spread in shown] for each, shown in runs.items()}
        for name, runs in kept.items()
    }
    replace_text(file, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _read(file: Path) -> dict[str, dict[str, list[Spread]]]:
    try:
        return _FILE.validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        what = error.strerror if isinstance(error, OSError) else error.errors()[0]["msg"]
        raise ConfigurationError(
            f"{file} cannot be read ({what}): delete it, and the next runs will make a new one"
        ) from error
