"""What a suite's file says is checked as a whole: names that it may use, and keys that go together.

Each key by itself has been checked when the file was read (suite_file.SuiteFile); a case is checked
when it is made (make_cases).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from loadgen.lab.servers import Server
from loadgen.lab.toml_tables import written
from loadgen.records.columns import METRICS
from loadgen.suites.cases import Case
from loadgen.suites.make_cases import CaseMaker
from loadgen.suites.mistakes import mistake
from loadgen.suites.pairs import AXES, CPU_METRIC, Compare, Pair
from loadgen.suites.suite_file import FIGURES, Axes, SuiteFile


def check_suite(name: str, file: SuiteFile, known_suites: Collection[str]) -> None:
    """Whether a suite says what it must, and names only what there is.

    Raises:
        ConfigurationError: it does not.
    """
    if file.include:
        _check_include(name, file, known_suites)
        return
    if not file.cases and not file.waterfall:
        raise mistake(name, "cases", "there is none: add [[cases]] with a server")
    if file.sort:
        _check_metrics(name, "sort", [file.sort])
    for number, case in enumerate(file.cases, start=1):
        _check_when(name, f"cases[{number}]", case.get("when", {}))
    for number, entry in enumerate(file.compare, start=1):
        _check_when(name, f"compare[{number}]", entry.when)
        _check_comparison(name, f"compare[{number}]", entry)
    for number, figures in enumerate(file.published, start=1):
        _check_published(name, f"published[{number}]", figures)
    for number, waterfall in enumerate(file.waterfall, start=1):
        for at, step in enumerate(waterfall.steps, start=1):
            where = f"waterfall[{number}].steps[{at}].change"
            _check_axes(name, where, step.change, Axes.model_fields)


def check_search(name: str, cases: Iterable[Case]) -> None:
    """A search starts from what a view costs, which its case measures under its users.

    Raises:
        ConfigurationError: a case of the suite cannot.
    """
    for case in cases:
        if case.driver != "own" or case.ramp or case.load != "closed":
            what = "measures each case under its users first, which needs driver own and no ramp"
            raise mistake(name, "search", f"{what}: {case.slug} has other values")


def check_duets(maker: CaseMaker, compare: Sequence[Compare], cases: Sequence[Case]) -> list[str]:
    """Whether all that is asked as a duet can be one.

    Returns:
        Sentences that say which are measured one after the other instead, and why.

    Raises:
        ConfigurationError: a duet is asked for that cannot be.
    """
    left_out: list[str] = []
    for number, entry in enumerate(compare, start=1):
        if not entry.duet:
            continue
        where = f"compare[{number}].duet"
        for pair in entry.pairs(cases):
            if always_on := [
                case.server for case in pair if maker.lab.servers[case.server].always_on
            ]:
                left_out.append(
                    f"duets of {always_on[0]}, because the lab does not start it, so its CPU time "
                    "is unknown. Its cases are measured one after the other"
                )
                continue
            for axis, what in _faults(pair, maker.lab.servers):
                raise maker.wrong(where, what, axis)
    return list(dict.fromkeys(left_out))


def _check_include(name: str, file: SuiteFile, known_suites: Collection[str]) -> None:
    if own := file.model_fields_set - {"question", "include"}:
        what = f"a suite that includes others has no {', '.join(sorted(own))} of its own"
        raise mistake(name, "include", what)
    for included in file.include:
        if included not in known_suites:
            what = f"unknown {included!r}; suites: {', '.join(known_suites)}"
            raise mistake(name, "include", what)


def _check_comparison(name: str, where: str, entry: Compare) -> None:
    _check_metrics(name, f"{where}.metrics", entry.metrics)
    if unknown := set(entry.planted) - set(entry.metrics):
        what = f"unknown {', '.join(sorted(unknown))}; its metrics are {', '.join(entry.metrics)}"
        raise mistake(name, f"{where}.planted", what)
    if entry.duet and CPU_METRIC not in entry.metrics:
        raise mistake(name, f"{where}.duet", f"a duet measures {CPU_METRIC}: add it to metrics")
    for side, axes in (("a", entry.a), ("b", entry.b)):
        if not axes:
            raise mistake(name, f"{where}.{side}", f"names no axis; axes: {', '.join(AXES)}")
        _check_axes(name, f"{where}.{side}", axes, AXES)


def _check_when(name: str, where: str, when: object) -> None:
    if not isinstance(when, dict):
        what = f"must be a table of axes and values, not {written(when)}"
        raise mistake(name, f"{where}.when", what)
    _check_axes(name, f"{where}.when", when, Axes.model_fields)


def _check_published(name: str, where: str, entry: Mapping[str, object]) -> None:
    if unknown := set(entry) - FIGURES - set(Axes.model_fields):
        allowed = f"axes or {', '.join(sorted(FIGURES))}"
        raise mistake(name, where, f"unknown {', '.join(sorted(unknown))}; {allowed}")
    for key, value in entry.items():
        if key in FIGURES and not isinstance(value, int | float):
            raise mistake(name, f"{where}.{key}", f"{value!r} is not a number")


def _check_axes(name: str, where: str, axes: Iterable[str], allowed: Collection[str]) -> None:
    for axis in axes:
        if axis not in allowed:
            raise mistake(name, f"{where}.{axis}", f"unknown axis; allowed: {', '.join(allowed)}")


def _check_metrics(name: str, key: str, metrics: Iterable[str]) -> None:
    for metric in metrics:
        if metric not in METRICS:
            raise mistake(name, key, f"unknown {metric!r}; allowed: {', '.join(METRICS)}")


def _faults(pair: Pair, servers: Mapping[str, Server]) -> Iterator[tuple[str, str]]:
    """What keeps a pair from being a duet, with the axis that is to blame."""
    a, b = pair
    for case in pair:
        if case.driver != "own" or case.ramp:
            yield "driver", f"a duet needs driver own and no ramp, unlike {case.slug}"
    if (a.load, a.arrivals) != (b.load, b.arrivals):
        yield "load", f"a duet has one kind of load, but {a.slug} and {b.slug} have two"
    if a.in_a_duet == b.in_a_duet:
        yield (
            "users",
            f"a duet has one load for both, but {a.slug} and {b.slug} differ only in their load",
        )
    if a.server == b.server and not servers[a.server].has_spare:
        yield (
            "server",
            f"{a.server} cannot run twice at once, because its container differs from the app's: "
            "declare a second service that extends it, and name that as the other side "
            "(docs/your-own-django.md)",
        )
