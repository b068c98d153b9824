"""no-http: waits as long as the slowest call would take, and makes none."""

import asyncio
import time
from collections.abc import Sequence

from consumer.http_clients import Answer, Call


def fetch(calls: Sequence[Call]) -> list[Answer]:
    end = _end(calls)
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)
    return _examples(calls)


async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
    end = _end(calls)
    # uvloop's timers count whole milliseconds and fire up to one early: look at the clock again.
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(left)
    return _examples(calls)


def _end(calls: Sequence[Call]) -> float:
    return time.monotonic() + max(call.delay_ms for call in calls) / 1000


def _examples(calls: Sequence[Call]) -> list[Answer]:
    return [Answer(200, call.example) for call in calls]
