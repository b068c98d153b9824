"""What the protocol tells a load that is on: which stretch of it will be judged.

The load stays on until the requests that were due in that stretch have ended, or are given up. So
no answer is measured against a load that has gone. It comes as a line on the driver's standard
input, behind the line with the start instant.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
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
    def parse(cls, line: str) -> Self:
        """From that line; raises ValueError where it is none."""
        begin_ns, end_ns, patience_ns = map(int, line.split())
        return cls(begin_ns, end_ns, patience_ns)


class ProtocolOrders:
    """Standard input of a driver, line by line, without a buffer that could hold a line back.

    Args:
        file: its descriptor.
    """

    def __init__(self, file: int = 0) -> None:
        self.file = file
        self._read = b""

    def start_ns(self) -> int:
        """Wait for the first line, the start instant. Raises EOFError where there is none."""
        while b"\n" not in self._read:
            part = os.read(self.file, 4096)
            if not part:
                raise EOFError("the protocol has gone before the load began")
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return int(line)

    def followed(self) -> Followed | None:
        """The second line, if it is there whole already."""
        if b"\n" not in self._read:
            return None
        line, _, self._read = self._read.partition(b"\n")
        return Followed.parse(line.decode())

    def read(self, followed: Callable[[Followed], None], gone: Callable[[], None]) -> None:
        """Read what has come, and tell of it: of a whole line, or that nothing will come any more.

        To be called when there is something to read.
        """
        part = os.read(self.file, 4096)
        self._read += part
        if order := self.followed():
            followed(order)
        elif not part:
            gone()
