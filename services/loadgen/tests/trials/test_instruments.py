"""What is read from the kernel and from Compose's environment."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.errors import ConfigurationError
from loadgen.lab.cpus import container_cpu_seconds, cpu_set, steal_ticks
from loadgen.lab.lab import read_lab

PROC_STAT = """\
cpu  300 0 100 1000 20 0 10 36 7 0
cpu0 100 0 50 500 10 0 5 30 7 0
cpu1 200 0 50 500 10 0 5 6 0 0
cpu10 9 9 9 9 9 9 9 9 9 9
intr 4242 1 2 3
ctxt 77
"""


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0", {0}), ("0-2,4", {0, 1, 2, 4}), ("1, 3", {1, 3}), ("7-7", {7}), ("2\n", {2})],
)
def test_a_cpu_list_is_read_as_docker_writes_it(text: str, cpus: set[int]) -> None:
    assert cpu_set(text) == cpus


@given(st.sets(st.integers(0, 300), min_size=1))
def test_a_cpu_list_is_any_set_of_cpus(cpus: set[int]) -> None:
    assert cpu_set(",".join(map(str, cpus))) == cpus


def test_no_cpu_list_is_every_cpu_of_this_process() -> None:
    assert cpu_set("") == os.sched_getaffinity(0)


def test_stolen_ticks_are_those_of_the_asked_cpus() -> None:
    assert steal_ticks(PROC_STAT, frozenset({0})) == (30, 695)
    assert steal_ticks(PROC_STAT, frozenset({0, 1})) == (36, 695 + 771)


def test_guest_time_is_not_counted_twice() -> None:
    _, total = steal_ticks("cpu0 1 2 3 4 5 6 7 8 1000 1000\n", frozenset({0}))
    assert total == 36


def test_a_cpu_that_is_not_there_has_no_ticks() -> None:
    assert steal_ticks(PROC_STAT, frozenset({5})) == (0, 0)


def test_the_kernels_own_account_can_be_read() -> None:
    _, total = steal_ticks(Path("/proc/stat").read_text(), frozenset(range(os.cpu_count() or 1)))
    assert total > 0


def test_cpu_seconds_are_read_from_cgroup_v2(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n")
    assert container_cpu_seconds(tmp_path) == 2.5


def test_cpu_seconds_are_read_from_cgroup_v1(tmp_path: Path) -> None:
    (tmp_path / "cpuacct").mkdir()
    (tmp_path / "cpuacct" / "cpuacct.usage").write_text("1500000000\n")
    assert container_cpu_seconds(tmp_path) == 1.5


def test_without_a_cgroup_cpu_seconds_are_unknown(tmp_path: Path) -> None:
    assert container_cpu_seconds(tmp_path) is None


def test_this_containers_own_cpu_seconds_grow_with_its_work() -> None:
    before = container_cpu_seconds()
    assert before is not None
    began = os.times().user
    while os.times().user - began < 0.05:
        sum(range(10_000))
    after = container_cpu_seconds()
    assert after is not None
    assert after - before >= 0.03  # user time counts in ticks of 10 ms


@pytest.mark.usefixtures("in_project")
def test_the_lab_has_the_cpus_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_CPUS", "0-1")
    monkeypatch.setenv("API_CPUS", "2")
    lab = read_lab()
    assert lab.roles.app == {0, 1}
    assert lab.roles.api == {2}
    assert lab.roles.loadgen == os.sched_getaffinity(0)


@pytest.mark.usefixtures("in_project")
def test_a_wrong_cpu_list_is_named_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_CPUS", "first")
    with pytest.raises(ConfigurationError, match=r"APP_CPUS='first' is not a list of CPUs.*0-2,4"):
        read_lab()


@pytest.mark.usefixtures("in_project")
def test_facts_of_the_host_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_HOST_FACTS", '{"docker": "20.10"}')
    assert read_lab().host_facts == {"docker": "20.10"}


@pytest.mark.usefixtures("in_project")
@pytest.mark.parametrize("text", ["{", "[1]"])
def test_facts_that_are_no_json_object_are_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_HOST_FACTS", text)
    with pytest.raises(ConfigurationError, match="LAB_HOST_FACTS"):
        read_lab()
