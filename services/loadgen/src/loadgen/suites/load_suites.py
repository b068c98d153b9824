"""Suites of the lab by name: their files are read, checked, and made into cases and questions."""

from collections.abc import Sequence

from loadgen.lab.lab import Lab
from loadgen.suites.cases import Case, plain
from loadgen.suites.check_suite import check_duets, check_search, check_suite
from loadgen.suites.make_cases import CaseMaker
from loadgen.suites.mistakes import mistake
from loadgen.suites.pairs import comparisons
from loadgen.suites.read_suite import read_suite, suite_names
from loadgen.suites.suite import Published, Suite
from loadgen.suites.suite_file import FIGURES, SuiteFile
from loadgen.suites.timing import Timing
from loadgen.suites.waterfall import waterfalls_of


def load_suites(lab: Lab, name: str, within: tuple[str, ...] = ()) -> list[Suite]:
    """The suite of that name, or those that it includes.

    Args:
        lab: its suites, what their cases may name, and the axes that the command line has set.
        within: the suites that include it, outermost first.

    Raises:
        ConfigurationError: naming file, key and the allowed values.
    """
    file = read_suite(lab.suite_files, name)
    if name in within:
        raise mistake(name, "include", f"{name} includes itself")
    check_suite(name, file, suite_names(lab.suite_files))
    if not file.include:
        return [_suite(lab, name, file)]
    inside = (*within, name)
    return [suite for included in file.include for suite in load_suites(lab, included, inside)]


def _suite(lab: Lab, name: str, file: SuiteFile) -> Suite:
    maker = CaseMaker(name, lab)
    listed, impossible = maker.listed(file, lab.axes)
    waterfalls = waterfalls_of(file, maker)
    steps = [case for waterfall in waterfalls for case in waterfall.cases]
    cases = list(dict.fromkeys([*listed, *steps]))
    if not cases:
        raise mistake(name, "cases", "no possible case is left; " + "; ".join(impossible))
    published, of_other_axes = _published(file, cases, maker)
    compare, without_pairs = comparisons(name, file.compare, cases, lab.axes)
    one_by_one = check_duets(maker, file.compare, cases)
    if file.search:
        check_search(name, cases)
    return Suite(
        name=name,
        question=file.question,
        cases=tuple(cases),
        left_out=tuple(dict.fromkeys([*impossible, *of_other_axes, *without_pairs, *one_by_one])),
        rounds=file.rounds,
        sort=file.sort,
        timing=Timing(file.warm_up_s, file.window_s, file.drain_s, file.accounting),
        published=tuple(published),
        compare=tuple(compare),
        waterfalls=tuple(waterfalls),
        self_test=file.self_test,
        expect=file.expect,
        minutes=file.minutes,
        most_rounds=file.rounds if "rounds" in file.model_fields_set else None,
        fewer_cases=file.fewer_cases,
        http_clients=lab.app.http_clients,
        search=file.search,
        native_views={case.server: lab.servers[case.server].default_view for case in cases},
        always_on=frozenset(case.server for case in cases if lab.servers[case.server].always_on),
    )


def _published(
    file: SuiteFile, cases: Sequence[Case], maker: CaseMaker
) -> tuple[list[Published], list[str]]:
    """An article's figures: those of the cases that it has measured, and what is left out."""
    axes_are_set = bool(maker.lab.axes)
    own = maker.listed(file, {})[0] if axes_are_set else cases
    published, left_out = [], []
    for number, entry in enumerate(file.published, start=1):
        axes = {key: value for key, value in entry.items() if key not in FIGURES}
        if isinstance(delays_ms := axes.get("delays_ms"), list):
            axes["delays_ms"] = "+".join(map(plain, delays_ms))
        figures = {key: value for key, value in entry.items() if key in FIGURES}
        line = Published(axes, figures)
        described = {case for case in cases if line.describes(case.cells())}
        if not described and not axes_are_set:
            what = "its axes describe no case of the suite"
            raise mistake(maker.suite, f"published[{number}]", what)
        if described and described <= set(own):
            published.append(line)
        elif described:
            left_out.append("published figures: they hold for other axes than those of this run")
    return published, left_out
