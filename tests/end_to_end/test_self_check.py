"""Before a run the API is driven at the rate that the run's views may ask for."""

import re
from collections.abc import Iterator

import pytest

from engine import Engine
from lab import Compose
from runs import Finished


@pytest.fixture
def throttled_api() -> Iterator[None]:
    """The API with a hundredth of a CPU, the least that Docker gives: the calls take more."""
    engine = Engine()
    with engine.http:
        container = engine.container("api")
        engine.limit_cpu(container, 0.01)
        yield
        engine.limit_cpu(container, 0)


def test_a_run_says_that_the_api_kept_its_delays(smoke: Finished) -> None:
    for upstream in ("http", "https"):
        line = rf"self-check: the API kept its delays at \d+ calls/s over {upstream} \([0-9.]+ ms "
        assert re.search(line, smoke.done.stdout), smoke.done.stdout


def test_the_check_demands_what_users_slots_and_calls_allow_and_a_fifth_more(
    smoke: Finished,
) -> None:
    demanded: dict[str, float] = {}
    for row in smoke.run.rows:
        ceilings = (row["users_ceiling_rps"], row["slots_ceiling_rps"], row["rate_rps"])
        views = min(float(ceiling) for ceiling in ceilings if ceiling)
        calls = 1.2 * views * len(row["delays_ms"].split("+"))
        demanded[row["upstream"]] = max(calls, demanded.get(row["upstream"], 0))
    checks = {check["upstream"]: check for check in smoke.run.environment["self_check"]}

    assert set(checks) == set(demanded)
    for upstream, check in checks.items():
        assert check["demanded_per_s"] == pytest.approx(demanded[upstream], rel=1e-4)
        assert check["calls_per_s"] >= 0.95 * check["demanded_per_s"]
        assert check["faults"] == []


@pytest.mark.usefixtures("throttled_api")
def test_an_api_that_cannot_keep_its_delays_is_refused_with_numbers(loadgen: Compose) -> None:
    done = loadgen("run", "smoke", "--servers", "uvicorn")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "the API cannot keep up with it. At 360 calls/s over http, " in done.stdout
    assert re.search(r"it was [0-9.]+ ms late", done.stdout), done.stdout
    assert "Results:" not in done.stdout
