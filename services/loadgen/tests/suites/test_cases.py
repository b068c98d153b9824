"""A case is one combination of the axes, and its slug is its key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.records import columns
from loadgen.suites.cases import Case, plain
from tests.make import a_case, a_case_of_a_page

DELAYS = st.lists(st.floats(0, 60_000, allow_nan=False), min_size=1, max_size=4).map(tuple)
COUNTS = st.integers(1, 100_000)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    axes: dict[str, Any] = {
        "server": draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)),
        "settings": draw(st.sampled_from(["startproject", "bare", "article", "article_bare"])),
        "view": draw(st.sampled_from(["sync", "async"])),
        "workload": draw(st.sampled_from(["fanout", "serial", "single"])),
        "http_client": draw(st.sampled_from(["httpx-shared", "no-http"])),
        "upstream": draw(st.sampled_from(["http", "https"])),
        "delays_ms": draw(DELAYS),
        "cpu_ms": draw(st.floats(0, 60_000, allow_nan=False)),
        "driver": draw(st.sampled_from(["locust", "hey"])),
        "load": "closed",
        "users": draw(COUNTS),
    }
    kind = draw(st.sampled_from(["users", "ramp", "counted", "open"]))
    if kind == "ramp":
        climb_s = draw(st.floats(0.001, 1000))
        axes["ramp"] = ((0.0, 0), (climb_s, axes["users"]), (climb_s + 1, axes["users"]))
    elif kind == "counted":
        axes["planned_requests"] = draw(COUNTS)
    elif kind == "open":
        axes |= {
            "load": "open",
            "users": None,
            "rate_rps": draw(st.floats(0.001, 10_000)),
            "arrivals": draw(st.sampled_from(["poisson", "constant"])),
        }
    return Case(**axes)


@given(st.lists(cases(), min_size=2, max_size=6))
def test_two_cases_have_one_slug_only_if_they_are_equal(found: list[Case]) -> None:
    assert len({case.slug for case in found}) == len(set(found))


@pytest.mark.parametrize(
    "axis",
    [
        {"server": "uvicorn-4"},
        {"settings": "bare"},
        {"view": "sync"},
        {"workload": "single"},
        {"workload": "serial"},
        {"http_client": "httpx-shared"},
        {"upstream": "https"},
        {"delays_ms": (300.0, 600.0)},
        {"delays_ms": (300.0, 600.0, 150.25)},
        {"cpu_ms": 5.0},
        {"driver": "hey"},
        {"users": 101},
        {"planned_requests": 200},
        {"ramp": ((0.0, 0), (10.0, 100), (30.0, 100))},
        {"load": "open", "users": None, "rate_rps": 20.0, "arrivals": "poisson"},
    ],
)
def test_every_axis_shows_in_the_slug(axis: dict[str, Any]) -> None:
    assert a_case(**axis).slug != a_case().slug


def test_a_slug_reads_as_its_axes() -> None:
    assert a_case().slug == (
        "uvicorn_startproject_async_fanout_httpx-per-request_http_300+600+150ms_locust_100u"
    )


def test_a_page_of_a_servers_own_is_known_by_its_load_alone() -> None:
    case = a_case_of_a_page(server="mine")
    assert case.slug == "mine_locust_100u"
    row = columns.row(case.cells())
    known = {name for name, cell in row.items() if columns.cell_text(cell)}
    assert known == {"case", "server", "driver", "load", "users"}


@given(cases())
def test_a_slug_is_a_file_name(case: Case) -> None:
    assert "/" not in case.slug
    assert " " not in case.slug


@given(cases())
def test_the_cells_of_a_case_are_its_axes(case: Case) -> None:
    row = columns.row(case.cells())
    assert tuple(float(ms) for ms in str(row["delays_ms"]).split("+")) == case.delays_ms
    assert row["case"] == case.slug
    for axis in ("server", "view", "http_client", "cpu_ms", "users", "rate_rps"):
        assert row[axis] == getattr(case, axis)


@given(st.floats(0, 1e9, allow_nan=False))
def test_a_plain_number_is_the_same_number(number: float) -> None:
    assert float(plain(number)) == number


def test_a_plain_number_is_written_as_a_person_does() -> None:
    assert [plain(300.0), plain(62.5), plain(7)] == ["300", "62.5", "7"]


def test_the_mean_users_of_a_ramp_are_the_area_under_it() -> None:
    # 10 s with 50 in the mean, 20 s with 100.
    ramp = ((0.0, 0), (10.0, 100), (30.0, 100))
    assert a_case(ramp=ramp).mean_users == pytest.approx((10 * 50 + 20 * 100) / 30)


def test_without_a_ramp_the_mean_users_are_the_users() -> None:
    assert a_case(users=42).mean_users == 42


def test_an_open_load_has_no_users() -> None:
    assert a_case(load="open", users=None, rate_rps=5.0, arrivals="constant").mean_users is None
