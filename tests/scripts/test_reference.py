"""scripts/reference: which runs it makes, where it goes on, and what it commits.

The benchmark itself is a stand-in that writes a run's folder as loadgen does; git is the real one.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
NEW = "29991231T000000Z"
OLD = "20200101T000000Z"

#: Says what it was asked, then measures two rounds, or the rest of a run; ends as FAKE_ENDING says.
BENCH = """#!/usr/bin/env bash
echo "$*" >>asked.txt
folder=results/29991231T000000Z-$(sed 's/^run //; s/ --.*//; s/ /+/g' <<<"$*")
[ "$2" != --resume ] || folder=$3
mkdir -p "$folder/charts"
if [ "$1" = check ]; then
    echo case >"$folder/check.csv"
    exit "${FAKE_CODE:-0}"
fi
echo page >"$folder/report.html"
echo picture >"$folder/charts/a.svg"
[ -f "$folder/trials.csv" ] || printf 'case,round\\na,1\\n' >"$folder/trials.csv"
echo a,2 >>"$folder/trials.csv"
cat >"$folder/environment.json" <<END
{
  "outcome": "${FAKE_OUTCOME:-finished}",
  "cpu_model": "$FAKE_CPU"
}
END
exit "${FAKE_CODE:-0}"
"""


def this_cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return ""


class Checkout:
    """A clean checkout that has scripts/reference, and a benchmark of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir(parents=True)
        for name in ("reference", "lib.sh"):
            shutil.copy(SCRIPTS / name, folder / "scripts")
        bench = folder / "scripts" / "bench"
        bench.write_text(BENCH)
        bench.chmod(0o755)
        (folder / ".gitignore").write_text("asked.txt\n/results/2*\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit_all()

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(self.folder), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def commit_all(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All")

    def reference(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        known = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "FAKE_CPU": this_cpu(),
            "HOME": str(self.folder),
            "LOOK_EVERY_S": "0.1",
        }
        known |= {
            f"GIT_{role}_{what}": "a@example.org"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return subprocess.run(
            ["scripts/reference", *words],
            cwd=self.folder,
            env=known | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        file = self.folder / "asked.txt"
        return file.read_text().splitlines() if file.exists() else []

    def has_run(self, name: str, outcome: str, cpu: str = "") -> None:
        folder = self.folder / "results/reference" / name
        folder.mkdir(parents=True)
        (folder / "trials.csv").write_text("case,round\na,1\n")
        described = {"outcome": outcome, "cpu_model": cpu or this_cpu()}
        (folder / "environment.json").write_text(json.dumps(described, indent=2))
        self.commit_all()

    @property
    def committed(self) -> list[str]:
        return self.git("ls-files", "results").splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "lab")


def test_all_runs_are_made_in_their_order_and_committed(checkout: Checkout) -> None:
    done = checkout.reference()

    assert done.returncode == 0, done.stderr
    listed = checkout.reference("--list").stdout.splitlines()
    assert [" ".join(line.split("  ")[0].split()) for line in listed] == checkout.asked
    assert all(line.endswith(": finished") for line in listed)
    assert {Path(file).parts[2] for file in checkout.committed} == {
        path.name for path in (checkout.folder / "results").glob("2*")
    }
    assert checkout.git("status", "--porcelain") == ""


def test_what_is_finished_is_not_made_again(checkout: Checkout) -> None:
    checkout.has_run(f"{NEW}-traps", "finished")

    assert checkout.reference("--only", "traps").returncode == 0
    assert checkout.asked == []


def test_a_run_from_before_the_rules_changed_is_made_again(checkout: Checkout) -> None:
    checkout.has_run(f"{OLD}-traps", "finished")

    assert checkout.reference("--only", "traps").returncode == 0
    assert checkout.asked == ["run traps"]


def test_an_unfinished_run_goes_on_from_its_committed_rows(checkout: Checkout) -> None:
    checkout.has_run(f"{NEW}-traps", "interrupted at trial 3 of 4")

    assert checkout.reference("--only", "traps").returncode == 0
    assert checkout.asked == [f"run --resume results/{NEW}-traps"]
    rows = checkout.folder / f"results/reference/{NEW}-traps/trials.csv"
    assert rows.read_text() == "case,round\na,1\na,2\n"
    assert checkout.git("log", "-1", "--format=%s").startswith("Reference run traps: ")


def test_a_run_of_another_cpu_is_not_finished_here(checkout: Checkout) -> None:
    checkout.has_run(f"{NEW}-traps", "interrupted at trial 3 of 4", cpu="Another CPU")

    done = checkout.reference("--only", "traps")
    assert done.returncode == 2
    assert 'was begun on "Another CPU"' in done.stderr
    assert checkout.asked == []


def test_an_unfinished_run_is_committed_without_its_page(checkout: Checkout) -> None:
    ending = {"FAKE_OUTCOME": "interrupted at trial 3 of 4", "FAKE_CODE": "130"}
    done = checkout.reference("--only", "traps", **ending)

    assert done.returncode == 130
    assert [Path(file).name for file in checkout.committed] == ["environment.json", "trials.csv"]
    assert checkout.git("status", "--porcelain") == ""


def test_a_run_whose_trials_failed_is_named_and_does_not_hold_up_the_others(
    checkout: Checkout,
) -> None:
    done = checkout.reference("--only", "a", FAKE_OUTCOME="1 trial failed", FAKE_CODE="1")

    assert done.returncode == 2
    assert len(checkout.asked) > 1
    assert all(f'"{command}"' in done.stderr for command in checkout.asked)


def test_a_check_in_which_a_driver_disagrees_is_finished(checkout: Checkout) -> None:
    assert checkout.reference("--only", "check", FAKE_CODE="1").returncode == 0
    assert checkout.reference("--only", "check").returncode == 0
    assert checkout.asked == ["check"]


def test_changes_that_are_not_committed_are_refused(checkout: Checkout) -> None:
    (checkout.folder / "scripts" / "bench").write_text("exit 0\n")

    done = checkout.reference()
    assert done.returncode == 2
    assert "changes that are not committed" in done.stderr


def test_a_folder_that_a_reader_made_by_hand_is_left_alone(checkout: Checkout) -> None:
    ours = checkout.folder / "results" / f"{OLD}-traps"
    ours.mkdir(parents=True)
    (ours / "trials.csv").write_text("case,round\nb,1\n")

    assert checkout.reference("--only", "traps").returncode == 0
    assert not any(OLD in file for file in checkout.committed)


@pytest.mark.parametrize("words", [("--only",), ("traps",), ("--list", "x")])
def test_wrong_usage_is_said(checkout: Checkout, words: tuple[str, ...]) -> None:
    assert checkout.reference(*words).returncode == 2
