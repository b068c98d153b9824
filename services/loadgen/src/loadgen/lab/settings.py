"""The Django settings that the app's servers can run with."""

from pathlib import Path

from loadgen.errors import ConfigurationError

#: The app's settings, a module each, inside the project's folder.
FOLDER = Path("services/app/src/consumer/settings")
#: What all of them build on is none that a server runs with.
SHARED = ("__init__", "base")


def read_settings(project: Path) -> tuple[str, ...]:
    """The names of the settings that the app in the project's folder has.

    Raises:
        ConfigurationError: there are none.
    """
    folder = project / FOLDER
    names = sorted(file.stem for file in folder.glob("*.py") if file.stem not in SHARED)
    if not names:
        raise ConfigurationError(f"{folder} is missing or empty: it holds the Django settings")
    return tuple(names)
