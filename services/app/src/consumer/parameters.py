"""Query parameters of the views: what they mean, their bounds and defaults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from consumer.errors import BadParameterError

DELAY_MAX_MS = 60_000
CPU_MAX_MS = 60_000
CALLS_MAX = 32

_NUMBER = re.compile(r"[0-9]{1,8}(\.[0-9]{1,6})?")
_KNOWN = ("delays_ms", "upstream", "cpu_ms")


@dataclass(frozen=True)
class Parameters:
    """What one request asks for.

    Attributes:
        delays_ms: Delay of each upstream call in milliseconds, as text, as it goes into the URL.
        upstream: Key of settings.UPSTREAMS.
        cpu_ms: CPU time in milliseconds that the view burns beside its waiting.
    """

    delays_ms: tuple[str, ...]
    upstream: str
    cpu_ms: float


def read(
    query: Mapping[str, str], *, delays_ms: str, upstream: str, upstreams: Mapping[str, str]
) -> Parameters:
    """Read `query`; `delays_ms` and `upstream` are the defaults, `upstreams` the known ones.

    Raises:
        BadParameterError: A value is malformed or out of bounds, or a name is unknown.
    """
    for name in query:
        if name not in _KNOWN:
            raise BadParameterError(f"unknown parameter {name!r}: known are {', '.join(_KNOWN)}")
    delays = tuple(query.get("delays_ms", delays_ms).split(","))
    if len(delays) > CALLS_MAX:
        raise BadParameterError(
            f"delays_ms has {len(delays)} delays: at most {CALLS_MAX} are allowed"
        )
    for delay in delays:
        milliseconds("delays_ms", delay, DELAY_MAX_MS)
    upstream = query.get("upstream", upstream)
    if upstream not in upstreams:
        raise BadParameterError(f"upstream is {upstream!r}: allowed are {', '.join(upstreams)}")
    cpu_ms = milliseconds("cpu_ms", query.get("cpu_ms", "0"), CPU_MAX_MS)
    return Parameters(delays, upstream, cpu_ms)


def milliseconds(name: str, text: str, maximum: int) -> float:
    """The number of milliseconds that `text` is. Raises BadParameterError, with the `name`."""
    if not _NUMBER.fullmatch(text) or float(text) > maximum:
        raise BadParameterError(
            f"{name} has {text!r}: it must be milliseconds from 0 to {maximum}, such as 300 or 62.5"
        )
    return float(text)
