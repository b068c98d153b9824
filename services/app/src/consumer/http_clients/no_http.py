"""no-http: waits as long as the calls would take at best, and makes none."""

import asyncio
import time
from collections.abc import Sequence

from consumer.http_clients import Answer, Call, InTurn


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
    delays_ms = [call.delay_ms for call in calls]
    service_time_ms = sum(delays_ms) if isinstance(calls, InTurn) else max(delays_ms)
    return time.monotonic() + service_time_ms / 1000


def _examples(calls: Sequence[Call]) -> list[Answer]:
    return [Answer(200, call.example) for call in calls]
