"""The caveats of a run, each with its advice, once."""

from collections.abc import Iterator

from loadgen.documents.document import PAGE, Block, Terms, Text
from loadgen.documents.run_material import Material
from loadgen.findings.summary import starved_users
from loadgen.trials import caveats

HEADING = "Caveats, and what to do"
#: Cases beyond this are counted.
MOST_NAMED = 6


def blocks(material: Material) -> Iterator[Block]:
    """Every caveat that some case has, in the lab's order, with the cases concerned.

    Not of a search's windows: a search asks how far a server can be driven, and reads them itself.
    """
    named: dict[str, dict[str, None]] = {}
    for group in material.groups:
        for entry in group.entries:
            for name in entry.caveats:
                label = material.labels.name(entry.case)
                words = starved_users(entry.rows) if name == caveats.STARVED.name else ""
                named.setdefault(name, {})[f"{label}: {words}" if words else label] = None
    entries = [
        (caveat.name, "; ".join(_shortened(list(named[caveat.name]))), caveat.advice)
        for caveat in caveats.ALL
        if caveat.name in named
    ]
    yield Terms(entries) if entries else Text(["No row has any."], shown=PAGE)


def _shortened(names: list[str]) -> list[str]:
    more = len(names) - MOST_NAMED
    return names if more <= 1 else [*names[:MOST_NAMED], f"{more} more cases"]
