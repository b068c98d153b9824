"""The machine's CPUs: which role has which, and what the kernel counts of them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Roles:
    """The CPUs of each role.

    Attributes:
        app, api, loadgen: CPU numbers.
    """

    app: frozenset[int]
    api: frozenset[int]
    loadgen: frozenset[int]

    @property
    def smt_shared(self) -> bool:
        """Whether a core has one thread in the app's set and another in the load's or the API's."""
        siblings = frozenset().union(*(core_siblings(cpu) for cpu in self.app))
        return bool((siblings - self.app) & (self.api | self.loadgen))


def container_cpu_seconds(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """CPU seconds of this container, by cgroup v2 or v1; None where neither can be read."""
    v2, v1 = root / "cpu.stat", root / "cpuacct" / "cpuacct.usage"
    if v2.exists():
        counters = dict(line.split() for line in v2.read_text().splitlines())
        return int(counters["usage_usec"]) / 1e6
    if v1.exists():
        return int(v1.read_text()) / 1e9
    return None


def process_cpu_seconds(pid: int) -> float | None:
    """CPU seconds of a process and of those that it has waited for; None where it is gone.

    The 14th to 17th field of /proc/PID/stat (proc_pid_stat(5)); the name, in parentheses, may hold
    anything.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    ticks = sum(map(int, stat[stat.rindex(")") + 2 :].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def steal_ticks(proc_stat: str, cpus: frozenset[int]) -> tuple[int, int]:
    """Stolen and total clock ticks of some CPUs.

    The columns of /proc/stat (proc_stat(5)): user nice system idle iowait irq softirq steal, and
    guest times that user time already holds.
    """
    steal = total = 0
    for line in proc_stat.splitlines():
        name, *columns = line.split()
        if name.removeprefix("cpu").isdecimal() and int(name.removeprefix("cpu")) in cpus:
            ticks = [int(column) for column in columns[:8]]
            steal += ticks[7]
            total += sum(ticks)
    return steal, total


def cpu_set(text: str) -> frozenset[int]:
    """A CPU list as Docker writes it (`0-2,4`) → the CPUs; an empty text is all of this process."""
    if not text.strip():
        return frozenset(os.sched_getaffinity(0))
    cpus: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return frozenset(cpus)


def core_siblings(cpu: int, root: Path = Path("/sys/devices/system/cpu")) -> frozenset[int]:
    """The hardware threads of a CPU's core, itself included (the kernel's cputopology.rst)."""
    file = root / f"cpu{cpu}" / "topology" / "thread_siblings_list"
    return cpu_set(file.read_text()) if file.exists() else frozenset({cpu})
