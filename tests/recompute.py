"""Recomputes the closed rows of a run from its samples, and says which of them agree.

    python tests/recompute.py RUN…

RUN is a run's folder: trials.csv, samples/ and suites/ are read, nothing else. Each row of a closed
load gets a line with what its samples give: who waited through the window, answers that ended in
it and answers by parts, X · R̄ / N of Little's law, the percentiles. Exit code 1 if a row says
something else, 2 if a run cannot be read.

It is an audit, so it shares no code with the lab, only the names of files and columns: a mistake
there must not be made here again. Python 3.11 or later, its standard library, nothing else.

What the words mean, with the window [0, W) and N users (docs/formulas.md#counting-answers):

    due        0 <= due_s < W
    good       a right answer: no failure
    ended      0 <= ended_s < W, be it with an answer, by a failure or by being given up
    starved    due before the window, not ended before its end: waited through all of it
    counted    the due and the starved requests; these are what a row's percentiles are of
    X          requests due by W
    R̄          mean of (ended_s − due_s) of the requests due
"""

import argparse
import csv
import gzip
import math
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PERCENTILES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
# A percentile is stated only where so many requests rank above it.
LEAST_ABOVE = 5
# A user of the lab's own driver whose request got no answer waits so long before it asks again.
PAUSE_S = 0.1
# Requests that were given up when the load ended have this failure.
GIVEN_UP = "unanswered"
# How far Σ response times / W + starved + pausing may be from N, as a share of N.
LITTLE_SHARE = 0.05
# How far the answers by parts may be from those that ended: a share, or times the root of N.
AGREE_SHARE, AGREE_ROOT = 0.02, 3.0
# Rows with one of these caveats state what ended in the window: by parts they would be off.
NOT_BY_PARTS = {"unsteady", "in-step"}
# Numbers in trials.csv have six digits; in samples/ seconds have six after the point, and
# milliseconds three.
SIX_DIGITS = 1e-5
MICROSECOND_MS = 1e-3
TWO_MICROSECONDS_S = 2e-6

Row = dict[str, str]


class UnreadableError(Exception):
    """A run that cannot be recomputed, with the reason and what to do."""


# ------------------------------------------------------------------------------------ definitions


@dataclass(frozen=True)
class Request:
    """A line of samples/: seconds after the window's start, milliseconds; None: an empty cell."""

    due_s: float | None
    lag_ms: float | None
    latency_ms: float | None
    failure: str
    ended_s: float | None

    @property
    def good(self) -> bool:
        """Whether it has a right answer."""
        return self.latency_ms is not None and not self.failure

    @property
    def possible(self) -> bool:
        """Whether it was due, and ended: with an answer that took as long as it says, or not."""
        if self.due_s is None or self.ended_s is None:
            return False
        if self.latency_ms is None:
            return bool(self.failure)
        answered_s = self.due_s + self.latency_ms / 1000
        return abs(answered_s - self.ended_s) <= TWO_MICROSECONDS_S

    @property
    def sent_s(self) -> float:
        """When the driver sent it, which may be after it was due."""
        return (self.due_s or 0.0) + (self.lag_ms or 0.0) / 1000

    @property
    def end_s(self) -> float:
        """When it ended; never, where nobody has seen that."""
        return math.inf if self.ended_s is None else self.ended_s

    @property
    def response_s(self) -> float:
        """From when it was due until it ended, well or not."""
        assert self.due_s is not None
        return self.end_s - self.due_s


def overlap(begin_s: float, end_s: float, window_s: float) -> float:
    """How much of [begin, end) lies in the window."""
    return max(0.0, min(end_s, window_s) - max(begin_s, 0.0))


def percentile(ranked_ms: Sequence[float], share: float) -> float | None:
    """The value of rank ⌈share · n⌉, counted from 1 (Hyndman & Fan 1996, definition 1).

    None where it is infinite, or where fewer than five values rank above it.
    """
    rank = math.ceil(round(share * len(ranked_ms), 9))
    if rank < 1 or len(ranked_ms) - rank < LEAST_ABOVE or math.isinf(ranked_ms[rank - 1]):
        return None
    return ranked_ms[rank - 1]


