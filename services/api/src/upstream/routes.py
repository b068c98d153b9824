"""From a request to its answer and the delay it asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

import httptools

from upstream.answers import Answer, make_error, make_json
from upstream.delays import BadDelayError, parse_delay
from upstream.playlist import BadPlaylistError, Playlist, Turn
from upstream.recorded import RecordedAnswers
from upstream.statistics import Statistics

MOST_KNOWN = 1000

UNKNOWN_PATH = make_error(
    404,
    "unknown path: the API knows /{ms}/, /todos/{id}?ms=, /as/{file}/{ms}/, /play/, /-/play, "
    "/-/played, /-/stats and /-/reset",
)
LIST_IS_OVER = make_error(503, "the list of answers is over: POST a new one to /-/play")
BAD_TARGET = make_error(400, "the request target is not a URL")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is answered 200 after its delay.

    Attributes:
        answers: what to write: any one of these.
        delay_ns: how long after the request's arrival to write it, nanoseconds.

    """

    answers: Sequence[Answer]
    delay_ns: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What to write at once.

    Attributes:
        answer: what to write.
        is_refusal: whether it turns down a call, which the statistics count as a failure.

    """

    answer: Answer
    is_refusal: bool = False


class Routes:
    """All that the API answers."""

    def __init__(
        self, countries: list[Answer], recorded: RecordedAnswers, statistics: Statistics
    ) -> None:
        self._countries = countries
        self._recorded = recorded
        self._statistics = statistics
        self._playlist = Playlist()
        self._known: dict[bytes, Call] = {}

    def remember(self, request: bytes, call: Call) -> None:
        """Keep what a whole request, head and all, asks for, until the reset."""
        if len(self._known) < MOST_KNOWN:
            self._known[request] = call

    def remembered(self, request: bytes) -> Call | None:
        """What a request asks for that came before, byte for byte the same."""
        return self._known.get(request)

    def reply(self, method: bytes, target: bytes, body: bytes) -> Call | Turn | Reply:
        """What to do about a request of `method` for `target`, the request line's second word."""
        try:
            url = httptools.parse_url(target)
        except httptools.HttpParserInvalidURLError:
            return Reply(BAD_TARGET)
        # Split before decoding: a %2F belongs to its segment.
        match [_decoded(segment) for segment in (url.path or b"").split(b"/")]:
            case ["", "-", "stats"]:
                return Reply(self._stats()) if method == b"GET" else _not_allowed("GET")
            case ["", "-", "reset"]:
                known = method in (b"GET", b"POST")
                return Reply(self._reset()) if known else _not_allowed("GET, POST")
            case ["", "-", "play"]:
                return Reply(self._play(body)) if method == b"POST" else _not_allowed("POST")
            case ["", "-", "played"]:
                return Reply(self._played()) if method == b"GET" else _not_allowed("GET")
            case ["", "play", ""]:
                return self._turn() if method == b"GET" else _not_allowed("GET", is_refusal=True)
            case ["", ms, ""] if ms not in ("", "-"):
                return _call(method, ms, lambda: self._countries)
            case ["", "todos", todo_id]:
                ms = _query_value(url.query, "ms", default="0")
                return _call(method, ms, lambda: [_todo(todo_id)])
            case ["", "as", name, ms, ""]:
                return _call(method, ms, lambda: [self._recorded.answer(name)])
        return Reply(UNKNOWN_PATH)

    def _play(self, body: bytes) -> Answer:
        try:
            return make_json({"answers": self._playlist.set(body)})
        except BadPlaylistError as error:
            return make_error(400, str(error))

    def _played(self) -> Answer:
        return make_json(self._playlist.played())

    def _turn(self) -> Turn | Reply:
        return self._playlist.next() or Reply(LIST_IS_OVER, is_refusal=True)

    def _stats(self) -> Answer:
        return make_json(self._statistics.document())

    def _reset(self) -> Answer:
        before = self._stats()
        self._statistics.reset()
        self._recorded.forget()
        self._known.clear()
        return before


def _call(method: bytes, ms: str, find: Callable[[], Sequence[Answer]]) -> Call | Reply:
    if method != b"GET":
        return _not_allowed("GET", is_refusal=True)
    try:
        delay_ns = parse_delay(ms)
    except BadDelayError as error:
        return Reply(make_error(400, str(error)), is_refusal=True)
    answers = find()
    if answers[0].status != 200:
        return Reply(answers[0], is_refusal=True)
    return Call(answers, delay_ns)


def _todo(todo_id: str) -> Answer:
    """Article B's document, with the number that was asked for."""
    if not (todo_id.isascii() and todo_id.isdigit() and len(todo_id) < 20):
        return make_error(404, f"{todo_id[:40]!r} is not the number of a todo")
    title = "delectus aut autem"
    return make_json({"userId": 1, "id": int(todo_id), "title": title, "completed": False})


def _not_allowed(methods: str, *, is_refusal: bool = False) -> Reply:
    answer = make_error(405, f"this path takes {methods}", headers=f"Allow: {methods}\r\n")
    return Reply(answer, is_refusal)


def _decoded(segment: bytes) -> str:
    text = segment.decode("latin-1")
    return unquote(text) if "%" in text else text


def _query_value(query: bytes | None, name: str, default: str) -> str:
    if not query:
        return default
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return values.get(name, [default])[-1]
