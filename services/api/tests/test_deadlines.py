"""The order in which deadlines come out."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from upstream.deadlines import SMALLEST_HEAP_TO_TIDY, Deadlines

DUES = st.lists(st.integers(0, 30), max_size=300)


def noting(notes: list[int], index: int) -> Callable[[], None]:
    return lambda: notes.append(index)


def take_all(deadlines: Deadlines, now_ns: int) -> None:
    while callback := deadlines.take(now_ns):
        callback()


@given(DUES)
def test_deadlines_come_out_by_instant_and_equal_ones_as_they_went_in(dues: list[int]) -> None:
    deadlines, notes = Deadlines(), list[int]()
    for index, due in enumerate(dues):
        deadlines.add(due, noting(notes, index))

    take_all(deadlines, 30)

    assert notes == sorted(range(len(dues)), key=lambda index: dues[index])
    assert len(deadlines) == 0


@given(DUES, st.integers(-1, 31))
def test_none_comes_out_before_its_instant(dues: list[int], now: int) -> None:
    deadlines, notes = Deadlines(), list[int]()
    for index, due in enumerate(dues):
        deadlines.add(due, noting(notes, index))

    take_all(deadlines, now)

    assert {dues[index] for index in notes} == {due for due in dues if due <= now}
    assert deadlines.next_due_ns() == min((due for due in dues if due > now), default=None)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=300), st.integers(-1, 31))
def test_a_cancelled_one_never_comes_out(dues: list[tuple[int, bool]], now: int) -> None:
    deadlines, notes = Deadlines(), list[int]()
    waiting = [deadlines.add(due, noting(notes, i)) for i, (due, _) in enumerate(dues)]
    take_all(deadlines, now)
    taken = set(notes)

    for deadline, (_, cancel) in zip(waiting, dues, strict=True):
        if cancel:
            deadlines.cancel(deadline)
            deadlines.cancel(deadline)  # twice is harmless, and so is after its instant
    kept = {i for i, (_, cancel) in enumerate(dues) if not cancel and i not in taken}

    assert len(deadlines) == len(kept)
    assert deadlines.next_due_ns() == min((dues[i][0] for i in kept), default=None)
    take_all(deadlines, 30)
    assert set(notes) == taken | kept


def test_cancelled_ones_do_not_pile_up() -> None:
    deadlines = Deadlines()
    deadlines.add(1, lambda: None)

    for due in range(10_000):
        deadlines.cancel(deadlines.add(60_000 + due, lambda: None))

    assert len(deadlines) == 1
    assert len(deadlines._heap) <= SMALLEST_HEAP_TO_TIDY + 1
