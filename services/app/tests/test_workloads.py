"""What a view asks of its upstream."""

import pytest

from consumer.errors import BadParameterError
from consumer.http_clients import InTurn
from consumer.parameters import DELAY_MAX_MS
from consumer.workloads import WORKLOADS


@pytest.mark.parametrize(
    ("workload", "delays_ms", "timeout_s"),
    [
        ("fanout", ["300", "600", "150"], 30.6),
        ("fanout", ["62.5", "0"], 30.0625),
        ("fanout", ["10", str(DELAY_MAX_MS), "10"], 90),
        ("serial", ["300", "600", "150"], 31.05),
        ("serial", ["10", str(DELAY_MAX_MS - 20), "10"], 90),
        ("single", ["400"], 30.4),
        ("single", [str(DELAY_MAX_MS)], 90),
    ],
)
def test_every_call_of_a_view_may_wait_half_a_minute_longer_than_the_view_takes(
    workload: str, delays_ms: list[str], timeout_s: float
) -> None:
    calls = WORKLOADS[workload].calls("http://api:9000", delays_ms)
    assert [call.delay_ms for call in calls] == [float(ms) for ms in delays_ms]
    assert [call.timeout_s for call in calls] == pytest.approx([timeout_s] * len(delays_ms))


def test_only_serial_makes_its_calls_in_turn() -> None:
    calls = {name: work.calls("http://api:9000", ["1"]) for name, work in WORKLOADS.items()}
    assert [name for name, made in calls.items() if isinstance(made, InTurn)] == ["serial"]


def test_calls_in_turn_take_no_longer_than_a_single_one_may() -> None:
    with pytest.raises(BadParameterError, match=r"adds up to 60000\.5"):
        WORKLOADS["serial"].calls("http://api:9000", ["0.5", str(DELAY_MAX_MS)])