@dataclass(frozen=True)
class Trial:
    """What the samples of a closed trial say of its window.

    Attributes:
        requests: every request of the load.
        window_s: W.
        users: N.
        pause_s: how long a user waits after a request without an answer.
    """

    requests: Sequence[Request]
    window_s: float
    users: int
    pause_s: float

    @cached_property
    def due(self) -> list[Request]:
        """Requests due in the window."""
        return [
            request
            for request in self.requests
            if request.due_s is not None and 0 <= request.due_s < self.window_s
        ]

    @cached_property
    def starved(self) -> list[Request]:
        """Requests that waited through the whole window; each is a user, who has but one."""
        return [
            request
            for request in self.requests
            if request.due_s is not None and request.due_s < 0 and request.end_s >= self.window_s
        ]

    @property
    def counted(self) -> list[Request]:
        """The requests that the row speaks of."""
        return self.due + self.starved

    @property
    def failures(self) -> int:
        """Requests of these that failed."""
        return sum(bool(request.failure) for request in self.counted)

    @property
    def unanswered(self) -> int:
        """Requests due before the window's end, in flight in it, that were given up."""
        return sum(
            request.failure == GIVEN_UP
            and request.due_s is not None
            and request.due_s < self.window_s
            and request.end_s >= 0
            for request in self.requests
        )

    @cached_property
    def ended(self) -> int:
        """Good answers that ended in the window."""
        return sum(request.good and 0 <= request.end_s < self.window_s for request in self.requests)

    @cached_property
    def parts(self) -> float:
        """Good answers by parts: each by the part of its time in flight that lies in the window."""
        return sum(
            overlap(request.sent_s, request.end_s, self.window_s) / (request.end_s - request.sent_s)
            for request in self.requests
            if request.good and request.end_s > request.sent_s
        )

    @property
    def parts_agree(self) -> bool:
        """Whether both counts of the answers say the same."""
        most = max(self.parts, self.ended)
        within = max(AGREE_SHARE * most, AGREE_ROOT * math.sqrt(self.users))
        return abs(self.parts - self.ended) <= within

    @property
    def pausing(self) -> float:
        """Mean number of users that pause in the window, after a request without an answer."""
        return sum(
            overlap(request.end_s, request.end_s + self.pause_s, self.window_s) / self.window_s
            for request in self.requests
            if request.failure and request.latency_ms is None
        )

    @cached_property
    def little(self) -> float:
        """X · R̄ / N with the users that starve or pause in it: 1 where nobody is missing."""
        asking = sum(request.response_s for request in self.due) / self.window_s
        return (asking + len(self.starved) + self.pausing) / self.users

    @property
    def little_tolerance(self) -> float:
        """How far from 1 it may be: a request at each edge of the window is in it but in part."""
        mean_s = sum(request.response_s for request in self.due) / max(1, len(self.due))
        return max(LITTLE_SHARE, mean_s / self.window_s)

    @property
    def little_holds(self) -> bool:
        """Whether everybody is accounted for. Else no percentile may be stated."""
        return math.isfinite(self.little) and abs(self.little - 1) <= self.little_tolerance

    @cached_property
    def percentiles(self) -> dict[str, float | None]:
        """Percentiles by column; a request that failed or starved ranks as infinitely slow."""
        if not self.little_holds:
            return dict.fromkeys(PERCENTILES)
        slow = len(self.counted) - len(self._good_ms)
        ranked_ms = [*self._good_ms, *[math.inf] * slow]
        return {name: percentile(ranked_ms, share) for name, share in PERCENTILES.items()}

    @property
    def latency(self) -> dict[str, float | None]:
        """Least, mean and longest latency of the good answers due in the window, by column."""
        good_ms = self._good_ms
        if not good_ms:
            return dict.fromkeys(("min_ms", "avg_ms", "max_ms"))
        mean_ms = math.fsum(good_ms) / len(good_ms)
        return {"min_ms": good_ms[0], "avg_ms": mean_ms, "max_ms": good_ms[-1]}

    @cached_property
    def _good_ms(self) -> list[float]:
        good = (request.latency_ms for request in self.due if request.good)
        return sorted(latency_ms for latency_ms in good if latency_ms is not None)


# ------------------------------------------------------------------------------------- comparison


@dataclass(frozen=True)
class Finding:
    """What was found out about a row.

    Attributes:
        name: of the trial: case and round.
        words: what its samples give, or why it was skipped.
        differences: what the row says otherwise; empty where it agrees.
        skipped: it could not be recomputed at all.
    """

    name: str
    words: str
    differences: tuple[str, ...] = ()
    skipped: bool = False

    @property
    def lines(self) -> Iterator[str]:
        """As they are printed."""
        kind = "skipped" if self.skipped else "DIFFERS" if self.differences else "agrees"
        yield f"{kind:7}  {self.name}: {self.words}"
        yield from (f"         {difference}" for difference in self.differences)


