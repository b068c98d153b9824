"""The log of requests: written by a generator, counted while it grows, read at its end."""

from pathlib import Path

import pytest

from loadgen.drivers.logged import Tally, read_log
from loadgen.drivers.request_log import LOG, Request, RequestLog
from loadgen.errors import TrialError

SECOND_NS = 10**9
GOOD: Request = (5 * SECOND_NS, 6 * SECOND_NS, 7 * SECOND_NS, 200, "")
LOST: Request = (5 * SECOND_NS, 6 * SECOND_NS, None, 0, "no answer: ConnectionLost")


def test_a_request_is_read_as_it_was_written_alone_or_with_others(tmp_path: Path) -> None:
    with RequestLog(tmp_path / LOG) as log:
        log.write(*GOOD)
        log.write_all([LOST, GOOD])
    good = (1.0, 2.0, 3.0, 200, None)
    lost = (1.0, 2.0, None, None, "no answer: ConnectionLost")
    assert read_log(tmp_path, start_ns=4 * SECOND_NS).rows() == [good, lost, good]


def test_no_log_fails_the_trial(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="logged no request"):
        read_log(tmp_path, start_ns=0)


def test_a_tally_knows_no_request_before_there_is_a_log(tmp_path: Path) -> None:
    assert Tally(tmp_path / LOG).requests() == 0


def test_a_tally_counts_each_request_once_and_no_header(tmp_path: Path) -> None:
    tally = Tally(tmp_path / LOG)
    with RequestLog(tmp_path / LOG) as log:
        assert tally.requests() == 0
        log.write(*GOOD)
        assert [tally.requests(), tally.requests()] == [1, 1]
        log.write_all([LOST, GOOD])
        log.flush()
        assert tally.requests() == 3


def test_a_tally_counts_a_line_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / LOG
    tally = Tally(file)
    file.write_text("header\n1,2,3,200,\n4,5")
    assert tally.requests() == 1
    file.write_text("header\n1,2,3,200,\n4,5,6,200,\n")
    assert tally.requests() == 2
