"""A copy of the project, with servers and suites of a test's own."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab import ROOT

# Who owns the scratch results: nobody that the image of loadgen knows.
SOMEBODY = 12345


@dataclass(frozen=True)
class ScratchLab:
    """A copy of the project with servers and suites of its own, in volumes of the tests service.

    Its containers are those of the lab under test; only loadgen reads another project folder.

    Attributes:
        project, results: where the tests see the volumes.
        mounts: options of `docker compose run` that put them into loadgen; all that it depends on
            is up.
        files: options of `docker compose` that add its servers.
    """

    project: Path
    results: Path
    mounts: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def small(self) -> Path:
        """Where the tests see the volume `scratch-small`: results on a disk that can be filled."""
        return Path("/scratch/small")

    def results_on(self, volume: str, options: str = "rw") -> tuple[str, ...]:
        """The same mounts with another volume for results, by the end of its name."""
        *others, results = self.mounts
        source, target = results.rsplit(":", 1)
        return *others, f"{source.rsplit('-', 1)[0]}-{volume}:{target}:{options}"


def make_scratch_lab(servers: Mapping[str, object], suites: Mapping[str, str]) -> ScratchLab:
    """A scratch lab with these Compose services, and these suites (TOML) beside the lab's own."""
    project, results = Path("/scratch/lab"), Path("/scratch/results")
    copied = ("compose.yaml", ".env", "services/loadgen/suites", "services/app/src")
    for name in copied:
        source, copy = ROOT / name, project / name
        if source.is_dir():
            shutil.copytree(source, copy, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy)
    os.chown(results, SOMEBODY, SOMEBODY)
    (project / "compose.override.yaml").write_text(yaml.safe_dump({"services": dict(servers)}))
    for name, suite in suites.items():
        (project / "services/loadgen/suites" / f"{name}.toml").write_text(suite)

    volumes = f"{os.environ['COMPOSE_PROJECT_NAME']}_scratch"
    own_files = [*os.environ["COMPOSE_FILE"].split(":"), str(project / "compose.override.yaml")]
    return ScratchLab(
        project=project,
        results=results,
        mounts=(
            "--no-deps",
            f"--volume={volumes}-lab:/lab:ro",
            f"--volume={volumes}-results:/results",
        ),
        files=tuple(option for file in own_files for option in ("--file", file)),
    )
