"""A run's answer in a line, kept in its environment.json: a list of runs need not work it out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from markupsafe import Markup

from loadgen.documents.run_material import Material
from loadgen.records import environment
from loadgen.reports.run_report import run_heading
from loadgen.topics import answer

KEY = "answer"


@dataclass(frozen=True)
class Answer:
    """What a run asked and what came out.

    Attributes:
        question: the heading of its report.
        words: the first that its report says; empty where it says nothing.
    """

    question: str
    words: str


def answer_of(material: Material) -> Answer:
    """The answer, worked out of a run's rows."""
    return Answer(run_heading(material), in_a_line(material))


def in_a_line(material: Material) -> str:
    """The first sentence of the report; empty where it has none."""
    first = next(iter(answer.sentences(material)), "")
    return " ".join(first.striptags().split()) if isinstance(first, Markup) else first


def kept_answer(described: Mapping[str, Any]) -> Answer | None:
    """What a run's environment says of its answer; None: nothing."""
    match described.get(KEY):
        case {"question": str(question), "words": str(words)}:
            return Answer(question, words)
    return None


def keep_answer(material: Material) -> Answer:
    """Work out a run's answer, and keep it where the run has ended.

    Raises:
        ConfigurationError: environment.json cannot be read.
        OSError: it cannot be written.
    """
    found = answer_of(material)
    described = environment.read(material.folder)  # as it is by now
    if described.get("finished_at"):  # else a run may be writing it
        described[KEY] = asdict(found)
        environment.write(material.folder / "environment.json", described)
    return found