def audit(run: Path) -> list[Finding]:
    """A finding for every row of a run.

    Raises:
        UnreadableError: it is no run's folder, or one of before samples had `ended_s`.
    """
    accounting = accounting_of_suites(run)
    return [audit_row(run, row, accounting) for row in rows_of(run)]


def audit_row(run: Path, row: Row, accounting: dict[str, str]) -> Finding:
    """Recompute one row.

    Args:
        run: the run's folder.
        row: of trials.csv.
        accounting: `due` or `answered`, by suite.
    """
    name = name_of(row)
    if row["load"] != "closed":
        return Finding(name, f"an {row['load']} load", skipped=True)
    if row.get("partner"):
        return Finding(name, "a side of a duet, which counts by its slices", skipped=True)
    if row["outcome"] != "measured":
        return Finding(name, row["outcome"], skipped=True)
    try:
        requests = requests_in(run / "samples" / f"{name}.csv.gz")
    except FileNotFoundError:
        return Finding(name, "not recomputed", ("it is measured, but has no samples",))
    if row["planned_requests"]:
        return audit_counted(name, row, requests)
    pause_s = PAUSE_S if row["driver"] == "own" else 0.0
    trial = Trial(requests, float(row["window_s"]), int(row["users"]), pause_s)
    if accounting_of(row, accounting) == "answered" or "_ramp-" in row["case"]:
        return audit_answered(name, row, trial)
    return audit_due(name, row, trial)


def audit_due(name: str, row: Row, trial: Trial) -> Finding:
    """A row of the requests due in the window: all of it can be recomputed."""
    caveats = set(row["caveats"].split())
    by_parts = not caveats & NOT_BY_PARTS
    parts_rps, ended_rps = trial.parts / trial.window_s, trial.ended / trial.window_s
    found: dict[str, float | None] = {
        "requests": len(trial.counted),
        "failures": trial.failures,
        "unanswered": trial.unanswered,
        "starved": len(trial.starved),
        "ended_rps": ended_rps,
        "parts_rps": parts_rps,
        "rps": parts_rps if by_parts else ended_rps,
        **trial.latency,
        **trial.percentiles,
    }
    differences = [*lines_that_contradict(trial.requests), *differing(row, found)]
    if bool(trial.starved) != ("starved" in caveats):
        have = "has" if "starved" in caveats else "lacks"
        differences.append(f"{have} the caveat starved, with {len(trial.starved)} starved users")
    if row["ranked"] == "yes" and by_parts and not trial.parts_agree:
        differences.append(
            f"is ranked and neither unsteady nor in-step, though {trial.ended} answers ended in "
            f"the window and {trial.parts:.1f} are in it by parts"
        )
    words = (
        f"{trial.users} users, {len(trial.starved)} starved; "
        f"{ended_rps:.6g}/s ended, {parts_rps:.6g}/s by parts; "
        f"X·R̄/N {trial.little:.3f} ± {trial.little_tolerance:.3f}; {told(trial.percentiles)}"
    )
    return Finding(name, words, tuple(differences))


def audit_answered(name: str, row: Row, trial: Trial) -> Finding:
    """A row that counts what was answered, as the articles' tools do, or one of a ramp."""
    ended_rps = trial.ended / trial.window_s
    found = {"starved": len(trial.starved), "ended_rps": ended_rps, "rps": ended_rps}
    words = (
        f"{trial.users} users, {len(trial.starved)} starved; {ended_rps:.6g}/s ended; "
        "counts what was answered, so the rest was not looked at"
    )
    differences = (*lines_that_contradict(trial.requests), *differing(row, found))
    return Finding(name, words, differences)


def audit_counted(name: str, row: Row, requests: Sequence[Request]) -> Finding:
    """A row of a number of requests: all of them are in its window."""
    good, window_s = sum(request.good for request in requests), float(row["window_s"])
    found = {
        "planned_requests": len(requests),
        "requests": len(requests),
        "failures": sum(bool(request.failure) for request in requests),
        "starved": 0,
        "ended_rps": good / window_s,
        "rps": good / window_s,
    }
    words = (
        f"{len(requests)} requests; {good / window_s:.6g}/s ended; "
        "counted, not timed, so the rest was not looked at"
    )
    return Finding(name, words, tuple(differing(row, found)))


