"""Each axis has an option, whose text is read as a suite would write its values."""

import pytest

from loadgen.commands.axis_options import NAMES, with_axes
from loadgen.errors import ConfigurationError
from loadgen.lab.lab import SetAxes


@with_axes
def axes_of(axes: SetAxes) -> SetAxes:
    return axes


def test_commas_separate_the_values_of_an_axis() -> None:
    assert axes_of(users=["50,100", "200"], http_client=["a-client, another"]) == {
        "users": [50, 100, 200],
        "http_client": ["a-client", "another"],
    }


def test_commas_separate_the_calls_of_one_view_and_repeating_gives_several_views() -> None:
    assert axes_of(delays_ms=["800,400"]) == {"delays_ms": [[800, 400]]}
    assert axes_of(delays_ms=["800,400", "0.5"]) == {"delays_ms": [[800, 400], [0.5]]}


def test_a_ramp_is_corners() -> None:
    assert axes_of(ramp=["0:0,10:100,30:100"]) == {"ramp": [[[0, 0], [10, 100], [30, 100]]]}


def test_an_axis_that_nobody_sets_is_none() -> None:
    assert axes_of() == {}


@pytest.mark.parametrize("text", ["", "50,", ",50", "50,,100"])
def test_a_missing_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--users '.*': a value is missing"):
        axes_of(users=[text])


def test_every_axis_that_a_suite_knows_can_be_set() -> None:
    assert {"server", "settings", "view", "workload", "http_client", "upstream"} < set(NAMES)
    assert {"delays_ms", "cpu_ms", "driver", "users", "ramp", "planned_requests"} < set(NAMES)
