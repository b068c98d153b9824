"""Delays as they stand in a URL."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.delays import BadDelayError, parse_delay


@pytest.mark.parametrize(
    ("text", "delay_ns"),
    [
        ("0", 0),
        ("300", 300_000_000),
        ("62.5", 62_500_000),
        ("60000", 60_000_000_000),
        ("60000.0", 60_000_000_000),
        ("5.", 5_000_000),
        ("007", 7_000_000),
    ],
)
def test_a_delay_is_read_in_milliseconds(text: str, delay_ns: int) -> None:
    assert parse_delay(text) == delay_ns


@given(st.decimals(0, 60_000, allow_nan=False, places=9))
def test_a_delay_is_rounded_up_so_that_no_answer_is_early(delay: Fraction) -> None:
    delay_ns = parse_delay(f"{delay:f}")

    assert 0 <= delay_ns - Fraction(delay) * 1_000_000 < 1


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1,5", ".5", "1e3", "inf", "²", "٣"])
def test_what_is_no_delay_is_an_error(text: str) -> None:
    with pytest.raises(BadDelayError, match="number of milliseconds from 0 to 60000"):
        parse_delay(text)
