"""The query parameters of the views."""

import pytest

from consumer import parameters
from consumer.errors import BadParameterError
from consumer.parameters import Parameters

UPSTREAMS = {"http": "http://api:9000", "https": "https://api:9443"}


def read(**query: str) -> Parameters:
    return parameters.read(query, delays_ms="300,600,150", upstream="http", upstreams=UPSTREAMS)


def test_without_parameters_the_defaults_count() -> None:
    assert read() == Parameters(("300", "600", "150"), "http", 0)


def test_all_parameters_are_read() -> None:
    assert read(delays_ms="62.5,0", upstream="https", cpu_ms="2.5") == Parameters(
        ("62.5", "0"), "https", 2.5
    )


@pytest.mark.parametrize(
    "delays", ["", "x", "-1", "1,,2", "1, 2", "60001", "1e3", "nan", "٣", "../1", "1,2,"]
)
def test_a_bad_delay_is_refused_with_its_name(delays: str) -> None:
    with pytest.raises(BadParameterError, match="delays_ms"):
        read(delays_ms=delays)


def test_too_many_delays_are_refused() -> None:
    with pytest.raises(BadParameterError, match="33 delays"):
        read(delays_ms=",".join(["1"] * 33))


@pytest.mark.parametrize("cpu", ["", "-1", "x", "60001"])
def test_a_bad_cpu_time_is_refused(cpu: str) -> None:
    with pytest.raises(BadParameterError, match="cpu_ms"):
        read(cpu_ms=cpu)


def test_an_unknown_upstream_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadParameterError, match="http, https"):
        read(upstream="gopher")


def test_a_misspelt_parameter_is_refused_not_ignored() -> None:
    with pytest.raises(BadParameterError, match="delay_ms"):
        read(delay_ms="300")
