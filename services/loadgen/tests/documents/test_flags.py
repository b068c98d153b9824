"""Why servers have their flags."""

from pathlib import Path

from loadgen.documents.flags import comments, reasons

COMPOSE = """\
# About the file.
name: lab

x-app: &app
  # About the anchor.
  image: app

services:
  # Two of a kind:
  # with `--threads`.
  one:
    <<: *app
    # About its command.
    command: [serve]
  two:
    command: [serve, --threads, "2"]

  # About all.

  # The third.
  three: {command: [other]}

volumes:
  # Not a service.
  data:
"""


def test_the_comment_above_a_group_goes_for_all_its_servers() -> None:
    assert comments(COMPOSE) == {
        "one": "Two of a kind: with `--threads`.",
        "two": "Two of a kind: with `--threads`.",
        "three": "The third.",
    }


def test_a_readers_own_servers_have_their_reasons_in_the_override(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "compose.override.yaml").write_text("services:\n  # Mine.\n  mine: {}\n  two: {}\n")
    found = reasons(tmp_path)
    assert (found["mine"], found["two"], found["three"]) == ("Mine.", "Mine.", "The third.")
