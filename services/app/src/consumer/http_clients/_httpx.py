"""One call with httpx, with the errors of the lab."""

import httpx

from consumer.errors import UpstreamError, UpstreamTimeoutError
from consumer.http_clients import Answer, Call


def get(client: httpx.Client, call: Call) -> Answer:
    try:
        response = client.get(call.url)
    except httpx.HTTPError as error:
        raise _translated(error, call) from error
    return Answer(response.status_code, response.content)


async def get_async(client: httpx.AsyncClient, call: Call) -> Answer:
    try:
        response = await client.get(call.url)
    except httpx.HTTPError as error:
        raise _translated(error, call) from error
    return Answer(response.status_code, response.content)


def _translated(error: httpx.HTTPError, call: Call) -> Exception:
    kind = UpstreamTimeoutError if isinstance(error, httpx.TimeoutException) else UpstreamError
    return kind(f"{call.url}: {type(error).__name__}: {error}")
