"""What the launchers of idle servers use."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from loadgen.errors import TrialError
from loadgen.trials.idle import Idle
from loadgen.trials.instruments import AppStats, NoLauncher
from tests.make import an_app_stats


class StandInLauncher(NoLauncher):
    """A launcher that says how much CPU time it has used; None: it is gone."""

    def __init__(self, cpu_s: float | None) -> None:
        self.cpu_s = cpu_s

    def stats(self, memory: bool = False) -> AppStats:  # noqa: ARG002
        if self.cpu_s is None:
            raise TrialError("launcher-lost", "it does not answer")
        return an_app_stats(1, None, launcher_cpu_seconds=self.cpu_s)

    def use(self, cpu_s: float) -> None:
        assert self.cpu_s is not None
        self.cpu_s += cpu_s


def cpu_seconds(
    happens: Callable[[Idle, StandInLauncher, StandInLauncher], None],
) -> tuple[object, object]:
    one, two = StandInLauncher(5.0), StandInLauncher(7.0)
    idle = Idle({"one": one, "two": two}, app_cpus=1)
    happens(idle, one, two)
    document = idle.document()
    return document["launchers"], document["cpu_seconds"]


def test_launchers_that_do_nothing_use_nothing() -> None:
    assert cpu_seconds(lambda *_: None) == (2, 0)


def test_work_for_a_trial_of_its_own_is_not_idle() -> None:
    def happens(idle: Idle, one: StandInLauncher, two: StandInLauncher) -> None:
        with idle.not_idle("one"):
            one.use(0.25)
            two.use(0.125)
        one.use(0.0625)

    assert cpu_seconds(happens) == (2, 0.1875)


def test_a_trial_that_fails_is_left_out_too() -> None:
    def happens(idle: Idle, one: StandInLauncher, _: StandInLauncher) -> None:
        with suppress(TrialError), idle.not_idle("one"):
            one.use(0.25)
            raise TrialError("server-died", "it did")

    assert cpu_seconds(happens) == (2, 0)


def test_a_launcher_that_is_gone_is_left_out() -> None:
    def happens(_: Idle, one: StandInLauncher, two: StandInLauncher) -> None:
        one.cpu_s = None
        two.use(0.5)

    assert cpu_seconds(happens) == (1, 0.5)


def test_a_server_without_a_launcher_is_left_out() -> None:
    idle = Idle({"mine": NoLauncher("http://mine:8000/")}, app_cpus=1)
    with idle.not_idle("mine"):
        pass
    assert idle.document()["launchers"] == 0


def test_a_launcher_that_was_restarted_counts_from_there() -> None:
    def happens(_: Idle, one: StandInLauncher, __: StandInLauncher) -> None:
        one.cpu_s = 0.125

    assert cpu_seconds(happens) == (2, 0.125)


def test_what_cannot_be_read_is_empty_not_zero() -> None:
    document = Idle({"one": StandInLauncher(None)}, app_cpus=1).document()
    assert (document["launchers"], document["cpu_seconds"], document["app_cpu_share"]) == (
        0,
        None,
        None,
    )


def test_the_share_is_of_the_apps_cpus_over_the_whole_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter((100.0, 150.0))
    monkeypatch.setattr("loadgen.trials.idle.time.monotonic", lambda: next(clock))
    one = StandInLauncher(0.0)
    idle = Idle({"one": one}, app_cpus=2)
    one.use(1.0)
    document = idle.document()
    assert (document["seconds"], document["app_cpu_share"]) == (50.0, 0.01)
