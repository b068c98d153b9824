"""A place in a run's order: one trial, or a search; which of its trials are known by the rows.

Pure: the rows so far go in, the trials come out. So a run that was interrupted goes on by its rows
alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loadgen.duets.duet import Duet, Measurement
from loadgen.duets.load import given_up_in, known_load, load_of
from loadgen.findings.rate_holds import judge_window
from loadgen.records.columns import Row
from loadgen.suites.lengths import lengths_s
from loadgen.suites.search import Rules, Window, next_step
from loadgen.trials.trial import Ahead, Trial

#: Name of a trial → its row.
type RowsByName = Mapping[str, Row]


@dataclass(frozen=True)
class Place:
    """A place, as far as its rows have come.

    Attributes:
        known: its trials in their order, all with a row but perhaps the last, which comes next.
        start_share: of a search: the share of C / D where the next round begins.
    """

    known: tuple[Measurement, ...]
    start_share: float | None = None


def place_of_duet(duet: Duet, rows: RowsByName) -> Place | None:
    """A duet under the load that an earlier round has found; None where one has found that there
    is none for both.
    """
    given_up = given_up_in(duet, rows.values())
    if given_up is not None and given_up["round"] != duet.round:
        return None
    return Place((replace(duet, load=known_load(duet, rows.values())),))


def in_place_of(duet: Duet, rows: RowsByName) -> tuple[Trial, ...]:
    """What is measured in the place of a duet that was given up in this round or an earlier one:
    both sides one after the other, under the load at which that was, so that they have the same.
    """
    given_up = given_up_in(duet, rows.values())
    load = given_up and load_of(given_up)
    return duet.apart(load) if load else ()


def place_of_search(stack: Trial, rules: Rules, start_share: float, rows: RowsByName) -> Place:
    """A trial that says what a view costs, then windows until the capacity is found.

    The next round begins at the share of C / D that holds: so each round goes by its own C / D, and
    does not climb again what the round before has climbed.

    Args:
        stack: the stack under its users.
        rules: of the search.
        start_share: of C / D, where it begins.
        rows: those so far, of other places too.
    """
    window_s = _window(stack, rules, 0, ()).expected_s
    known: list[Measurement] = [replace(stack, ahead=_ahead(stack, rules, 0, window_s))]
    row = rows.get(stack.name)
    ceiling_rps = row.number("cpu_ceiling_rps") if row else None
    if ceiling_rps is None:
        return Place(tuple(known), start_share)
    start = rules.step_below(start_share * ceiling_rps)
    windows: list[Window] = []
    while isinstance(step := next_step(start, windows, rules), int):
        ahead = _ahead(stack, rules, len(windows) + 1, window_s)
        window = replace(_window(stack, rules, step, windows), ahead=ahead)
        known.append(window)
        row = rows.get(window.name)
        if row is None:
            return Place(tuple(known), start_share)
        windows.append(judge_window(step, row, rules))
    holds = start_share if step.low is None else rules.rate_rps(step.low) / ceiling_rps
    return Place(tuple(known), holds)


def _window(stack: Trial, rules: Rules, step: int, windows: Sequence[Window]) -> Trial:
    """The stack under arrivals at a rate of the grid, after these windows."""
    # A window that was cut could not tell whether its rate holds.
    timing = replace(stack.timing, warm_up_s=rules.warm_up_s, window_s=rules.window_s, share=1.0)
    rate_rps = rules.rate_rps(step)
    case = rules.offered(stack.case, rate_rps)
    warm_up_s, window_s = lengths_s(case, stack.server, timing)
    return replace(
        stack,
        case=case,
        warm_up_s=warm_up_s,
        window_s=window_s,
        timing=timing,
        # Neighbours of a very fine grid share a rate: a window is named by its rate.
        repeat=1 + sum(rules.rate_rps(window.step) == rate_rps for window in windows),
    )


def _ahead(stack: Trial, rules: Rules, taken: int, window_s: float) -> Ahead:
    """What a search takes besides, once it has taken so many windows of that length."""
    usual = rules.usual_windows if stack.round == 1 else rules.fewest_windows
    return Ahead(
        usual=max(0, usual - taken),
        most=max(0, rules.most_windows - taken),
        window_s=window_s,
    )
