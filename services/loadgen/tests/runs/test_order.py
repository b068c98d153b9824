"""Compared cases are neighbours in each round, as far as a round can make them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from loadgen.lab.servers import read_servers
from loadgen.runs.order import RoundOrders
from loadgen.runs.plan import Plan
from loadgen.suites.cases import Case
from loadgen.suites.load_suites import load_suites
from loadgen.suites.pairs import Pair
from loadgen.trials.trial import Trial
from tests.make import a_case
from tests.suites.test_suite import lab_of

CASES = tuple(a_case(users=users) for users in range(1, 13))

some_pairs = st.lists(
    st.tuples(st.sampled_from(CASES), st.sampled_from(CASES)).filter(
        lambda pair: pair[0] != pair[1]
    ),
    max_size=30,
)


def neighbours(order: Sequence[Case], pairs: Iterable[Pair]) -> set[Pair]:
    """The pairs of which one stands right after the other."""
    beside = {frozenset(both) for both in pairwise(order)}
    return {pair for pair in pairs if frozenset(pair) in beside}


def rounds_of(names: str, rounds: int, project: Path) -> tuple[list[Pair], list[list[Case]]]:
    """What shipped suites compare, each pair once, and the order of each round."""
    suites = [suite for name in names.split() for suite in load_suites(lab_of(project), name)]
    pairs = {frozenset(pair): pair for suite in suites for pair in suite.pairs}
    planned = Plan(suites, read_servers(project), rounds, seed=1).certain()
    trials = [each for each in planned if isinstance(each, Trial)]
    numbers = range(1, rounds + 1)
    orders = [[trial.case for trial in trials if trial.round == number] for number in numbers]
    return list(pairs.values()), orders


def most_neighbours(pairs: Sequence[Pair], rounds: int) -> int:
    """No orders of so many rounds can make more of these pairs neighbours at least once.

    A case has two neighbours a round: of the pairs as edges, the most that give no case more than
    2 · rounds of them, in halves of an edge (half the maximum flow through two copies of the graph;
    J. Edmonds & R. M. Karp, "Theoretical Improvements in Algorithmic Efficiency for Network Flow
    Problems", Journal of the ACM 19(2), 1972). And a block of n cases has n − 1 places for them.
    """
    return sum(
        min(_flow(block, 2 * rounds) // 2, rounds * (len({c for pair in block for c in pair}) - 1))
        for block in _blocks(pairs)
    )


def _blocks(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """The pairs, those together that share a case, directly or through others."""
    blocks: list[list[Pair]] = []
    for pair in pairs:
        joined = [block for block in blocks if any(set(pair) & set(other) for other in block)]
        blocks = [block for block in blocks if block not in joined]
        blocks.append([pair, *(other for block in joined for other in block)])
    return blocks


def _flow(pairs: Sequence[Pair], of_a_case: int) -> int:
    number = {case: at for at, case in enumerate({case for pair in pairs for case in pair})}
    count = len(number)
    room = np.zeros((2 * count + 2, 2 * count + 2), np.int32)
    # The cases of the one copy, those of the other, then where the flow comes in and goes out.
    into, out = 2 * count, 2 * count + 1
    room[into, :count] = room[count : 2 * count, out] = of_a_case
    for a, b in pairs:
        for one, other in ((a, b), (b, a)):
            room[number[one], count + number[other]] = 1
    return int(maximum_flow(csr_array(room), into, out).flow_value)


@given(some_pairs, st.integers(0, 2**32))
def test_each_round_holds_each_case_once_whatever_is_compared(pairs: list[Pair], seed: int) -> None:
    orders = RoundOrders(pairs, seed)
    for count in (12, 7, 12):
        order = orders.next(CASES[:count])
        assert sorted(order, key=str) == sorted(CASES[:count], key=str)


@given(some_pairs, st.integers(0, 2**32))
def test_a_seed_gives_the_same_orders_again(pairs: list[Pair], seed: int) -> None:
    one, again = RoundOrders(pairs, seed), RoundOrders(pairs, seed)
    assert [one.next(CASES) for _ in range(3)] == [again.next(CASES) for _ in range(3)]


@given(some_pairs, st.integers(0, 2**32))
def test_no_case_of_another_block_stands_between_compared_ones(
    pairs: list[Pair], seed: int
) -> None:
    order = RoundOrders(pairs, seed).next(CASES)
    for block in _blocks(pairs):
        places = {order.index(case) for pair in block for case in pair}
        assert max(places) - min(places) == len(places) - 1


def test_a_runs_order_can_be_had_again_years_later() -> None:
    """With another Python too: a run that is resumed goes on in the order that it began in."""
    hub = [(CASES[0], other) for other in CASES[1:6]]
    orders = RoundOrders(hub, seed=7)
    assert [[case.users for case in orders.next(CASES[:8])] for _ in range(2)] == [
        [7, 8, 3, 5, 6, 1, 2, 4],
        [8, 4, 3, 1, 5, 6, 2, 7],
    ]


@pytest.mark.parametrize(
    ("names", "rounds"),
    [
        ("users", 3),
        ("traps", 3),
        ("quick", 3),
        ("delays", 3),
        ("planted", 6),
        ("claims", 5),
        ("cpu middleware upstreams", 5),
    ],
)
def test_all_that_a_suite_compares_are_neighbours_in_some_round(
    names: str, rounds: int, project: Path
) -> None:
    pairs, orders = rounds_of(names, rounds, project)
    assert len(neighbours(orders[0], pairs)) == most_neighbours(pairs, 1)
    assert {pair for order in orders for pair in neighbours(order, pairs)} == set(pairs)


@pytest.mark.parametrize(
    "names", ["clients", "servers", "why clients servers", "why clients servers claims"]
)
def test_of_suites_with_many_rivals_of_one_as_many_are_as_can_be(names: str, project: Path) -> None:
    pairs, orders = rounds_of(names, 5, project)
    most = most_neighbours(pairs, 1)
    counts = [len(neighbours(order, pairs)) for order in orders]
    assert counts[0] >= 0.95 * most
    assert min(counts) >= 0.8 * most
    ever = {pair for order in orders for pair in neighbours(order, pairs)}
    assert len(ever) >= 0.95 * most_neighbours(pairs, 5)


def test_a_block_too_large_to_be_settled_is_ordered_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("loadgen.runs.order.MOST_DISTANCES", 50)
    order = RoundOrders(list(combinations(CASES, 2)), seed=1).next(CASES)
    assert sorted(order, key=str) == sorted(CASES, key=str)


def test_who_cannot_be_a_neighbour_is_near(project: Path) -> None:
    """gunicorn's threads have 15 rivals in `servers`: they stand around it, eight places off."""
    pairs, orders = rounds_of("servers", 5, project)
    apart = [abs(order.index(a) - order.index(b)) for order in orders for a, b in pairs]
    assert sum(apart) / len(apart) < 5


@pytest.mark.parametrize(("names", "rounds"), [("users", 3), ("traps", 3), ("aa", 3)])
def test_who_was_measured_first_is_second_the_next_time(
    names: str, rounds: int, project: Path
) -> None:
    pairs, orders = rounds_of(names, rounds, project)
    for a, b in pairs:
        first = sum(order.index(a) < order.index(b) for order in orders)
        assert first in (1, 2)


def test_a_is_as_often_before_b_as_after_it() -> None:
    hub = [(CASES[0], other) for other in CASES[1:6]]
    first = Counter[int | None]()
    for seed in range(200):
        order = RoundOrders(hub, seed).next(CASES[:6])
        first.update(b.users for a, b in hub if order.index(a) < order.index(b))
    assert all(70 <= count <= 130 for count in first.values()), "a fair coin: 100 ± 4 deviations"
