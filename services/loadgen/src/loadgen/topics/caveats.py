"""The caveats of a run, each with its advice, once."""

from collections.abc import Callable, Iterator, Sequence

from loadgen.documents.document import PAGE, TEXT, Block, Terms, Text
from loadgen.documents.run_material import Entry, Material
from loadgen.documents.words import count_of, listing
from loadgen.findings.summary import starved_users
from loadgen.records.columns import Row, last_attempts
from loadgen.theory.statistics import MARGIN
from loadgen.trials import caveats

HEADING = "Caveats, and what to do"
#: Beyond this they are counted.
MOST_NAMED = 6
#: So many lines a screen has for them, of so many letters.
MOST, LINE = 6, 80


def blocks(material: Material) -> Iterator[Block]:
    """Every caveat that some case has, in the lab's order, with the cases concerned.

    Text names the servers: which of their cases it is stands in the tables right above. A page's
    reader comes from anywhere, so it names the cases.
    """
    if again := measured_again(material.rows):
        yield Text([again])
    servers = _terms(material, lambda entry: entry.case.server, ", ")
    if not servers:
        yield Text(["No row has a caveat."], shown=PAGE)
        return
    yield Terms(servers, shown=TEXT)
    yield Terms(_terms(material, lambda entry: material.labels.name(entry.case), "; "), shown=PAGE)


def measured_again(rows: Sequence[Row]) -> str:
    """How many trials were measured again, and why; empty where none was."""
    repeats = _repeated(rows)
    if not repeats:
        return ""
    open_yet = sum(row in repeats and not row.is_ranked for row in last_attempts(rows))
    words = f"{_repeats(rows)}. The API, the load or the machine may have changed their figures by "
    words += f"over {MARGIN:.0%}, or those of a case that they are compared with. "
    words += "The last attempt counts"
    return words + (f"; {open_yet} of them may still be off." if open_yet else ".")


def _repeated(rows: Sequence[Row]) -> list[Row]:
    """Those that are no first attempts."""
    return [row for row in rows if (row.count("attempt") or 1) > 1]


def _repeats(rows: Sequence[Row]) -> str:
    """`3 trials were measured again, 5 times in all`; empty where none was."""
    repeats = _repeated(rows)
    count = len({(row.case, row["round"]) for row in repeats})
    were = "was" if count == 1 else "were"
    times = count_of(len(repeats), "time")
    return f"{count_of(count, 'trial')} {were} measured again, {times} in all" if repeats else ""


def brief_blocks(material: Material) -> Iterator[Block]:
    """The caveats that matter most, a line each: those that unrank, then those of most cases; and
    how much was measured again.
    """
    concerned: dict[str, list[Entry]] = {}
    entries = [entry for group in material.groups for entry in group.entries]
    for entry in entries:
        for name in entry.caveats:
            concerned.setdefault(name, []).append(entry)
    known = [caveat for caveat in caveats.ALL if caveat.name in concerned]
    known.sort(key=lambda caveat: (not caveat.unranks, -len(concerned[caveat.name])))
    if known:
        yield Terms([_line(each, concerned[each.name], len(entries)) for each in known[:MOST]])
    if more := listing((caveat.name for caveat in known[MOST:]), most=6):
        yield Text([f"Also: {more}."], "note")
    if again := _repeats(material.rows):
        why = (
            "the lab itself may have changed their figures, or those of a case that they are "
            "compared with."
        )
        yield Text([f"{again}: {why}"], "note")


def _line(caveat: caveats.Caveat, of: Sequence[Entry], among: int) -> tuple[str, str, str]:
    """A caveat in a line: with its servers where there is room, else with how many cases."""
    servers = ", ".join(dict.fromkeys(entry.case.server for entry in of))
    room = LINE - len(f"{caveat.name} (): {caveat.short}")
    whose = servers if len(servers) <= room else f"{len(of)} of {among}"
    return caveat.name, whose, caveat.short


def _terms(
    material: Material, name_of: Callable[[Entry], str], separator: str
) -> list[tuple[str, str, str]]:
    """Not of a search's windows: a search asks how far a server can be driven, and reads them
    itself.
    """
    named: dict[str, dict[str, None]] = {}
    for group in material.groups:
        for entry in group.entries:
            for name in entry.caveats:
                words = starved_users(entry.rows) if name == caveats.STARVED.name else ""
                whose = f"{name_of(entry)}: {words}" if words else name_of(entry)
                named.setdefault(name, {})[whose] = None
    return [
        (caveat.name, separator.join(_shortened(list(named[caveat.name]))), caveat.advice)
        for caveat in caveats.ALL
        if caveat.name in named
    ]


def _shortened(names: list[str]) -> list[str]:
    more = len(names) - MOST_NAMED
    return names if more <= 1 else [*names[:MOST_NAMED], f"{more} more"]
