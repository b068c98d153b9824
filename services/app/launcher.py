"""Starts, stops and measures one server; the entrypoint of every app container.

    launcher.py COMMAND [ARGUMENT…]
    LAB_SPARE=1 launcher.py

The server runs COMMAND, but only from /start to /stop, so that each trial has a fresh one. A spare
has no command: each /start tells it one. The launcher answers on port 9100, in JSON, however full
the server's queue is:

    /start?settings=&preload=   start the server, at once (409 if it runs, 503 without upstream).
                                command=: in a spare, and only there, a JSON list of texts
    /stop[?now=1]               end it and all that it has started; returns when nothing is left.
                                now=1: kill it, for a server that has answered all it was asked
    /stats[?memory=0]           CPU, memory, processes and threads of the server, since its start
    /probe?since_ns=&until_ns=  CPU time of a fixed loop that ran each 50 ms beside the server: how
                                fast this CPU was between these instants of the monotonic clock
    /wait                       returns when the server has ended, with /stats and /logs of then
    /about                      command, settings, Python, packages, CPUs, last lines of its output
    /logs                       the last lines of its output
    /calibrate                  wall and CPU time of a fixed loop: how fast this CPU is right now;
                                the best of many, for 0.2 s

If the server ends by itself the launcher goes on for 3 s, so that the reason can be read, and then
ends with the server's exit code (128 + n for signal n). It forwards SIGTERM and SIGINT.

Environment, all of it optional: LAB_SETTINGS (allowed settings, comma-separated, the default
first), LAB_SETTINGS_MODULE (their module, with "{settings}" in it), LAB_UPSTREAM_HOST,
LAB_UPSTREAM_DJANGO_HOST (a second upstream, which need not be up), LAB_CA (certificate to trust
beside the usual ones), LAB_AUTOSTART (1: start the server at once), LAB_SPARE (1: as above),
LAB_PORT (9100).

Only the standard library is used: mount the file into any image with Python 3.10 on Linux.
"""

import contextlib
import ctypes
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import random
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PORT = 9100
UPSTREAM_HTTP_PORT = 9000
UPSTREAM_HTTPS_PORT = 9443
UPSTREAM_DJANGO_PORT = 8000
CA_BUNDLE = Path("/tmp/ca-bundle.pem")

TERMINATION_S = 2.0
READING_S = 3.0
LAST_WORDS_S = 0.5
AUTOSTART_S = 30.0
LOG_LINES = 200
LOG_LINES_SHOWN = 40
CALIBRATION_ROUNDS = 20_000
CALIBRATION_S = 0.2
# 0.2 to 0.3 ms of CPU on a machine of 2026; with the waking and the first rounds, which find other
# things in the caches and are not counted, 0.7 to 0.9 % of a CPU in all.
PROBE_ROUNDS = 4_000
PROBE_FIRST_ROUNDS = 1_000
# 50 ms on average, at random: users in waves of a multiple of 50 ms would meet it always in the
# same part of a wave, where the CPU has just woken or not (measured: 0.24 or 0.31 ms).
PROBE_LEAST_NS, PROBE_MOST_NS = 25_000_000, 75_000_000
PROBE_RUNS_KEPT = 72_000  # an hour of them
SECOND_NS = 1_000_000_000

PROC = Path("/proc")
CGROUP_V1_CPU = Path("/sys/fs/cgroup/cpuacct/cpuacct.usage")
CGROUP_V2_CPU = Path("/sys/fs/cgroup/cpu.stat")

# What of this container the kernel has killed for want of memory, and the limit it was held to.
OOM_KILLS = (Path("/sys/fs/cgroup/memory/memory.oom_control"), Path("/sys/fs/cgroup/memory.events"))
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    Path("/sys/fs/cgroup/memory.max"),
)
# Raised for the server: where memory runs out the kernel takes it, not the launcher (proc(5)).
OOM_SCORE = "500"

PR_SET_CHILD_SUBREAPER = 36

