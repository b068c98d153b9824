"""How to refute what a run says of a case, or of a duet: repeat it, and see how it was made."""

import shlex
from collections.abc import Iterator

from markupsafe import Markup

from loadgen.documents import command_lines
from loadgen.documents.document import Block, Command, Folded, Text
from loadgen.documents.duets_of_a_run import DuetOfARun
from loadgen.documents.run_material import Entry, Material
from loadgen.documents.words import decimals, listing, prose
from loadgen.findings.summary import over_rounds
from loadgen.lab.lab import SetAxes
from loadgen.records.trials_csv import name_of
from loadgen.suites.pairs import CPU_METRIC
from loadgen.suites.suite import Suite
from loadgen.trials import caveats


def key_of(key: str) -> str:
    """The anchor of what refutes a case or duet of that key."""
    return f"refute-{key}"


def of_case(material: Material, suite: Suite, entry: Entry) -> Folded:
    """What refutes a case."""
    result = entry.outcome or f"{decimals(entry.value('rps'), 1)} views/s"
    return Folded(
        summary=_summary(entry.label, result),
        blocks=list(_against_case(material, suite, entry)),
        key=key_of(entry.key),
    )


def of_duet(material: Material, duet: DuetOfARun, label: str) -> Folded:
    """What refutes a duet that is called so."""
    return Folded(
        summary=_summary(label, _result(duet)),
        blocks=list(_against_duet(material, duet)),
        key=key_of(duet.key),
    )


def _summary(label: str, result: str) -> Markup:
    return Markup("{} <small>{}</small>").format(label, result)


def _against_case(material: Material, suite: Suite, entry: Entry) -> Iterator[Block]:
    server = material.servers[entry.case.server]
    again = command_lines.repeat_case(entry.case, suite, _axes(material))
    yield Command("Repeat it, five times:", again)
    yield from _as_it_ran(material, server.name, "The server")
    yield Text([f"Bound by: {entry.bound_by}. {_caveats(entry.caveats)}"])
    lines = "\n".join(command_lines.by_hand(entry.case, server))
    yield Command("Load it without the lab's driver (afterwards: docker compose down):", lines)
    if entry.measured:
        samples = material.samples(entry.measured[0]).name
        yield Text([Markup("Every request: <code>samples/{}</code>").format(samples)])


def _against_duet(material: Material, duet: DuetOfARun) -> Iterator[Block]:
    again = command_lines.repeat_duet(duet.a, duet.b, duet.suite, _axes(material))
    yield Command("Repeat it, five times:", again)
    for server in dict.fromkeys((duet.a.server, duet.b.server)):
        yield from _as_it_ran(material, server, server)
    yield Text([_caveats(caveats.in_order({name for row in duet.rows for name in row.caveats}))])
    if measured := [row for row in duet.of_a if row.is_measured]:
        slices = f"{name_of(measured[0])}.csv"
        yield Text([Markup("What each slice took: <code>slices/{}</code>").format(slices)])


def _result(duet: DuetOfARun) -> str:
    """What a view of each side costs, or why that is not known."""
    means = [over_rounds(rows, CPU_METRIC) for rows in (duet.of_a, duet.of_b)]
    if all(means):
        of_a, of_b = (decimals(mean.mean if mean else None, 2) for mean in means)
        return f"{of_a} and {of_b} ms of CPU per view"
    outcomes = dict.fromkeys(row.text("outcome") for row in duet.rows)
    return duet.why_given_up or f"failed: {', '.join(outcomes)}"


def _as_it_ran(material: Material, server: str, called: str) -> Iterator[Block]:
    """A server's flags, and the reasons for them."""
    flags = (material.environment.get("servers") or {}).get(server, {}).get("command")
    if flags:
        yield Command(f"{called} as it ran:", shlex.join(flags))
    if why := material.reasons.get(server):
        yield Text([Markup("<b>Why these flags:</b> {}").format(prose(why))])


def _caveats(names: list[str]) -> str:
    return f"Caveats: {listing(names, most=20) or 'none'}."


def _axes(material: Material) -> SetAxes:
    """Those that the command line has set for the run."""
    axes: SetAxes = material.environment.get("arguments", {}).get("axes") or {}
    return axes
