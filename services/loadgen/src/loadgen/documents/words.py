"""Numbers and lists as sentences and tables have them."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from loadgen.theory.statistics import Difference, Interval

UNKNOWN = "–"
UNITS = {"rps": "views/s", "max_rps": "views/s", "app_cpu_ms_per_view": "ms of CPU per view"}


def decimals(value: float | None, digits: int) -> str:
    """A value with so many digits after the point; – where it is unknown."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def span(low: float | None, high: float | None, digits: int) -> str:
    """From a value to another one; – where they are unknown."""
    known = low is not None and high is not None
    return f"{decimals(low, digits)}–{decimals(high, digits)}" if known else UNKNOWN


def bounds(mean: Interval, digits: int) -> str:
    """The interval of a mean, with a space before it; empty where there is none."""
    if mean.low is None or mean.high is None:
        return ""
    return f" [{span(mean.low, mean.high, digits)}]"


def with_bounds(mean: Interval | None, digits: int) -> str:
    """A mean with its interval where there is one: `73.3 [65.8–81.6]`."""
    return decimals(mean.mean, digits) + bounds(mean, digits) if mean else UNKNOWN


def times_with_bounds(difference: Difference) -> str:
    """A ratio with its interval where there is one: `×1.84 [1.79–1.87]`."""
    if difference.low is None or difference.high is None:
        return times(difference.ratio)
    interval = f"[{plain_ratio(difference.low)}–{plain_ratio(difference.high)}]"
    return f"{times(difference.ratio)} {interval}"


def times(ratio: float) -> str:
    """A ratio: `×1.84`."""
    return f"×{plain_ratio(ratio)}"


def plain_ratio(ratio: float) -> str:
    """A ratio with two digits that say something: 0.0062, 0.71, 1.84, 12.3."""
    if ratio < 0.1:
        return f"{ratio:.2g}"
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def plus_minus(mean: Interval | None) -> str:
    """How far off a mean may be, by the wider side, with a space before it; empty if unknown."""
    return f" ±{mean.high / mean.mean - 1:.0%}" if mean and mean.high else ""


def count_of(count: int, thing: str, things: str = "") -> str:
    """`1 trial`, `2 trials`."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def listing(items: Iterable[str], *, most: int = 4, joined: str = "and") -> str:
    """`a, b and c`; of too many the first, and how many there are besides."""
    listed: Sequence[str] = list(items)
    if len(listed) > most:
        return f"{', '.join(listed[: most - 1])} {joined} {len(listed) - most + 1} more"
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {joined} {listed[-1]}"


def without_tags(words: str) -> str:
    """Words as a text shows them: what is Markup without its tags."""
    return words.striptags() if isinstance(words, Markup) else words


def prose(text: str) -> Markup:
    """Words that mark code `so`."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )
