"""CONTRIBUTING.md names files, parts and rooms that there are."""

import re
import tomllib

from lab import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
LOADGEN = ROOT / "services/loadgen/src/loadgen"
ROOMS = PAGE.partition("## The rooms of loadgen")[2]


def test_every_file_that_it_names_exists() -> None:
    # A line of the table of files: paths of the project, or of loadgen's rooms.
    (table,) = re.findall(r"## Which file\n\n(.*?)\n\n", PAGE, re.DOTALL)
    paths = [path for path in re.findall(r"`([^` ]+)`", table) if re.search(r"/|\.", path)]

    assert len(paths) > 15
    places = (ROOT, LOADGEN, ROOT / "tests", ROOT / "services/app/src/consumer/http_clients")
    missing = [path for path in paths if not any((place / path).exists() for place in places)]
    assert missing == []


def test_its_rooms_are_those_of_loadgen_from_the_top_to_the_ground() -> None:
    project = tomllib.loads((ROOT / "services/loadgen/pyproject.toml").read_text())
    (contract,) = project["tool"]["importlinter"]["contracts"]
    layers = [layer.split(" | ")[0] for layer in contract["layers"]]

    assert re.findall(r"^\| `(\w+)` \|", ROOMS, re.MULTILINE) == layers


def test_every_part_that_it_runs_is_one() -> None:
    usage = (ROOT / "scripts/test").read_text()
    parts = " ".join(re.findall(r"scripts/test --only ((?:[\w-]+ )+)", PAGE)).split()

    assert parts
    for part in parts:
        assert f"\n#   {part} " in usage
