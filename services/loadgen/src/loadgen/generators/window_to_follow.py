"""What the protocol tells a load that is on: which stretch of it will be judged.

The load stays on until the requests that were due in that stretch have ended, or are given up. So
no answer is measured against a load that has gone. It comes as a line on the driver's standard
input, behind the line with the start instant.
"""

from dataclasses import dataclass
from io import FileIO
from typing import Self


@dataclass(frozen=True)
class Followed:
    """The window, as instants of the monotonic clock, ns.

    Attributes:
        begin_ns, end_ns: requests due from the one to the other are waited for.
        patience_ns: the latest instant until which they are.
    """

    begin_ns: int
    end_ns: int
    patience_ns: int

    @property
    def line(self) -> str:
        """As the driver reads it."""
        return f"{self.begin_ns} {self.end_ns} {self.patience_ns}\n"

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """From that line; raises ValueError where it is none."""
        begin_ns, end_ns, patience_ns = map(int, line.split())
        return cls(begin_ns, end_ns, patience_ns)


class ProtocolOrders:
    """What the protocol writes to a driver's standard input.

    It writes each line at once, so where there is something to read there is a whole line (pipe(7):
    up to 4096 bytes are not taken apart). And only the line that is asked for is read: the next one
    stays where whoever waits for it sees it.

    Args:
        file: its descriptor.
    """

    def __init__(self, file: int = 0) -> None:
        self.file = file
        self._lines = FileIO(file, closefd=False)

    def start_ns(self) -> int:
        """Wait for the first line, the start instant. Raises EOFError where there is none."""
        line = self._lines.readline()
        if not line:
            raise EOFError("the protocol has gone before the load began")
        return int(line)

    def followed(self) -> Followed | None:
        """Wait for the second line; None: the protocol has gone."""
        line = self._lines.readline()
        return Followed.parse(line) if line else None
