"""What a stack would do under a load that was not measured."""

import dataclasses
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.prediction.stack import (
    Memory,
    Point,
    Prediction,
    Refusal,
    Stack,
    at_queue,
    predict_stack,
)
from loadgen.theory.mva import flow
from tests.prediction_points import FILE, document


def a_point(users: int, service_s: float, held_s: float, cpu_s: float | None = None) -> Point:
    """What is measured where so many users find the process held for so long."""
    return Point(flow(users, service_s, held_s).queue, held_s, cpu_s or held_s)


#: Views get cheaper with load, as an event loop's do.
LIGHT, MIDDLE, HEAVY = a_point(10, 0.6, 0.006), a_point(100, 0.6, 0.004), a_point(400, 0.6, 0.003)


def a_stack(**attributes: Any) -> Stack:
    plain: dict[str, Any] = {
        "server": "uvicorn",
        "http_client": "aiohttp-shared",
        "title": "Uvicorn, 1 process, async",
        "axes": "",
        "points": (LIGHT, MIDDLE, HEAVY),
        "slots": None,
        "pool": None,
        "memory": Memory(40.0, 0.1, 10, 400),
    }
    return Stack(**plain | attributes)


def predicted(stack: Stack, users: int, service_s: float = 0.6, cpus: int = 1) -> Prediction:
    made = predict_stack(stack, users, service_s, cpus)
    assert isinstance(made, Prediction)
    return made


@pytest.mark.parametrize(("users", "held_s"), [(10, 0.006), (100, 0.004), (400, 0.003)])
def test_what_was_measured_is_predicted_as_it_was_measured(users: int, held_s: float) -> None:
    made = predicted(a_stack(), users)
    assert made.rps == pytest.approx(flow(users, 0.6, held_s).rps)
    assert made.cpu_ms_per_view == pytest.approx(held_s * 1000)
    assert made.latency_ms == pytest.approx(users / made.rps * 1000)


def test_between_two_loads_a_view_costs_something_between() -> None:
    made = predicted(a_stack(), 200)
    assert 3 < made.cpu_ms_per_view < 4
    assert flow(200, 0.6, 0.004).rps < made.rps < flow(200, 0.6, 0.003).rps


@given(st.integers(10, 400), st.floats(0.2, 2))
def test_the_queue_is_the_one_that_its_time_was_measured_at(users: int, service_s: float) -> None:
    """A fixed point: the law of the predicted CPU makes the predicted rate."""
    made = predict_stack(a_stack(), users, service_s, cpus=1)
    if isinstance(made, Prediction):
        held_s = made.cpu_ms_per_view / 1000  # all held time is CPU time here
        found = flow(users, service_s, held_s)
        assert found.rps == pytest.approx(made.rps, rel=1e-6)
        assert at_queue(a_stack().points, found.queue).held_s == pytest.approx(held_s, rel=1e-6)


@given(st.integers(1, 2000), st.floats(0.1, 5), st.integers(1, 4))
def test_outside_what_was_measured_it_is_refused_with_the_users_that_are_inside(
    users: int, service_s: float, cpus: int
) -> None:
    made = predict_stack(a_stack(), users, service_s, cpus)
    if isinstance(made, Prediction):
        return
    assert isinstance(made, Refusal)
    assert made.fewest is not None
    assert made.most is not None
    assert not made.fewest <= users <= made.most
    for inside in (made.fewest, made.most):
        assert isinstance(predict_stack(a_stack(), inside, service_s, cpus), Prediction)
    for outside in (made.fewest - 1, made.most + 1):
        assert outside < 1 or isinstance(
            predict_stack(a_stack(), outside, service_s, cpus), Refusal
        )


def test_a_single_load_speaks_of_itself_only() -> None:
    stack = a_stack(points=(MIDDLE,))
    assert isinstance(predict_stack(stack, 100, 0.6, 1), Prediction)
    assert predict_stack(stack, 101, 0.6, 1) == Refusal(100, 100)
    assert predict_stack(stack, 1000, 100, 1) == Refusal(None, None)


