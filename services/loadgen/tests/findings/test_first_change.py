"""What a suite's changes are worth, from its comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any

from loadgen.findings.comparisons import compare_cases
from loadgen.findings.first_change import Effect, effects, line, what_to_change_first
from loadgen.records.columns import Row
from loadgen.suites.cases import Case
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite

METRICS = ("rps", "app_cpu_ms_per_view", "p95_ms")
PER_REQUEST = a_case(http_client="httpx-per-request")
SHARED = a_case(http_client="aiohttp-shared")
OTHER = a_case(http_client="aiohttp-shared", server="granian-asgi")
SYNC = a_case(http_client="aiohttp-shared", server="gunicorn-2000-threads", view="sync")

SCATTER = (1.0, 1.004, 0.996)
#: Of three rounds that say nothing about a tenth.
WILD = (1.0, 1.3, 0.75)

#: As rows at what 100 users ask for have it.
AT_CEILING: dict[str, Any] = {"caveats": "at-ceiling", "users_ceiling_rps": 166.7}


def change(words: str, a: Case, b: Case, axis: str, metrics: Sequence[str] = METRICS) -> Compare:
    of_a, of_b = ({axis: (getattr(case, axis),)} for case in (a, b))
    return Compare(a=of_a, b=of_b, metrics=tuple(metrics), change=words)


SHARE = change("share the client", PER_REQUEST, SHARED, "http_client")
SERVER = change("another server", SHARED, OTHER, "server")
TO_ASYNC = change("sync → async", SYNC, SHARED, "server")


def quick(*entries: Compare) -> Suite:
    return a_suite(cases=(PER_REQUEST, SHARED, OTHER, SYNC), compare=entries)


def measured(
    case: Case, figures: Mapping[str, float], scatter: Sequence[float] = SCATTER, **cells: Any
) -> list[Row]:
    rounds = ({metric: value * by for metric, value in figures.items()} for by in scatter)
    return rows(case, *(cells | of_round for of_round in rounds))


def found(suite: Suite, *given: list[Row]) -> list[Effect]:
    return effects(suite, compare_cases([suite], [row for of_case in given for row in of_case]))


def figures(rps: float, cpu_ms: float = 5.0, p95_ms: float = 650.0) -> dict[str, float]:
    return {"rps": rps, "app_cpu_ms_per_view": cpu_ms, "p95_ms": p95_ms}


def test_more_views_per_second_judge_a_change() -> None:
    (effect,) = found(
        quick(SHARE),
        measured(PER_REQUEST, figures(80, cpu_ms=12, p95_ms=1500)),
        measured(SHARED, figures(160, cpu_ms=5, p95_ms=750), SCATTER[::-1]),
    )
    assert (effect.standing, effect.judged.metric) == ("better", "rps")
    assert [one.metric for one in effect.besides] == ["p95_ms"], "the load is not equal"
    assert line(effect).startswith(
        "share the client (uvicorn: httpx-per-request → aiohttp-shared): views/s ×2.00 [1.9"
    )
    assert "; p95 ×0.50 [" in line(effect)
    assert what_to_change_first([effect]).startswith(
        "Change first: share the client (uvicorn: httpx-per-request → aiohttp-shared). "
        "Views/s ×2.00 [1.9"
    )


def test_a_gain_that_ends_at_a_ceiling_may_be_more() -> None:
    slow = measured(PER_REQUEST, figures(80))
    (ended,) = found(quick(SHARE), slow, measured(SHARED, figures(166), **AT_CEILING))
    (free,) = found(quick(SHARE), slow, measured(SHARED, figures(166)))
    assert "] or more; p95 ×" in line(ended)
    assert "or more" not in line(free)


def test_at_the_same_ceiling_cpu_per_view_judges_and_it_is_said() -> None:
    (effect,) = found(
        quick(SERVER),
        measured(SHARED, figures(166, cpu_ms=5), **AT_CEILING),
        measured(OTHER, figures(165.9, cpu_ms=4), SCATTER[::-1], **AT_CEILING),
    )
    assert (effect.standing, effect.judged.metric) == ("better", "app_cpu_ms_per_view")
    assert line(effect).startswith("another server (uvicorn → granian-asgi): CPU ")
    assert "CPU per view ×0.80 [" in line(effect)
    assert "views/s tell nothing, both reached the same ceiling" in line(effect)
    assert "p95 ×1.00 [0.99–1.01] (equivalent)" in line(effect)


def test_as_good_as_equal_throughput_lets_cpu_per_view_judge_too() -> None:
    (effect,) = found(
        quick(SERVER),
        measured(SHARED, figures(80, cpu_ms=5)),
        measured(OTHER, figures(80.1, cpu_ms=6)),
    )
    assert (effect.standing, effect.judged.metric) == ("worse", "app_cpu_ms_per_view")
    assert "CPU per view ×1.20 [1.20–1.20] (worse); views/s ×1.00 [1.00–1.00];" in line(effect)
    assert what_to_change_first([effect]) == "None of these changes is worth making."


def test_without_cpu_per_view_the_95th_percentile_judges() -> None:
    entry = change("another server", SHARED, OTHER, "server", ("rps", "p95_ms"))
    (effect,) = found(
        quick(entry),
        measured(SHARED, figures(166, p95_ms=700), **AT_CEILING),
        measured(OTHER, figures(166, p95_ms=600), **AT_CEILING),
    )
    assert (effect.standing, effect.judged.metric) == ("better", "p95_ms")


def test_what_does_most_comes_first_and_throughput_before_cost() -> None:
    cheap = figures(166, cpu_ms=2)
    listed = found(
        quick(TO_ASYNC, SERVER, SHARE),
        measured(SYNC, figures(166, cpu_ms=4), **AT_CEILING),
        measured(SHARED, figures(166, cpu_ms=5), **AT_CEILING),
        measured(OTHER, cheap, **AT_CEILING),
        measured(PER_REQUEST, figures(150, cpu_ms=12)),
    )
    assert [(effect.change, effect.standing) for effect in listed] == [
        ("share the client", "better"),
        ("another server", "better"),
        ("sync → async", "worse"),
    ]


def test_better_by_less_than_what_matters_is_no_reason_to_change() -> None:
    entry = change("share the client", PER_REQUEST, SHARED, "http_client", ("rps",))
    (effect,) = found(
        quick(entry), measured(PER_REQUEST, figures(100)), measured(SHARED, figures(102))
    )
    assert effect.standing == "small"
    assert "views/s ×1.02 [1.02–1.02] (better, by less than 3%)" in line(effect)
    assert what_to_change_first([effect]) == "None of these changes is worth making."


def test_what_cannot_be_told_is_undecided() -> None:
    (effect,) = found(
        quick(SHARE), measured(PER_REQUEST, figures(100)), measured(SHARED, figures(110), WILD)
    )
    assert effect.standing == "undecided"
    assert "(undecided)" in line(effect)
    assert what_to_change_first([effect]).startswith(
        "Undecided: no change is known to help. More rounds"
    )


def test_what_costs_less_beyond_chance_judges_where_throughput_scatters_too_much() -> None:
    """Both sides have the CPU full, so their rates are equal only by chance; here by 3 %."""
    cheap = measured(SHARED, figures(104, cpu_ms=2), (1.0, 1.02, 0.98))
    dear = measured(PER_REQUEST, figures(100, cpu_ms=5), (1.0, 1.15, 0.86))
    for of_case, cpu_ms in ((cheap, 2.0), (dear, 5.0)):
        for number, row in enumerate(of_case):
            row["app_cpu_ms_per_view"] = cpu_ms * SCATTER[number]
    (effect,) = found(quick(SHARE), dear, cheap)
    assert (effect.standing, effect.judged.metric) == ("better", "app_cpu_ms_per_view")
    assert "views/s ×1.0" in line(effect)
    assert "(undecided)" in line(effect)


def test_nothing_is_told_where_throughput_and_cost_point_apart() -> None:
    scattered = (1.0, 1.05, 0.98)
    dear = measured(PER_REQUEST, figures(100, cpu_ms=5))
    cheap = measured(SHARED, figures(95.5, cpu_ms=3), scattered)
    for number, row in enumerate(cheap):
        row["app_cpu_ms_per_view"] = 3 * SCATTER[number]
    (effect,) = found(quick(SHARE), dear, cheap)
    assert (effect.standing, effect.judged.metric) == ("undecided", "rps")
    assert what_to_change_first([effect]).startswith("Undecided: no change")


def test_the_first_change_says_what_it_does_to_throughput_and_to_cost() -> None:
    (effect,) = found(
        quick(SHARE),
        measured(PER_REQUEST, figures(100, cpu_ms=5)),
        measured(SHARED, figures(104, cpu_ms=3), SCATTER[::-1]),
    )
    assert what_to_change_first([effect]).startswith(
        "Change first: share the client (uvicorn: httpx-per-request → aiohttp-shared). "
        "Views/s ×1.04 ["
    )
    assert "]. CPU per view ×0.60 [" in what_to_change_first([effect])


def test_worse_by_less_than_what_matters_is_no_verdict_against_a_change() -> None:
    entry = change("share the client", PER_REQUEST, SHARED, "http_client", ("rps",))
    (effect,) = found(
        quick(entry), measured(PER_REQUEST, figures(102)), measured(SHARED, figures(100))
    )
    assert effect.standing == "small"
    assert "(worse, by less than 3%)" in line(effect)


def test_too_few_rounds_give_a_ratio_and_no_verdict() -> None:
    (effect,) = found(
        quick(SHARE),
        measured(PER_REQUEST, figures(50), (1.0,)),
        measured(SHARED, figures(100), (1.0,)),
    )
    assert effect.standing == "undecided"
    assert "views/s ×2.00 (undecided)" in line(effect)


def test_at_a_rate_that_both_answer_the_median_judges_where_no_percentile_is_known() -> None:
    entry = change("make the calls at once", SHARED, OTHER, "server", ("rps", "p95_ms", "p50_ms"))
    (effect,) = found(
        quick(entry),
        measured(SHARED, {"rps": 10.0, "p50_ms": 1200.0}),
        measured(OTHER, {"rps": 10.0, "p50_ms": 800.0}, SCATTER[::-1]),
    )
    assert (effect.standing, effect.judged.metric) == ("better", "p50_ms")


def test_what_cannot_be_compared_says_why_and_comes_last() -> None:
    late: dict[str, Any] = {"ranked": "no", "caveats": "api-saturated"}
    listed = found(
        quick(SHARE, SERVER),
        measured(PER_REQUEST, figures(100), **late),
        measured(SHARED, figures(100)),
        measured(OTHER, figures(100)),
    )
    assert [effect.standing for effect in listed] == ["equivalent", "not comparable"]
    assert "not comparable: 3 of 3 rounds do not count (api-saturated)" in line(listed[-1])
    assert what_to_change_first(listed[-1:]) == "None of these changes can be compared."
    assert what_to_change_first(listed) == (
        "Of the changes that can be compared, none is worth making."
    )


def test_a_comparison_that_names_no_change_is_none() -> None:
    entry = Compare(a={"server": ("uvicorn",)}, b={"server": ("granian-asgi",)}, metrics=METRICS)
    assert found(quick(entry), measured(SHARED, figures(80)), measured(OTHER, figures(90))) == []


def test_what_was_not_measured_is_not_told() -> None:
    assert found(quick(SHARE), measured(SHARED, figures(80))) == []


def test_the_same_change_from_several_places_is_one_answer() -> None:
    here = a_case(server="granian-asgi")
    suite = a_suite(cases=(PER_REQUEST, SHARED, here, OTHER), compare=(SHARE,))
    listed = found(
        suite,
        measured(PER_REQUEST, figures(80)),
        measured(SHARED, figures(160)),
        measured(here, figures(50)),
        measured(OTHER, figures(150)),
    )
    assert what_to_change_first(listed) == (
        "Change first: share the client (granian-asgi: httpx-per-request → aiohttp-shared). "
        "Views/s ×3.00 [3.00–3.00]. "
        "The same from uvicorn: httpx-per-request → aiohttp-shared. Views/s ×2.00 [2.00–2.00]."
    )
