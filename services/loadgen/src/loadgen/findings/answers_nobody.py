"""Servers that answer nobody: the worst result that there is, and not a missing one."""

from collections.abc import Iterable

from loadgen.records.columns import Row
from loadgen.trials.caveats import API_SATURATED

#: A trial that ended like this says that the server does not carry its load; any other trial that
#: could not be measured says nothing about it. (hey records no answer where there is none.)
SERVERS_OWN_END = {
    "server-died": "died under the load",
    "out-of-memory": "ran out of memory",
    "no-answer": "answered nobody",
}


def is_silent(row: Row) -> bool:
    """Whether a server had its load and answered nobody well, or died of it.

    The driver may be late where every request is refused at once; only an API that was the limit
    excuses a server. Nor is it silent where the window fell between two waves: all who waited
    through it were answered after it, and nothing failed.
    """
    if not row.is_measured:
        return row["outcome"] in SERVERS_OWN_END
    excused = not row.is_ranked and API_SATURATED.name in row.caveats
    between_waves = bool(row["starved"]) and not row["failures"]
    return row["rps"] == 0 and not excused and not between_waves


def speaks(row: Row) -> bool:
    """Whether a row says how well a server answers: one that the lab held back says nothing."""
    return is_silent(row) or (row.is_measured and row.is_ranked)


def always_silent(rows: Iterable[Row]) -> bool:
    """Whether a case answered nobody in every round that says something, and in one at least."""
    telling = [row for row in rows if speaks(row)]
    return bool(telling) and all(map(is_silent, telling))


def silence(rows: Iterable[Row]) -> str:
    """`answered nobody in 2 of 3 rounds`; of all rounds without the count; empty where it always
    answered somebody.
    """
    telling = [row for row in rows if speaks(row)]
    silent = [row for row in telling if is_silent(row)]
    if not silent:
        return ""
    ends = dict.fromkeys(SERVERS_OWN_END.get(row.text("outcome"), "") for row in silent)
    what = "answered nobody" if "" in ends or len(ends) > 1 else next(iter(ends))
    if len(silent) == len(telling):
        return what
    return f"{what} in {len(silent)} of {len(telling)} rounds"