def test_of_more_users_than_slots_the_slots_are_in_service() -> None:
    stack = a_stack(slots=100)
    at_most, more = predicted(stack, 100), predicted(stack, 5000)
    assert more.rps == at_most.rps
    assert more.latency_ms == pytest.approx(50 * at_most.latency_ms)
    assert more.memory_mib == at_most.memory_mib
    assert (at_most.bound.by, more.bound.by) == ("users+slots", "slots")


def test_where_slots_are_full_any_more_users_are_known_too() -> None:
    assert predict_stack(a_stack(slots=100), 5, 0.6, 1) == Refusal(10, None)


def test_a_cpu_that_is_used_up_binds() -> None:
    assert predicted(a_stack(), 400).bound.by == "cpu"


def test_a_process_that_is_held_without_cpu_time_is_not_explained() -> None:
    points = (a_point(100, 0.6, 0.013, cpu_s=0.010), a_point(200, 0.6, 0.013, cpu_s=0.010))
    made = predicted(a_stack(points=points), 150)
    assert made.rps == pytest.approx(1 / 0.013, rel=0.01)
    assert made.cpu_share == pytest.approx(10 / 13, rel=0.01)
    assert made.bound.by == "unexplained"


def test_four_cpus_serve_four_times_the_users_of_one() -> None:
    one, four = predicted(a_stack(slots=500), 100), predicted(a_stack(slots=500), 400, cpus=4)
    assert four.rps == pytest.approx(4 * one.rps)
    assert four.latency_ms == pytest.approx(one.latency_ms)
    assert four.cpu_share == pytest.approx(one.cpu_share)
    assert four.memory_mib == pytest.approx(4 * (one.memory_mib or 0))


def test_users_who_do_not_divide_are_split_as_evenly_as_can_be() -> None:
    made = predicted(a_stack(), 201, cpus=2)
    parts = [predicted(a_stack(), users).rps for users in (100, 101)]
    assert made.rps == pytest.approx(sum(parts))


def test_a_pool_lets_no_more_views_through_than_its_connections() -> None:
    made = predicted(a_stack(pool=34.3), 100)
    assert made.rps == pytest.approx(34.3 / 0.6)
    assert made.bound.by == "pool"
    assert made.cpu_share == pytest.approx(made.rps * made.cpu_ms_per_view / 1000)


def test_memory_is_known_between_the_loads_that_were_measured() -> None:
    assert predicted(a_stack(), 200).memory_mib == pytest.approx(60)
    narrow = a_stack(memory=Memory(40.0, 0.1, 150, 400))
    assert predicted(narrow, 100).memory_mib is None
    assert predicted(a_stack(memory=None), 100).memory_mib is None


@given(st.integers(10, 400), st.floats(0.3, 3), st.integers(1, 4))
def test_no_share_is_more_than_all(users: int, service_s: float, cpus: int) -> None:
    stack = dataclasses.replace(a_stack(), slots=120)
    made = predict_stack(stack, users, service_s, cpus)
    if isinstance(made, Prediction):
        assert 0 < made.cpu_share <= 1 + 1e-9
        assert made.rps * service_s <= users * (1 + 1e-9)
        assert made.rps * service_s <= 120 * cpus * (1 + 1e-9)


def rounded(document: object) -> object:
    """The same with ten significant digits: libraries of mathematics differ in the last."""
    return json.loads(json.dumps(document), parse_float=lambda text: f"{float(text):.10g}")


def test_the_points_for_the_reports_script_are_what_python_says() -> None:
    written = json.loads(FILE.read_text())
    assert rounded(written) == rounded(document())


def test_the_points_for_the_reports_script_meet_every_limit_and_refusals() -> None:
    answers = [point["answer"] for point in json.loads(FILE.read_text())["points"]]
    assert len(answers) == 200
    assert 20 < sum(answer["refused"] for answer in answers) < 100
    limits = Counter(answer.get("bound_by") for answer in answers)
    assert {"users", "slots", "pool", "cpu", "unexplained"} < set(limits)
