"""The caveats of a run, each with its advice, once."""

from loadgen.documents.blocks import Section, Terms, Text
from loadgen.documents.material import Material
from loadgen.findings.summary import starved_users
from loadgen.trials import caveats

#: Cases beyond this are counted.
MOST_NAMED = 6


def section(material: Material) -> Section:
    """Every caveat that some case has, in the lab's order, with the cases concerned."""
    named: dict[str, dict[str, None]] = {}
    for group in material.groups:
        for entry in group.entries:
            for name in entry.caveats:
                label = material.labels.name(entry.case)
                words = starved_users(entry.line.rows) if name == caveats.STARVED.name else ""
                named.setdefault(name, {})[f"{label}: {words}" if words else label] = None
    entries = [
        (caveat.name, "; ".join(_shortened(list(named[caveat.name]))), _sentence(caveat.advice))
        for caveat in caveats.ALL
        if caveat.name in named
    ]
    if not entries:
        return Section("caveats", "Caveats", [Text(["No row has any."])])
    return Section("caveats", "Caveats, and what to do", [Terms(entries)])


def _shortened(names: list[str]) -> list[str]:
    more = len(names) - MOST_NAMED
    return names if more <= 1 else [*names[:MOST_NAMED], f"{more} more cases"]


def _sentence(advice: str) -> str:
    return advice[:1].upper() + advice[1:]
