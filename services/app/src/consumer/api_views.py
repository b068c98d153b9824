"""Article A's upstream, a Django view: waits as long as the URL says, then answers with JSON."""

import asyncio
import random
import time

from django.http import HttpRequest, JsonResponse

from consumer import parameters
from consumer.countries import COUNTRIES
from consumer.errors import BadParameterError


async def country(request: HttpRequest, ms: str) -> JsonResponse:  # noqa: ARG001
    """A random country."""
    return await _after(ms, random.choice(COUNTRIES))


async def todo(request: HttpRequest, number: int) -> JsonResponse:
    """Article B's document, with the number that was asked for."""
    title = "delectus aut autem"
    document = {"userId": 1, "id": number, "title": title, "completed": False}
    return await _after(request.GET.get("ms", "0"), document)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:  # noqa: ARG001
    message = "unknown path: this API knows /{ms}/ and /todos/{id}?ms="
    return JsonResponse({"error": message}, status=404)


async def _after(ms: str, document: dict[str, object] | dict[str, str]) -> JsonResponse:
    """The answer, never earlier than asked; 400 where `ms` is no delay."""
    began = time.monotonic()
    try:
        end = began + parameters.milliseconds("ms", ms, parameters.DELAY_MAX_MS) / 1000
    except BadParameterError as error:
        return JsonResponse({"error": str(error)}, status=error.status)
    # A loop's timer may fire a little early, uvloop's up to a millisecond: look at the clock again.
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(left)
    return JsonResponse(document)
