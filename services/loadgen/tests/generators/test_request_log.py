"""The log of requests: written by a generator, counted while it grows, read at its end."""

from pathlib import Path

import pytest

from loadgen.drivers.logged import Ended, Tally, read_log
from loadgen.errors import TrialError
from loadgen.generators.request_log import LOG, LoggedRequest, RequestLog

SECOND_NS = 10**9
GOOD = LoggedRequest(5 * SECOND_NS, 6 * SECOND_NS, 7 * SECOND_NS, 7 * SECOND_NS, 200, "", user=3)
LOST = LoggedRequest(
    5 * SECOND_NS, 6 * SECOND_NS, None, 9 * SECOND_NS, 0, "no answer: ConnectionLost"
)


def test_a_request_is_read_as_it_was_written_alone_or_with_others(tmp_path: Path) -> None:
    with RequestLog(tmp_path / LOG) as log:
        log.write(GOOD)
        log.write_all([LOST, GOOD])
    good = (1.0, 2.0, 3.0, 3.0, 200, None)
    lost = (1.0, 2.0, None, 5.0, None, "no answer: ConnectionLost")
    assert read_log(tmp_path, start_ns=4 * SECOND_NS).rows() == [good, lost, good]


def test_no_log_fails_the_trial(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="logged no request"):
        read_log(tmp_path, start_ns=0)


def test_a_tally_knows_no_request_before_there_is_a_log(tmp_path: Path) -> None:
    tally = Tally(tmp_path / LOG)
    assert (tally.news(), tally.count) == ([], 0)


def test_a_tally_tells_of_each_request_once_and_of_no_header(tmp_path: Path) -> None:
    tally = Tally(tmp_path / LOG)
    of_good = Ended(7 * SECOND_NS, 2 * SECOND_NS, user=3)
    of_lost = Ended(9 * SECOND_NS, 4 * SECOND_NS, user=None)
    with RequestLog(tmp_path / LOG) as log:
        assert tally.news() == []
        log.write(GOOD)
        assert [tally.news(), tally.news()] == [[of_good], []]
        log.write_all([LOST, GOOD])
        log.flush()
        tally.read()  # looked at for their number: the news are still to be told
        assert tally.count == 3
        assert tally.news() == [of_lost, of_good]


def test_a_tally_takes_a_line_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / LOG
    tally = Tally(file)
    file.write_text("header\n1,2,3,3,200,,0\n4,5")
    tally.read()
    assert tally.count == 1
    file.write_text("header\n1,2,3,3,200,,0\n4,5,6,6,200,,1\n")
    assert [ended.user for ended in tally.news()] == [0, 1]


def test_an_arrival_that_was_never_sent_has_not_ended(tmp_path: Path) -> None:
    with RequestLog(tmp_path / LOG) as log:
        log.write(LoggedRequest(5, None, None, None, 0, "dropped"))
    tally = Tally(tmp_path / LOG)
    assert (tally.news(), tally.count) == ([], 1)
