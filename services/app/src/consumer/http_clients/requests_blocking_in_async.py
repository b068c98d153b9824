"""requests-blocking-in-async: an async view that calls requests on the event loop, a trap.

Each call blocks the loop until it is answered. So a view's calls come one after the other, and so
do the views: whatever else the process should do has to wait.
"""

from collections.abc import Sequence

from consumer.http_clients import Answer, Call, parallel, requests_shared


async def fetch_async(calls: Sequence[Call]) -> list[Answer]:
    return await parallel.in_tasks(_get, calls)


async def _get(call: Call) -> Answer:
    return requests_shared.get(call)
