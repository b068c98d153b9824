"""200 questions with their answers, for the laws' other self in the report's script.

`python -m tests.prediction_points > tests/prediction_points.json` writes them anew, after a change
of the laws that is meant. One test holds the file to Python, another to the script in a browser.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadgen.prediction.stack import Memory, Point, Prediction, Stack, predict_stack
from loadgen.theory.mva import flow

FILE = Path(__file__).with_suffix(".json")
COUNT = 200


def stacks() -> list[Stack]:
    """One without limits, one with slots, one with a pool, one of two loads without memory."""
    cheap = _points(
        (5, 0.006, 0.006), (100, 0.0042, 0.004), (500, 0.003, 0.0029), (2000, 0.003, 0.003)
    )
    dear = _points((5, 0.012, 0.011), (50, 0.0131, 0.010), (100, 0.0137, 0.0103))
    memory = Memory(41.5, 0.137, 5, 2000)
    return [
        Stack("uvicorn", "aiohttp-shared", "Uvicorn", "", cheap, None, None, memory),
        Stack("threads", "httpx-per-request", "Threads", "", dear, 100, None, memory),
        Stack("uvicorn", "aiohttp-small-pool", "Uvicorn", "", cheap, None, 57.1, memory),
        Stack("threads", "no-http", "Threads", "", cheap[:2], 40, None, None),
    ]


def _points(*loads: tuple[int, float, float]) -> tuple[Point, ...]:
    return tuple(
        Point(flow(users, 0.6, held_s).queue, held_s, cpu_s) for users, held_s, cpu_s in loads
    )


def document() -> dict[str, Any]:
    """The stacks and the questions with their answers."""
    return {"stacks": [asdict(stack) for stack in stacks()], "points": list(_asked())}


def _asked() -> Iterator[dict[str, Any]]:
    drawn = random.Random(20261125)
    for number in range(COUNT):
        index = number % len(stacks())
        users = round(10 ** drawn.uniform(0.7, 3.2))
        service_s = round(10 ** drawn.uniform(-0.7, 0.3), 3)
        cpus = drawn.choice((1, 1, 2, 3, 4, 8))
        question = {"stack": index, "users": users, "service_s": service_s, "cpus": cpus}
        yield question | {"answer": _answer(predict_stack(stacks()[index], users, service_s, cpus))}


def _answer(made: object) -> dict[str, Any]:
    if isinstance(made, Prediction):
        figures = asdict(made)
        del figures["bound"]
        return {"refused": False} | figures | {"bound_by": made.bound.by}
    return {"refused": True} | asdict(made)  # type: ignore[call-overload, no-any-return]


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
