"""The reader's own recorded answers, from the folder my-api/."""

import errno
import mimetypes
import re
from pathlib import Path

from upstream.answers import Answer, make, make_error

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
#: No such file, a folder, a name that is too long for a file, a ring of links.
MISSING = (errno.ENOENT, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)


class RecordedAnswers:
    """Answers made from the files of one folder, each read once until `forget`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[str, Answer] = {}

    def answer(self, name: str) -> Answer:
        """The content of the file `name` as an answer; 403 or 404 where it cannot be had."""
        known = self._answers.get(name)
        if known is not None:
            return known
        if not NAME.fullmatch(name):
            return make_error(
                404,
                f"{name[:80]!r} cannot be a recorded answer: use a name of letters, digits, '_', "
                "'-' and '.' that does not begin with '.'",
            )
        path = self._folder / name
        try:
            body = path.read_bytes()
        except PermissionError:
            return make_error(
                403, f"the API may not read {name!r} in the folder my-api: chmod a+r my-api/{name}"
            )
        except OSError as error:
            if error.errno not in MISSING:
                raise
            return make_error(
                404, f"no file {name[:80]!r} is in the folder my-api ({self._folder}): put it there"
            )
        self._answers[name] = make(body, _content_type(name))
        return self._answers[name]

    def forget(self) -> None:
        """Read every file anew when it is asked for again."""
        self._answers.clear()


def _content_type(name: str) -> str:
    kind, encoding = mimetypes.guess_type(name)
    if kind is None or encoding is not None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
