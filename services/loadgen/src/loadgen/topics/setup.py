"""What was measured and what the words mean, for a reader who has never seen the lab."""

from collections.abc import Iterable, Iterator, Sequence

from loadgen.documents.document import Block, Folded, Heading, Terms, Text
from loadgen.documents.run_material import Group, Material
from loadgen.documents.words import count_of, listing
from loadgen.duets.load import load_of
from loadgen.records.columns import Row, rows_by_duet
from loadgen.suites.cases import NO_HTTP, Case, plain, waits_ms
from loadgen.theory.statistics import MARGIN

#: More values of an axis than this are not told one by one.
MOST_VALUES = 8
CLIENTS = {
    "-per-request": "each view makes an HTTP client of its own and closes it again",
    "-shared": "all views of a process use one HTTP client, and its open connections",
    "-shared-context": "a client per view, but one TLS context for all of them",
    NO_HTTP: "the view waits as long without calling anybody: no client can do better",
}
SETTINGS = {
    "startproject": "Django's default middleware, DEBUG off",
    "bare": "no middleware",
    "article": "as article A's project: DEBUG on, default middleware",
    "article_bare": "DEBUG on, no middleware",
}
ALWAYS = {
    "sync, async": "how the view is written; a sync server gives it a thread or a greenlet, an "
    "async one runs it on an event loop",
    "slots": "requests that a server can work on at once: its threads or greenlets",
    "ceiling": "the most views/s that are possible: what the users ask for, or what slots, the "
    "client's connections or the CPUs allow; the smallest counts",
    "bound by": "the ceiling that was reached; unexplained where none was",
    "CPU per view": "CPU time of the server's processes in ms, divided by the views served",
    "PSS": "memory of the server's processes; what they share counts once",
    "[a–b]": "the 95 % interval, by how rounds differ: where the true value lies in 19 of 20 such "
    "runs; each round measures all cases once, in another order",
    "equivalent": f"known to differ by less than {100 * MARGIN:.0f} %; undecided: this run cannot "
    "tell",
}


def block(material: Material) -> Folded:
    """The words of the run, folded."""
    blocks: list[Block] = []
    for group in material.groups:
        if len(material.groups) > 1:
            blocks.append(Heading(group.suite.question))
        blocks.append(Text(list(_asked(group, material.rows))))
    cases = [entry.case for group in material.groups for entry in group.entries]
    blocks.append(Terms([(word, "", meaning) for word, meaning in _terms(cases)]))
    return Folded("What was measured, and what the words mean", blocks)


def not_made(rows: Iterable[Row]) -> str:
    """How many duets were given up, and what is there instead; empty where none was."""
    given_up = [row for row in rows if row.is_given_up]
    pairs = {frozenset((row.case, row.text("partner"))) for row in given_up}
    if not pairs:
        return ""
    words = f"{count_of(len(pairs), 'duet')} could not be made"
    if not all(map(load_of, given_up)):
        return words  # without a load there is nothing to try them at
    its = "its" if len(pairs) == 1 else "their"
    return f"{words}: trials one after the other took {its} place"


def _asked(group: Group, rows: Iterable[Row]) -> Iterator[str]:
    """What the views did, and who asked for them."""
    cases = [entry.case for entry in group.entries]
    calling = (case for case in cases if case.delays_ms)
    if calls := list(dict.fromkeys((case.workload, case.delays_ms) for case in calling)):
        waits = list(dict.fromkeys(_waits(*each) for each in calls))
        waiting = listing(waits, most=MOST_VALUES, joined="or")
        yield f"A view {waiting}{_computing(cases)}."
    if asking := listing(_loads(cases), joined="or"):
        yield f"The load: {asking}."
    if group.suite.search:
        yield "The search then lets requests arrive at random, at rates that it chooses."
    rounds = len({row["round"] for entry in group.entries for row in entry.rows})
    cases_words, rounds_words = count_of(len(cases), "case"), count_of(rounds, "round")
    by_side = rows_by_duet(rows)
    duets = [
        of_side
        for pair in group.suite.duets
        if (of_side := by_side.get((pair.a.slug, pair.b.slug)))
    ]
    if made := sum(any(row.is_measured for row in of_side) for of_side in duets):
        pairs = "pair of cases was" if made == 1 else "pairs of cases were"
        yield (
            f"{made} {pairs} measured in duets: two fresh server processes at once on the same "
            "CPUs, each with the same load."
        )
    if words := not_made(row for of_side in duets for row in of_side):
        yield f"{words}."
    if not cases:
        return
    yield (
        f"{cases_words}, each measured in {rounds_words}: a fresh server process, alone on its "
        "CPU. The API and the load run on another CPU where there is one."
    )


def _computing(cases: Sequence[Case]) -> str:
    """What views compute besides, as the end of a sentence; empty where none does."""
    times = sorted({case.cpu_ms for case in cases if case.cpu_ms})
    if not times:
        return ""
    some = "" if all(case.cpu_ms for case in cases) else "in some cases "
    return f"; {some}it also computes for {_any_of(times)} ms"


def _waits(workload: str, delays_ms: Sequence[float]) -> str:
    """What a view waits for, as a verb with its object."""
    calls = listing((plain(ms) for ms in delays_ms), most=MOST_VALUES)
    if len(delays_ms) == 1:
        return f"calls an API that answers after {calls} ms"
    how = "one after the other" if workload == "serial" else "at once"
    least = f"it takes at least {plain(waits_ms(workload, delays_ms))} ms"
    return f"calls an API {len(delays_ms)} times {how} ({calls} ms), so {least}"


def _loads(cases: Sequence[Case]) -> Iterator[str]:
    """Who asks for views: each kind of load once, with its sizes."""
    users = sorted({case.users for case in cases if case.users})
    if users:
        yield f"{_any_of(users)} users, who each ask again once they are answered"
    rates = sorted({case.rate_rps for case in cases if case.rate_rps})
    if rates:
        yield f"{_any_of(rates)} arrivals a second, whether or not earlier ones were answered"


def _any_of(values: Sequence[float]) -> str:
    """An axis's values: `1, 5 or 20`; of too many the first and the last."""
    texts = [plain(value) for value in values]
    if len(texts) > MOST_VALUES:
        return f"{texts[0]} to {texts[-1]}"
    return listing(texts, most=MOST_VALUES, joined="or")


def _terms(cases: Sequence[Case]) -> Iterator[tuple[str, str]]:
    """The words that this run needs."""
    clients = {case.http_client for case in cases}
    for ending, meaning in CLIENTS.items():
        if any(client.endswith(ending) for client in clients):
            yield ending, meaning
    settings = {case.settings for case in cases}
    if len(settings) > 1:
        yield from (entry for entry in SETTINGS.items() if entry[0] in settings)
    yield from ALWAYS.items()