def lines_that_contradict(requests: Iterable[Request]) -> Iterator[str]:
    """Lines of the samples that cannot be: the row is then worth nothing, whatever it says."""
    wrong = sum(not request.possible for request in requests)
    if wrong:
        yield f"{wrong} lines of its samples have no end, or another than due_s + latency_ms"


def differing(row: Row, found: Mapping[str, float | None]) -> Iterator[str]:
    """The columns in which a row says something else than its samples."""
    for column, value in found.items():
        said = float(row[column]) if row[column] else None
        if not same(said, value, MICROSECOND_MS if column.endswith("_ms") else 0.0):
            yield f"{column}: the row says {row[column] or 'nothing'}, its samples {shown(value)}"


def same(said: float | None, found: float | None, grain: float) -> bool:
    """Whether two values are the same but for how they are rounded."""
    if said is None or found is None:
        return said is found
    return math.isclose(said, found, rel_tol=SIX_DIGITS, abs_tol=grain)


def shown(value: float | None) -> str:
    """A value as a row writes it."""
    return "nothing" if value is None else f"{value:.6g}"


def told(percentiles: dict[str, float | None]) -> str:
    """Percentiles for a reader: `p50 601, p95 –, p99 – ms`."""
    parts = (
        f"{name.removesuffix('_ms')} {'–' if value is None else f'{value:.6g}'}"
        for name, value in percentiles.items()
    )
    return f"{', '.join(parts)} ms"


# ------------------------------------------------------------------------------------------ files


def rows_of(run: Path) -> list[Row]:
    """The rows of trials.csv."""
    file = run / "trials.csv"
    if not file.is_file():
        raise UnreadableError(f"{run} is no run's folder: it has no trials.csv")
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise UnreadableError(f"{file} has no row yet: wait for the run's first trial")
    if "ended_rps" not in rows[0]:
        raise UnreadableError(
            f"{file} has no column ended_rps: it was made before the lab noted when a request "
            "ended; make the run again"
        )
    return rows


def accounting_of_suites(run: Path) -> dict[str, str]:
    """How each suite counts, by its name, from the run's own copies of the suites."""
    files = (run / "suites").glob("*.toml")
    return {file.stem: tomllib.loads(file.read_text()).get("accounting", "due") for file in files}


def accounting_of(row: Row, accounting: dict[str, str]) -> str:
    """How a row counts. The lab runs no two suites together that count a case differently."""
    suite = row["suite"].split("+")[0]
    if suite not in accounting:
        raise UnreadableError(f"suites/{suite}.toml is missing, which says how its rows count")
    return accounting[suite]


def name_of(row: Row) -> str:
    """The key of a trial's files; a search has several windows a round, and a trial may have been
    measured again.
    """
    window = f".w{row['repeat']}" if row["repeat"] else ""
    attempt = row.get("attempt") or "1"  # a run of before 27 November 2026 has none
    again = "" if attempt == "1" else f".a{attempt}"
    return f"{row['case']}.r{row['round']}{window}{again}"


def requests_in(file: Path) -> list[Request]:
    """Every request of a trial, warm-up and drain included."""
    with gzip.open(file, "rt", newline="") as stream:
        return [
            Request(
                due_s=number(line["due_s"]),
                lag_ms=number(line["lag_ms"]),
                latency_ms=number(line["latency_ms"]),
                failure=line["failure"],
                ended_s=number(line["ended_s"]),
            )
            for line in csv.DictReader(stream)
        ]


def number(text: str) -> float | None:
    """A cell's number; None where it is empty."""
    return float(text) if text else None


# ---------------------------------------------------------------------------------------- command


def main(arguments: Sequence[str] | None = None) -> int:
    """Recompute runs, print what was found; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="Exit code 1 if a row does not agree with its samples, 2 if a run cannot be read.",
    )
    parser.add_argument("run", nargs="+", type=Path, help="a run's folder, e.g. results/…Z-smoke")
    differ = 0
    for run in parser.parse_args(arguments).run:
        try:
            findings = audit(run)
        except UnreadableError as error:
            print(error, file=sys.stderr)
            return 2
        for finding in findings:
            print(*finding.lines, sep="\n")
        wrong = sum(bool(finding.differences) for finding in findings)
        skipped = sum(finding.skipped for finding in findings)
        agree = len(findings) - wrong - skipped
        print(f"{run}: {agree} rows agree, {wrong} differ, {skipped} skipped")
        differ += wrong
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