Document = dict[str, Any]


class RefusedError(Exception):
    """A request that cannot be done; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


# ------------------------------------------------------------------------------------- processes


@dataclass(frozen=True)
class Process:
    """One line of /proc/PID/stat. CPU seconds include those of the children it has waited for."""

    pid: int
    parent: int
    zombie: bool
    cpu_seconds: float
    threads: int


def read_process(pid: int) -> Process | None:
    """The process, or None if it has just gone."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may hold anything, parentheses too.
    fields = stat[stat.rindex(")") + 2 :].split()
    ticks = sum(int(field) for field in fields[11:15])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        zombie=fields[0] in "ZX",
        cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"),
        threads=int(fields[17]),
    )


def descendants() -> list[Process]:
    """Every process that stems from the launcher: the server's tree.

    Orphans are among them, whatever session they went into: the kernel gives them to the launcher,
    which is a subreaper.
    """
    processes = [read_process(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()]
    children: dict[int, list[Process]] = {}
    for process in filter(None, processes):
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    parents = [os.getpid()]
    while parents:
        born = children.get(parents.pop(), [])
        found += born
        parents += [process.pid for process in born]
    return found


def living_descendants() -> list[Process]:
    return [process for process in descendants() if not process.zombie]


def tree_is_gone() -> bool:
    """Whether nothing of the server's tree is left, not even a zombie.

    A launcher without children has no descendants: an orphan is its child in the same instant.
    """
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def wait_for_tree(seconds: float) -> None:
    """Return when nothing of the server's tree is left, or after that time."""
    end = time.monotonic() + seconds
    while not tree_is_gone() and time.monotonic() < end:
        time.sleep(0.01)


def kill_tree() -> None:
    """Return when nothing of the server's tree is left, not even what was born meanwhile."""
    while not tree_is_gone():
        for process in descendants():
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.005)


def become_subreaper() -> None:
    """Adopt the server's orphans; without this they would go to PID 1 and out of sight."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(error)}")


class Children:
    """Waits for every child of the launcher, as init does: the server, and the orphans it adopts.

    A child that nobody waits for stays as a zombie. Nothing else in here may wait for one, not even
    by Popen.poll(): then the exit code goes where it belongs, and under `counting` a process is
    either alive or in the account of those that were waited for, never in both and never in none.

    Attributes:
        counting: No child is waited for while somebody else holds it.
    """

    def __init__(self) -> None:
        self.counting = threading.Lock()
        self._server: Server | None = None
        self._born = threading.Event()
        threading.Thread(target=self._wait_for_all, daemon=True).start()

    def add(self, start: Callable[[], "Server"]) -> "Server":
        """The server that `start` makes, whose exit code is left to it."""
        # Held until its PID is known: it may end at once.
        with self.counting:
            self._server = server = start()
        self._born.set()
        return server

    def _wait_for_all(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # it stays to be waited for
            except ChildProcessError:
                self._born.wait()
                self._born.clear()
                continue
            assert ended is not None, "only with WNOHANG"
            with self.counting:
                self._wait_for(ended.si_pid)

    def _wait_for(self, pid: int) -> None:
        if self._server is not None and self._server.process.pid == pid:
            self._server.collect()
        # That was it, unless an orphan has got the PID of a server which ended before. A server
        # that could not be executed has been waited for too, by Popen.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


# ---------------------------------------------------------------------------------------- counters


def cgroup_v1_cpu() -> float:
    return int(CGROUP_V1_CPU.read_text()) / 1e9


def cgroup_v2_cpu() -> float:
    """Raises OSError or ValueError where there is no such counter."""
    for line in CGROUP_V2_CPU.read_text().splitlines():
        name, value = line.split()
        if name == "usage_usec":
            return int(value) / 1e6
    raise ValueError(f"{CGROUP_V2_CPU} has no usage_usec")


def proc_cpu() -> float:
    """Of the processes that there are, and of those that the launcher has waited for.

    Right only while it waits for none: Children.counting.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = sum(process.cpu_seconds for process in descendants())
    return living + ended.ru_utime + ended.ru_stime + time.process_time()


