"""The report's colours: each by the word for what it means, never for looks alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """One colour in its three uses.

    Attributes:
        name: of the CSS variable, without its dashes.
        fixed: where nobody knows the background (charts/*.svg): readable on white and on black.
        light, dark: in the page.
    """

    name: str
    fixed: str
    light: str
    dark: str

    @property
    def variable(self) -> str:
        """The colour as every drawing names it; whoever shows the drawing says what it is."""
        return f"var(--{self.name})"


INK = Colour("ink", "#767e87", "#1c2126", "#e9ecef")
SOFT = Colour("soft", "#7a8189", "#59616a", "#a6aeb7")
GRID = Colour("grid", "#8b9299", "#dfe3e7", "#30363d")
TRACK = Colour("track", "#8c939a", "#e6e9ed", "#2a3037")
USERS = Colour("users", "#3a7fc8", "#1f6fb8", "#6cb0f0")
SLOTS = Colour("slots", "#8d66c9", "#7745b5", "#b797ec")
POOL = Colour("pool", "#1f8d7f", "#0b7a6d", "#4ec5b4")
CPU = Colour("cpu", "#c5682b", "#b5540f", "#f09b5c")
API = Colour("api", "#b75f8e", "#a13a75", "#e593bf")
UNEXPLAINED = Colour("unexplained", "#7e8690", "#69727b", "#99a2ac")
BAD = Colour("bad", "#d04b4b", "#b3261e", "#ff8b80")

ALL = (INK, SOFT, GRID, TRACK, USERS, SLOTS, POOL, CPU, API, UNEXPLAINED, BAD)

#: What a row can be bound by.
LIMITS = {
    "users": USERS,
    "rate": USERS,
    "slots": SLOTS,
    "pool": POOL,
    "cpu": CPU,
    "api": API,
    "unexplained": UNEXPLAINED,
}


def of_bound(bound_by: str) -> Colour:
    """The colour of what held a row back; of ties that of the first."""
    return LIMITS.get(bound_by.replace("/", "+").partition("+")[0], UNEXPLAINED)


def stylesheet() -> str:
    """What the colours are in the page, light and dark."""
    light = " ".join(f"--{colour.name}: {colour.light};" for colour in ALL)
    dark = " ".join(f"--{colour.name}: {colour.dark};" for colour in ALL)
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    )


def fixed_stylesheet(svg: str) -> str:
    """What the colours of a drawing are in a file of its own."""
    used = [colour for colour in ALL if colour.variable in svg]
    return f":root {{ {' '.join(f'--{colour.name}: {colour.fixed};' for colour in used)} }}"