def find_cpu_source() -> tuple[str, Callable[[], float]]:
    """Name and function of the best counter of the CPU seconds of this container."""
    sources = (("cgroup-v1", cgroup_v1_cpu), ("cgroup-v2", cgroup_v2_cpu))
    for name, read in sources:
        try:
            read()
        except (OSError, ValueError):
            continue
        return name, read
    return "proc", proc_cpu


def oom_kills() -> int | None:
    """Processes of this container killed for want of memory; None where no cgroup counts them."""
    for counters in OOM_KILLS:
        if counters.exists():
            for line in counters.read_text().splitlines():
                name, value = line.split()
                if name == "oom_kill":
                    return int(value)
    return None


def memory_limit() -> int | None:
    """Bytes that this container may use; None where there is no limit."""
    host = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in MEMORY_LIMITS:
        if file.exists():
            text = file.read_text().strip()
            # Without a limit v2 says "max", and v1 a number larger than any memory.
            return int(text) if text != "max" and int(text) < host else None
    return None


def memory(pids: list[int]) -> Document:
    """Bytes that the processes use: resident, with shared pages split (PSS), and at their peaks."""
    totals = {"rss_bytes": 0, "pss_bytes": 0, "peak_bytes": 0}
    names = {"VmRSS:": "rss_bytes", "Pss:": "pss_bytes", "VmHWM:": "peak_bytes"}
    for pid in pids:
        try:
            text = (PROC / str(pid) / "status").read_text()
            text += (PROC / str(pid) / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we were reading
        for line in text.splitlines():
            words = line.split()
            if words and words[0] in names:
                totals[names[words[0]]] += int(words[1]) * 1024
    return dict(totals)


# ------------------------------------------------------------------------------- the server's world


def resolve(host: str) -> str:
    """The address of an upstream: the server is given it, so that no view pays for DNS.

    Raises OSError where the name does not resolve.
    """
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return str(found[0][4][0])


def usual_ca_bundle() -> Path:
    """Where the certificates are that HTTP clients trust by default."""
    certifi = importlib.util.find_spec("certifi")
    if certifi is not None and certifi.origin is not None:
        return Path(certifi.origin).with_name("cacert.pem")
    paths = ssl.get_default_verify_paths()
    return Path(paths.cafile or paths.openssl_cafile)


def write_ca_bundle(lab_ca: Path) -> None:
    """The usual certificates and the lab's own in one file.

    A bundle of the lab's CA alone would make a TLS context 40 times cheaper than it is in life.
    """
    try:
        certificate = lab_ca.read_text()
    except OSError as error:
        message = (
            f"LAB_CA cannot be read ({error}). The upstream writes it when it starts: is it up?"
        )
        raise RefusedError(503, message) from error
    CA_BUNDLE.write_text(usual_ca_bundle().read_text() + "\n" + certificate)


def server_environment(settings: str | None, preload: str) -> dict[str, str]:
    """What the server is told about the lab, beside the container's own environment."""
    environment = {"LAB_PRELOAD": preload}
    if settings is not None:
        module = os.environ.get("LAB_SETTINGS_MODULE", "{settings}")
        environment["DJANGO_SETTINGS_MODULE"] = module.format(settings=settings)
    if host := os.environ.get("LAB_UPSTREAM_HOST"):
        try:
            address = resolve(host)
        except OSError as error:
            message = f"LAB_UPSTREAM_HOST is {host!r}, which does not resolve ({error}): is it up?"
            raise RefusedError(503, message) from error
        environment["LAB_UPSTREAM_HTTP"] = f"http://{address}:{UPSTREAM_HTTP_PORT}"
        environment["LAB_UPSTREAM_HTTPS"] = f"https://{address}:{UPSTREAM_HTTPS_PORT}"
    if host := os.environ.get("LAB_UPSTREAM_DJANGO_HOST"):
        # Where it is not up the server is given its name: a view that asks for it says so then.
        with contextlib.suppress(OSError):
            host = resolve(host)
        environment["LAB_UPSTREAM_DJANGO"] = f"http://{host}:{UPSTREAM_DJANGO_PORT}"
    if lab_ca := os.environ.get("LAB_CA"):
        write_ca_bundle(Path(lab_ca))
        environment["SSL_CERT_FILE"] = str(CA_BUNDLE)  # httpx, the ssl module
        environment["REQUESTS_CA_BUNDLE"] = str(CA_BUNDLE)  # requests
    return environment


def known_settings() -> list[str]:
    return [name for name in os.environ.get("LAB_SETTINGS", "").split(",") if name]


# ------------------------------------------------------------------------------------------- probe


def fixed_loop(rounds: int) -> int:
    """Work of a known size for the interpreter: what it costs tells how fast the CPU is."""
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total


class Probe:
    """A fixed loop every 50 ms or so until the server has ended, and the CPU time of each run.

    CPU time, not time that passes: a run that the server keeps waiting costs no more for it. It is
    the launcher's own CPU time, and so is not in the server's account.
    """

    def __init__(self, server_ended: threading.Event) -> None:
        self._server_ended = server_ended
        self._runs: deque[tuple[int, int]] = deque(maxlen=PROBE_RUNS_KEPT)
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def runs(self) -> list[tuple[int, int]]:
        """(instant of the monotonic clock, CPU time) of each, in ns."""
        with self._lock:
            return list(self._runs)

    def _run(self) -> None:
        due_ns = time.monotonic_ns()
        while not self._server_ended.wait(max(due_ns - time.monotonic_ns(), 0) / SECOND_NS):
            began_ns = time.monotonic_ns()
            fixed_loop(PROBE_FIRST_ROUNDS)
            cpu_ns = time.thread_time_ns()
            fixed_loop(PROBE_ROUNDS)
            cpu_ns = time.thread_time_ns() - cpu_ns
            with self._lock:
                self._runs.append((began_ns, cpu_ns))
            # One that comes too late, beside a full server, is not made up for.
            due_ns = began_ns + random.randint(PROBE_LEAST_NS, PROBE_MOST_NS)


def summary_of(runs: list[tuple[int, int]], since_ns: int | None, until_ns: int | None) -> Document:
    """Of the runs that began between two instants: count, mean, and how the mean went up and down.

    Args:
        since_ns: None: the first run. Seconds are counted from here.
        until_ns: None: now.

    Returns:
        `seconds` are the whole ones with a run in them, `sd_ms` is the sample standard deviation of
        their means, None under two of them. `mean_ms` is None where there is no run.
    """
    now_ns = time.monotonic_ns()
    until_ns = now_ns if until_ns is None else min(until_ns, now_ns)
    if since_ns is None:
        since_ns = runs[0][0] if runs else until_ns
    found = [run for run in runs if since_ns <= run[0] < until_ns]
    by_second: dict[int, list[int]] = {}
    for began_ns, cpu_ns in found:
        by_second.setdefault((began_ns - since_ns) // SECOND_NS, []).append(cpu_ns)
    seconds = [
        {"since_ns": since_ns + second * SECOND_NS, "mean_ms": mean_ms(costs), "count": len(costs)}
        for second, costs in by_second.items()
        if since_ns + (second + 1) * SECOND_NS <= until_ns
    ]
    return {
        "count": len(found),
        "mean_ms": mean_ms([cpu_ns for _, cpu_ns in found]) if found else None,
        "sd_ms": standard_deviation([second["mean_ms"] for second in seconds]),
        "seconds": seconds,
    }


def mean_ms(durations_ns: list[int]) -> float:
    return sum(durations_ns) / len(durations_ns) / 1e6


def standard_deviation(values: list[float]) -> float | None:
    """Of a sample; None under two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


# ---------------------------------------------------------------------------------------- launcher


class Server:
    """One run of the server: its process, its output, and the probe beside it.

    Attributes:
        command: What it runs.
        probe: Tells how fast the CPU is while it runs.
        stopped: Whether it was ended on request, not by itself.
    """

    def __init__(
        self, command: list[str], settings: str | None, environment: dict[str, str]
    ) -> None:
        self.command = command
        self.settings = settings
        self.stopped = False
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with contextlib.suppress(OSError):  # it has ended already, or this kernel forbids it
            (PROC / str(self.process.pid) / "oom_score_adj").write_text(OOM_SCORE)
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._pass_on, daemon=True)
        self._reader.start()
        self.probe = Probe(self._ended)

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """As a shell has it: 128 + n for signal n; None while it runs."""
        code = self.process.returncode
        return code if code is None or code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """Only while nobody waits for it: Children.counting. Else its PID may be another's."""
        if self.running:
            os.kill(self.process.pid, number)

    def collect(self) -> None:
        """Take its exit code, once it has ended. Nobody but Children may do this."""
        self.process.poll()
        self._ended.set()

    def wait(self, seconds: float | None = None) -> None:
        """Return when the process has ended and all its output is read.

        Args:
            seconds: the most to wait for the output, which a child that lives on may hold open.
        """
        self._ended.wait()
        self._reader.join(seconds)

    def _pass_on(self) -> None:
        """Keep the last lines, and pass all of them on to the container's output."""
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.log.append(line.rstrip("\n"))
                print(line, end="", flush=True)


class Launcher:
    """The server's life. /start and /stop take turns; all else answers without waiting for them."""

    def __init__(self, command: list[str] | None, when_ended: Callable[[], None]) -> None:
        """A launcher of that server; of any if `command` is None."""
        self._command = command
        self._when_ended = when_ended
        self._turn = threading.Lock()
        self._server: Server | None = None
        self._children = Children()
        self._generation = 0
        self._cpu_source, self._container_cpu = find_cpu_source()
        self._cpu_at_start: float | None = None
        self._oom_kills_at_start: int | None = None
        self.exit_code = 0

    # What is asked for over HTTP

    def start(
        self, settings: str | None = None, preload: str = "", command: list[str] | None = None
    ) -> Document:
        command = self._command_to_run(command)
        known = known_settings()
        if settings is None and known:
            settings = known[0]
        if settings is not None and settings not in known:
            raise RefusedError(
                400, f"unknown settings {settings!r}: allowed are {', '.join(known)}"
            )
        with self._turn:
            if self._server is not None and self._server.running:
                raise RefusedError(
                    409,
                    f"the server runs already (pid {self._server.process.pid}): /stop ends it",
                )
            environment = server_environment(settings, preload)
            kill_tree()  # what a server that ended by itself has left
            self._cpu_at_start = self._server_cpu()
            self._oom_kills_at_start = oom_kills()
            started_ns = time.monotonic_ns()
            try:
                server = self._children.add(partial(Server, command, settings, environment))
            except OSError as error:
                message = f"{command[0]} cannot be started: {error}"
                raise RefusedError(500, message) from error
            self._server = server
            self._generation += 1
            threading.Thread(target=self._watch, args=[server], daemon=True).start()
            return {
                "pid": server.process.pid,
                "generation": self._generation,
                "settings": settings,
                "monotonic_ns": started_ns,
            }

    def stop(self, number: int = signal.SIGTERM, *, now: bool = False) -> Document:
        with self._turn:
            server = self._server
            if server is None or server.stopped:
                return {"exit_code": None, "log": self._last_lines()}
            server.stopped = True
            if not now:
                with self._children.counting:
                    server.signal(number)
                wait_for_tree(TERMINATION_S)
            kill_tree()
            server.wait()
            return {"exit_code": server.exit_code, "log": self._last_lines()}

    def stats(self, *, with_memory: bool = True) -> Document:
        # The CPU first, stamped at once: beside a full server the rest may take its time.
        cpu = self._server_cpu()
        stamp_ns = time.monotonic_ns()
        server = self._server
        tree = living_descendants()
        document: Document = {
            "running": server is not None and server.running,
            "generation": self._generation,
            "exit_code": None if server is None else server.exit_code,
            "monotonic_ns": stamp_ns,
            "cpu_seconds": None if self._cpu_at_start is None else cpu - self._cpu_at_start,
            "cpu_source": self._cpu_source,
            "launcher_cpu_seconds": time.process_time(),
            "rss_bytes": None,
            "pss_bytes": None,
            "peak_bytes": None,
            "processes": len(tree),
            "threads": sum(process.threads for process in tree),
            "oom_kills": self._oom_kills(),
            "memory_limit_bytes": memory_limit(),
        }
        if with_memory and tree:
            document |= memory([process.pid for process in tree])
        return document

    def wait(self) -> Document:
        """Return once the server has ended, with its counters and last lines."""
        server = self._server
        if server is None:
            raise RefusedError(409, "no server has been started yet: /start starts it")
        server.wait(LAST_WORDS_S)
        return self.stats(with_memory=False) | self.logs()

    def probe(self, since_ns: int | None, until_ns: int | None) -> Document:
        """Beside the server that runs, or that ran last."""
        runs = [] if self._server is None else self._server.probe.runs()
        return summary_of(runs, since_ns, until_ns)

    def about(self) -> Document:
        server = self._server
        packages = importlib.metadata.distributions()
        return {
            "command": (self._command or []) if server is None else server.command,
            "settings_known": known_settings(),
            "settings": None if server is None else server.settings,
            "python": platform.python_version(),
            "packages": {package.name: package.version for package in packages},
            "cpus": sorted(os.sched_getaffinity(0)),
            "log": self._last_lines(),
        }

    def logs(self) -> Document:
        return {"log": [] if self._server is None else list(self._server.log)}

    @staticmethod
    def calibrate() -> Document:
        """The fastest of many short loops: what slows one down is mostly somebody else's doing."""
        end = time.perf_counter() + CALIBRATION_S
        fastest_s = cpu_s = math.inf
        while time.perf_counter() < end:
            wall, cpu = time.perf_counter(), time.thread_time()
            total = 0
            for number in range(CALIBRATION_ROUNDS):
                total += number & 7
            cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
            if wall < fastest_s:
                fastest_s, cpu_s = wall, cpu
        return {"wall_ms": fastest_s * 1000, "cpu_ms": cpu_s * 1000}

    # The launcher's own beginning and end

    def autostart(self) -> None:
        """Start the server, waiting for an upstream that starts at the same time."""
        end = time.monotonic() + AUTOSTART_S
        while True:
            try:
                self.start()
                return
            except RefusedError as refused:
                if refused.status != 503 or time.monotonic() > end:
                    say(str(refused))
                    self._end(1)
                    return
            time.sleep(0.5)

    def forward(self, number: int) -> None:
        """End the server by that signal and then the launcher, with the server's exit code."""
        self._end(self.stop(number)["exit_code"] or 0)

    def _watch(self, server: Server) -> None:
        """When the server ends by itself: leave time to read why, then end likewise."""
        server.wait(0)
        if server.stopped:
            return
        say(f"the server ended by itself with exit code {server.exit_code}")
        time.sleep(READING_S)
        with self._turn:
            if self._server is server and not server.stopped:
                kill_tree()
                server.wait()
                self._end(server.exit_code or 0)

    def _end(self, code: int) -> None:
        self.exit_code = code
        self._when_ended()

    # Helpers

    def _command_to_run(self, told: list[str] | None) -> list[str]:
        """The launcher's own command; a spare's is what it is told."""
        if self._command is not None:
            if told is not None:
                raise RefusedError(
                    403,
                    f"this container runs only {self._command[0]}: leave out command=, which is "
                    "for a container with LAB_SPARE=1",
                )
            return self._command
        if told is None:
            raise RefusedError(
                400,
                "a spare has no command of its own: give command=, a JSON list of texts. /about of "
                "the server's own launcher tells it",
            )
        return told

    def _last_lines(self) -> list[str]:
        return [] if self._server is None else list(self._server.log)[-LOG_LINES_SHOWN:]

    def _oom_kills(self) -> int | None:
        """Processes of the server that the kernel has killed for want of memory."""
        now, before = oom_kills(), self._oom_kills_at_start
        return None if now is None or before is None else now - before

    def _server_cpu(self) -> float:
        """CPU seconds of the container without the launcher's own."""
        with self._children.counting:
            return self._container_cpu() - time.process_time()


# -------------------------------------------------------------------------------------------- HTTP


class Handler(BaseHTTPRequestHandler):
    """Translates between HTTP and the launcher."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one segment
    launcher: Launcher

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            document, status = self._answer(url.path, query), 200
        except RefusedError as refused:
            document, status = {"error": str(refused)}, refused.status
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  (http.server's name)

    def _answer(self, path: str, query: dict[str, str]) -> Document:
        launcher = self.launcher
        match path:
            case "/start":
                return launcher.start(
                    query.get("settings"), query.get("preload", ""), command_in(query)
                )
            case "/stop":
                return launcher.stop(now=query.get("now") == "1")
            case "/stats":
                return launcher.stats(with_memory=query.get("memory") != "0")
            case "/probe":
                return launcher.probe(instant_in(query, "since_ns"), instant_in(query, "until_ns"))
            case "/wait":
                return launcher.wait()
            case "/about":
                return launcher.about()
            case "/logs":
                return launcher.logs()
            case "/calibrate":
                return launcher.calibrate()
        known = "/start /stop /stats /probe /wait /about /logs /calibrate"
        raise RefusedError(404, f"unknown path: known are {known}")

    def log_message(self, format: str, *args: Any) -> None:
        """Polling is nothing to write home about."""


def command_in(query: dict[str, str]) -> list[str] | None:
    """The command that a query tells; None where it tells none."""
    text = query.get("command")
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        command = json.loads(text)
        if isinstance(command, list) and command and all(isinstance(one, str) for one in command):
            return command
    raise RefusedError(400, f"command is {text!r}: it must be a JSON list of texts")


def instant_in(query: dict[str, str], name: str) -> int | None:
    """The instant that a query tells, in ns of the monotonic clock; None where it tells none."""
    text = query.get(name)
    if text is None or (text.isascii() and text.isdigit()):
        return None if text is None else int(text)
    raise RefusedError(400, f"{name} is {text!r}: it must be whole nanoseconds, like monotonic_ns")


def say(message: str) -> None:
    print(f"launcher: {message}", file=sys.stderr, flush=True)


def main(command: list[str]) -> int:
    spare = os.environ.get("LAB_SPARE") == "1"
    if spare and command:
        say(f"LAB_SPARE=1: /start tells a spare its command, so leave out {command[0]} here.")
        return 2
    if not spare and not command:
        say("which server? Give its command as arguments.")
        return 2
    become_subreaper()
    address = ("0.0.0.0", int(os.environ.get("LAB_PORT", PORT)))
    control = ThreadingHTTPServer(address, Handler, bind_and_activate=False)
    launcher = Handler.launcher = Launcher(None if spare else command, when_ended=control.shutdown)

    def forward(number: int, _frame: object) -> None:
        # In a thread: a handler runs inside whatever the main thread was just doing.
        threading.Thread(target=launcher.forward, args=[number], daemon=True).start()

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    # Not sooner: whoever sees the port open may send a signal.
    control.server_bind()
    control.server_activate()
    if os.environ.get("LAB_AUTOSTART") == "1" and not spare:
        threading.Thread(target=launcher.autostart, daemon=True).start()
    # In the main thread, since it looks up twice a second: one that waits on a lock can miss a
    # signal that comes just before it falls asleep.
    control.serve_forever()
    return launcher.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
