"""The launcher against real processes."""

import contextlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import launcher
import pytest
from upstream_stand_in import free_port

LAUNCHER = Path(__file__).parent.parent / "launcher.py"

WAITS = "import time; time.sleep(600)"
# Burns a second of CPU time in a child that ends, then waits: its own counters do not show it.
BURNS = """
import os, time
if os.fork() == 0:
    while time.process_time() < 1:
        pass
    os._exit(0)
os.wait()
print("burnt", flush=True)
time.sleep(600)
"""
# Ignores SIGTERM, and so does its child, which has left for a session of its own.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
os.write(1, b"%d\\n" % os.getpid())  # whole: print writes the end of the line by itself
time.sleep(600)
"""
# Leaves an orphan behind ten times, as a daemon does by forking twice; some end at once, some stay.
ORPHANS = """
import os, time
def orphan(live):
    if (child := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(1, b"%d\\n" % os.getpid())  # at once: they all write
            live()
        os._exit(0)
    os.waitpid(child, 0)
for _ in range(5):
    orphan(lambda: None)
    orphan(lambda: time.sleep(600))
"""
# An orphan that burns a second of CPU time and ends.
ORPHAN_BURNS = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        while time.process_time() < 1:
            pass
        print("burnt", os.getpid(), flush=True)
    os._exit(0)
os.wait()
time.sleep(600)
"""
# An orphan every now and then, each of which burns 50 ms of CPU time.
STREAM_OF_ORPHANS = """
import os, time
while True:
    if (child := os.fork()) == 0:
        if os.fork() == 0:
            while time.process_time() < 0.05:
                pass
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.06)
"""
# The launcher with a line of Python that changes something in it.
CHANGED = f"""
import sys
sys.path.insert(0, {str(LAUNCHER.parent)!r})
import launcher
{{change}}
sys.exit(launcher.main(sys.argv[1:]))
"""
# No cgroup counts CPU time: it adds up what /proc says of processes.
NO_CGROUP = 'launcher.CGROUP_V1_CPU = launcher.CGROUP_V2_CPU = launcher.Path("/nowhere")'
# A probe that uses so much CPU that it would be seen wherever it is counted.
GREAT_PROBE = "launcher.PROBE_ROUNDS = 300_000"

# Number of the system call that ends one thread.
SYS_EXIT = {"x86_64": 60, "aarch64": 93}


class Lab:
    """A launcher of a Python program (None: of what it is told), and its answers."""

    def __init__(
        self,
        program: str | None,
        *,
        change: str = "",
        interpreter: str = sys.executable,
        **environment: str,
    ) -> None:
        server = [] if program is None else [interpreter, "-uc", program]
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.process = subprocess.Popen(
            [
                sys.executable,
                *(["-c", CHANGED.format(change=change)] if change else [LAUNCHER]),
                *server,
            ],
            env=os.environ | {"LAB_PORT": str(self._port)} | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.until(self._listens)

    def get(self, path: str) -> Any:
        return self.answer(path)[1]

    def answer(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as got:
                return got.status, json.load(got)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    @staticmethod
    def until(happened: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not happened():
            assert time.monotonic() < end, "it did not happen within 20 s"
            time.sleep(0.01)

    def until_logged(self, line: str) -> None:
        self.until(lambda: line in self.get("/logs")["log"])

    def logged_numbers(self, count: int) -> list[int]:
        """The process ids that the server's tree has written, once there are that many."""
        self.until(lambda: len(self.get("/logs")["log"]) >= count)
        return [int(line) for line in self.get("/logs")["log"]]

    def children(self) -> list[int]:
        """Process ids of the launcher's children, zombies too."""
        return [pid for pid, parent in parents().items() if parent == self.process.pid]

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


Launch = Callable[..., Lab]


@pytest.fixture
def launch() -> Iterator[Launch]:
    labs: list[Lab] = []

    def launch(program: str | None, **options: Any) -> Lab:
        labs.append(Lab(program, **options))
        return labs[-1]

    yield launch
    for lab in labs:
        lab.process.terminate()
        lab.process.communicate(timeout=20)


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def is_there(pid: int) -> bool:
    """Whether there is such a process, alive or a zombie."""
    return Path(f"/proc/{pid}").exists()


def parents() -> dict[int, int]:
    """Process id → that of its parent, zombies too."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just gone
            stat = (folder / "stat").read_text()
            found[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def test_nothing_runs_before_the_start(launch: Launch) -> None:
    stats = launch(WAITS).get("/stats")
    assert (stats["running"], stats["generation"], stats["processes"]) == (False, 0, 0)
    assert stats["cpu_seconds"] is None
    assert stats["pss_bytes"] is None


def test_every_start_makes_a_fresh_process(launch: Launch) -> None:
    lab = launch(WAITS)
    first = lab.get("/start")
    assert lab.get("/stats")["running"]
    assert lab.get("/stop")["exit_code"] == 128 + signal.SIGTERM
    second = lab.get("/start")
    assert (first["generation"], second["generation"]) == (1, 2)
    assert first["pid"] != second["pid"]
    assert not is_alive(first["pid"])
    assert is_alive(second["pid"])


def test_a_second_start_is_refused_while_the_server_runs(launch: Launch) -> None:
    lab = launch(WAITS)
    pid = lab.get("/start")["pid"]
    status, refusal = lab.answer("/start")
    assert status == 409
    assert str(pid) in refusal["error"]


def test_the_server_is_told_its_settings_and_the_upstreams_address(
    launch: Launch, tmp_path: Path
) -> None:
    certificate = tmp_path / "lab-ca.pem"
    certificate.write_text("-----BEGIN CERTIFICATE-----\nthe lab's\n-----END CERTIFICATE-----\n")
    lab = launch(
        "import json, os, time; print(json.dumps(dict(os.environ))); time.sleep(600)",
        LAB_SETTINGS="plain,fancy",
        LAB_SETTINGS_MODULE="site.{settings}",
        LAB_UPSTREAM_HOST="localhost",
        LAB_CA=str(certificate),
    )
    assert lab.get("/start?settings=fancy&preload=no-http")["settings"] == "fancy"
    lab.until(lambda: bool(lab.get("/logs")["log"]))
    told = json.loads(lab.get("/logs")["log"][0])
    assert told["DJANGO_SETTINGS_MODULE"] == "site.fancy"
    assert told["LAB_PRELOAD"] == "no-http"
    assert told["LAB_UPSTREAM_HTTP"] == "http://127.0.0.1:9000"
    assert told["LAB_UPSTREAM_HTTPS"] == "https://127.0.0.1:9443"
    assert told["SSL_CERT_FILE"] == told["REQUESTS_CA_BUNDLE"]
    bundle = Path(told["SSL_CERT_FILE"]).read_text()
    assert "the lab's" in bundle
    assert bundle.count("-----BEGIN CERTIFICATE-----") > 100


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", "127.0.0.1"), ("nobody.invalid", "nobody.invalid")]
)
def test_the_second_upstream_is_told_by_its_address_where_it_is_up_else_by_its_name(
    launch: Launch, host: str, address: str
) -> None:
    lab = launch(
        "import os, time; print(os.environ['LAB_UPSTREAM_DJANGO']); time.sleep(600)",
        LAB_UPSTREAM_HOST="localhost",
        LAB_UPSTREAM_DJANGO_HOST=host,
    )
    lab.get("/start")
    lab.until_logged(f"http://{address}:8000")


def test_an_upstream_whose_name_does_not_resolve_is_said_and_starts_nothing(
    launch: Launch,
) -> None:
    lab = launch(WAITS, LAB_UPSTREAM_HOST="nobody.invalid")
    status, refusal = lab.answer("/start")
    assert status == 503
    assert "'nobody.invalid'" in refusal["error"]
    assert not lab.get("/stats")["running"]


def test_unknown_settings_are_refused_with_the_allowed_ones(launch: Launch) -> None:
    lab = launch(WAITS, LAB_SETTINGS="plain,fancy")
    status, refusal = lab.answer("/start?settings=baroque")
    assert status == 400
    assert "plain, fancy" in refusal["error"]
    assert lab.get("/start")["settings"] == "plain"


def test_an_upstream_that_is_not_up_is_said_and_starts_nothing(launch: Launch) -> None:
    lab = launch(WAITS, LAB_UPSTREAM_HOST="localhost", LAB_CA="/nowhere/lab-ca.pem")
    status, refusal = lab.answer("/start")
    assert status == 503
    assert "/nowhere/lab-ca.pem" in refusal["error"]
    assert not lab.get("/stats")["running"]


def test_a_command_that_is_not_there_is_an_error_that_names_it() -> None:
    port = free_port()
    done = subprocess.run(
        [sys.executable, LAUNCHER, "no-such-server"],
        env=os.environ | {"LAB_PORT": str(port), "LAB_AUTOSTART": "1"},
        stderr=subprocess.PIPE,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert "no-such-server" in done.stderr


def test_cpu_time_of_children_that_have_ended_is_counted(launch: Launch) -> None:
    lab = launch(BURNS)
    lab.get("/start")
    lab.until_logged("burnt")
    stats = lab.get("/stats?memory=0")
    assert stats["cpu_seconds"] >= 1
    assert stats["cpu_source"] in {"cgroup-v1", "cgroup-v2", "proc"}
    assert stats["pss_bytes"] is None


@pytest.mark.by_itself
@pytest.mark.skipif(
    not Path("/.dockerenv").exists(), reason="outside of a container the counter is the machine's"
)
def test_the_launchers_own_cpu_time_is_left_out(launch: Launch) -> None:
    lab = launch(WAITS)
    lab.get("/start")
    before = lab.get("/stats?memory=0")
    used = 0.0
    while used < 0.5:  # on a busy machine a calibration gets less than the time that it takes
        lab.get("/calibrate")
        after = lab.get("/stats?memory=0")
        used = after["launcher_cpu_seconds"] - before["launcher_cpu_seconds"]
    assert after["monotonic_ns"] > before["monotonic_ns"]
    assert after["cpu_seconds"] - before["cpu_seconds"] < used / 2


PROBE_LEAST_NS = 25_000_000
SECOND_NS = 1_000_000_000


def probe(lab: Lab, **instants_ns: int) -> Any:
    return lab.get("/probe?" + urllib.parse.urlencode(instants_ns))


def test_a_fixed_loop_runs_every_50_ms_or_so_while_the_server_does(
    launch: Launch,
) -> None:
    lab = launch(WAITS)
    nothing: Any = {"count": 0, "mean_ms": None, "sd_ms": None, "seconds": []}
    assert probe(lab) == nothing
    started = lab.get("/start")["monotonic_ns"]
    lab.until(lambda: len(probe(lab, since_ns=started)["seconds"]) >= 3)
    now = lab.get("/stats?memory=0")["monotonic_ns"]
    probed = probe(lab, since_ns=started, until_ns=now)
    # A busy machine leaves some out; none is made up for.
    assert 3 <= probed["count"] <= (now - started) / PROBE_LEAST_NS + 1
    assert 0.05 < probed["mean_ms"] < 5
    assert probed["sd_ms"] >= 0
    instants = [second["since_ns"] for second in probed["seconds"]]
    assert instants[0] == started
    assert all((after - before) % SECOND_NS == 0 for before, after in pairwise(instants))
    assert instants[-1] + SECOND_NS <= now
    assert all(1 <= second["count"] <= 41 for second in probed["seconds"])
    assert probe(lab, since_ns=now + 3600 * SECOND_NS) == nothing

    lab.get("/stop")
    stopped = probe(lab, since_ns=started)["count"]
    used = lab.get("/stats?memory=0")["launcher_cpu_seconds"]
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        time.sleep(0.05)
    assert probe(lab, since_ns=started)["count"] == stopped >= probed["count"]
    assert lab.get("/stats?memory=0")["launcher_cpu_seconds"] - used < 0.1

    lab.get("/start")
    assert probe(lab)["count"] < stopped


def test_the_spread_of_the_probe_is_that_of_the_means_of_whole_seconds() -> None:
    runs = [(0, 400_000), (50, 600_000), (SECOND_NS, 700_000), (2 * SECOND_NS + 1, 900_000)]
    assert launcher.summary_of(runs, 0, 3 * SECOND_NS) == {
        "count": 4,
        "mean_ms": 0.65,
        "sd_ms": pytest.approx(0.2),
        "seconds": [
            {"since_ns": 0, "mean_ms": 0.5, "count": 2},
            {"since_ns": SECOND_NS, "mean_ms": 0.7, "count": 1},
            {"since_ns": 2 * SECOND_NS, "mean_ms": 0.9, "count": 1},
        ],
    }
    # The last second is not whole: its run counts, but makes no spread.
    of_less = launcher.summary_of(runs, 0, 2 * SECOND_NS - 1)
    assert (of_less["count"], len(of_less["seconds"]), of_less["sd_ms"]) == (3, 1, None)
    assert launcher.summary_of(runs, 0, 2 * SECOND_NS)["sd_ms"] == pytest.approx(0.02**0.5)
    # A second without a run is left out.
    assert [s["since_ns"] for s in launcher.summary_of(runs[2:], 0, 2 * SECOND_NS)["seconds"]] == [
        SECOND_NS
    ]


@pytest.mark.parametrize("instant", ["soon", "-1", "1e9"])
def test_an_instant_that_is_none_is_refused(launch: Launch, instant: str) -> None:
    status, refusal = launch(WAITS).answer(f"/probe?until_ns={instant}")
    assert status == 400
    assert f"until_ns is {instant!r}" in refusal["error"]


@pytest.mark.by_itself
@pytest.mark.skipif(
    not Path("/.dockerenv").exists(), reason="outside of a container the counter is the machine's"
)
def test_the_probe_is_not_in_the_servers_account(launch: Launch) -> None:
    lab = launch(WAITS, change=GREAT_PROBE)
    lab.get("/start")
    lab.until(lambda: probe(lab)["count"] >= 10)  # Python's own start is over by then
    before = lab.get("/stats?memory=0")
    probed_s = 0.0
    while probed_s < 0.5:
        time.sleep(0.5)  # to ask more often would use CPU itself
        after = lab.get("/stats?memory=0")
        instants = {"since_ns": before["monotonic_ns"], "until_ns": after["monotonic_ns"]}
        probed = probe(lab, **instants)
        probed_s = probed["count"] * (probed["mean_ms"] or 0) / 1000
    used = after["launcher_cpu_seconds"] - before["launcher_cpu_seconds"]
    assert used > 0.9 * probed_s
    assert after["cpu_seconds"] - before["cpu_seconds"] < probed_s / 2


def test_memory_processes_and_threads_are_those_of_the_server(launch: Launch) -> None:
    lab = launch(
        "import threading, time\n"
        "block = bytearray(50_000_000)\n"
        "threading.Thread(target=time.sleep, args=[600], daemon=True).start()\n"
        "print('ready'); time.sleep(600)"
    )
    lab.get("/start")
    lab.until_logged("ready")
    stats = lab.get("/stats")
    assert (stats["processes"], stats["threads"]) == (1, 2)
    assert stats["rss_bytes"] > 50_000_000
    assert stats["pss_bytes"] > 50_000_000
    assert stats["peak_bytes"] >= stats["rss_bytes"]


def test_calibration_takes_no_longer_than_a_trial_can_spare(launch: Launch) -> None:
    lab = launch(WAITS)
    before = lab.get("/stats")["launcher_cpu_seconds"]
    loop = lab.get("/calibrate")
    assert 0 < loop["cpu_ms"] <= loop["wall_ms"] + 0.1
    assert lab.get("/stats")["launcher_cpu_seconds"] - before < 0.3


def test_stop_kills_a_stubborn_tree_and_returns_when_nothing_is_left(launch: Launch) -> None:
    lab = launch(STUBBORN)
    lab.get("/start")
    lab.until(lambda: len(lab.get("/logs")["log"]) == 2)
    pids = [int(line) for line in lab.get("/logs")["log"]]
    assert all(map(is_alive, pids))
    lab.until(lambda: lab.get("/stats")["processes"] == 2)  # what was between the two has ended
    assert lab.get("/stop")["exit_code"] == 128 + signal.SIGKILL
    assert not any(map(is_alive, pids))
    assert lab.get("/stats")["processes"] == 0


def test_an_orphan_is_waited_for_while_the_server_runs(launch: Launch) -> None:
    lab = launch(ORPHANS + "time.sleep(600)")
    lab.get("/start")
    orphans = lab.logged_numbers(10)
    lab.until(lambda: len(list(filter(is_there, orphans))) == 5)
    assert all(map(is_alive, filter(is_there, orphans)))
    assert lab.get("/stats")["running"]
    assert lab.get("/stats")["processes"] == 1 + 5


@pytest.mark.parametrize("now", ["", "?now=1"])
def test_nothing_of_an_earlier_server_is_left_after_the_stop_not_even_zombies(
    launch: Launch, now: str
) -> None:
    lab = launch(ORPHANS + "time.sleep(600)")
    for generation in (1, 2, 3):
        pid = lab.get("/start")["pid"]
        orphans = lab.logged_numbers(10)
        stopped = lab.get(f"/stop{now}")
        assert stopped["exit_code"] == 128 + (signal.SIGKILL if now else signal.SIGTERM)
        assert [one for one in (pid, *orphans) if is_there(one)] == []
        assert lab.children() == []
        assert lab.get("/stats")["generation"] == generation


def test_the_exit_code_is_the_servers_own_when_it_ends_among_its_orphans(launch: Launch) -> None:
    lab = launch(ORPHANS + "raise SystemExit(7)")
    lab.get("/start")
    ended = lab.get("/wait")
    assert (ended["running"], ended["exit_code"]) == (False, 7)
    assert lab.process.wait(timeout=20) == 7
    assert not any(map(is_there, map(int, ended["log"])))


def test_a_server_that_cannot_be_executed_leaves_nothing_and_the_next_start_works(
    launch: Launch, tmp_path: Path
) -> None:
    interpreter = tmp_path / "python"
    lab = launch(WAITS, interpreter=str(interpreter))
    status, refusal = lab.answer("/start")
    assert status == 500
    assert str(interpreter) in refusal["error"]
    assert lab.children() == []
    interpreter.symlink_to(sys.executable)
    pid = lab.get("/start")["pid"]
    assert lab.children() == [pid]
    assert lab.get("/stop")["exit_code"] == 128 + signal.SIGTERM


@pytest.mark.by_itself
@pytest.mark.parametrize("change", ["", NO_CGROUP])
def test_cpu_time_of_an_orphan_is_counted_once_before_and_after_it_is_waited_for(
    launch: Launch, change: str
) -> None:
    lab = launch(ORPHAN_BURNS, change=change)
    lab.get("/start")
    lab.until(lambda: bool(lab.get("/logs")["log"]))
    (line,) = lab.get("/logs")["log"]
    lab.until(lambda: not is_there(int(line.split()[1])))
    ended = lab.get("/stats?memory=0")
    lab.get("/stop")
    stopped = lab.get("/stats?memory=0")
    assert (ended["cpu_source"] == "proc") == (change == NO_CGROUP)
    # Python's own start takes some too, but no second.
    assert 1 <= ended["cpu_seconds"] < 1.9
    assert ended["cpu_seconds"] <= stopped["cpu_seconds"] < 1.9
    lab.get("/start")
    assert lab.get("/stats?memory=0")["cpu_seconds"] < 1


def test_cpu_time_never_runs_backwards_while_orphans_end(launch: Launch) -> None:
    lab = launch(STREAM_OF_ORPHANS, change=NO_CGROUP)
    lab.get("/start")
    counted = [0.0]
    while counted[-1] < 1:
        counted.append(lab.get("/stats?memory=0")["cpu_seconds"])
    # A hundredth is what /proc rounds to; an orphan that was lost for a moment would be five.
    assert all(after > before - 0.02 for before, after in pairwise(counted))
    assert counted[-1] < 1.5


def test_stop_now_leaves_the_server_no_time_and_returns_when_nothing_is_left(
    launch: Launch,
) -> None:
    lab = launch(WAITS)
    lab.get("/start")
    assert lab.get("/stop?now=1")["exit_code"] == 128 + signal.SIGKILL
    assert lab.get("/stats")["processes"] == 0
    assert lab.get("/start")["generation"] == 2


@pytest.mark.skipif(platform.machine() not in SYS_EXIT, reason="the system call has another number")
def test_a_process_whose_first_thread_has_ended_is_no_zombie_and_is_stopped(launch: Launch) -> None:
    lab = launch(
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=[600]).start()\n"
        "print('ready')\n"
        f"ctypes.CDLL(None).syscall({SYS_EXIT[platform.machine()]}, 0)"
    )
    pid = lab.get("/start")["pid"]
    lab.until(lambda: is_there(pid) and not is_alive(pid))  # it looks like one
    assert lab.get("/stop?now=1")["exit_code"] == 128 + signal.SIGKILL
    assert not is_there(pid)


def test_stop_without_a_server_is_no_error(launch: Launch) -> None:
    assert launch(WAITS).get("/stop") == {"exit_code": None, "log": []}


def test_stop_tells_the_last_lines_that_the_server_wrote(launch: Launch) -> None:
    lab = launch(
        "import signal, time\n"
        "def end(*_):\n"
        "    print('\\n'.join(f'line {n}' for n in range(100)))\n"
        "    raise SystemExit(7)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready'); time.sleep(600)"
    )
    lab.get("/start")
    lab.until_logged("ready")
    stopped = lab.get("/stop")
    assert stopped["exit_code"] == 7
    assert stopped["log"] == [f"line {n}" for n in range(60, 100)]


def test_stats_are_answered_while_stop_waits(launch: Launch) -> None:
    lab = launch(STUBBORN)
    lab.get("/start")
    lab.until(lambda: len(lab.get("/logs")["log"]) == 2)
    stopping = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as r; r.urlopen('{lab.url}/stop').read()"]
    )
    seen = 0
    while stopping.poll() is None:
        seen += lab.get("/stats")["running"]
    assert seen > 10


def test_a_server_that_ends_by_itself_ends_the_launcher_with_its_exit_code(launch: Launch) -> None:
    lab = launch("print('out of order'); raise SystemExit(3)")
    lab.get("/start")
    lab.until(lambda: not lab.get("/stats")["running"])
    assert lab.get("/stats")["exit_code"] == 3
    assert lab.get("/about")["log"] == ["out of order"]
    output, _ = lab.process.communicate(timeout=20)
    assert lab.process.returncode == 3
    assert output == "out of order\n"


def test_whoever_waits_is_told_the_end_at_once_with_the_last_lines(launch: Launch) -> None:
    lab = launch("print('out of order'); import os; os.kill(os.getpid(), 9)")
    lab.get("/start")
    ended = lab.get("/wait")
    assert (ended["running"], ended["exit_code"]) == (False, 128 + signal.SIGKILL)
    assert ended["log"] == ["out of order"]
    assert ended["oom_kills"] in (0, None)  # None where no cgroup counts them


def test_whoever_waits_is_told_of_a_stop_too(launch: Launch) -> None:
    lab = launch(WAITS)
    lab.get("/start")
    waiting = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as r; r.urlopen('{lab.url}/wait').read()"]
    )
    lab.get("/stop")
    assert waiting.wait(timeout=20) == 0


def test_there_is_nothing_to_wait_for_before_the_start(launch: Launch) -> None:
    status, refusal = launch(WAITS).answer("/wait")
    assert status == 409
    assert "no server" in refusal["error"]


@pytest.mark.skipif(
    not Path("/.dockerenv").exists(), reason="outside of a container the limits are the machine's"
)
def test_without_a_memory_limit_none_is_told(launch: Launch) -> None:
    lab = launch(WAITS)
    lab.get("/start")
    stats = lab.get("/stats?memory=0")
    assert (stats["oom_kills"], stats["memory_limit_bytes"]) == (0, None)


def test_the_kernel_takes_the_server_before_the_launcher(launch: Launch) -> None:
    lab = launch(WAITS)
    server = lab.get("/start")["pid"]
    scores = [
        int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (server, lab.process.pid)
    ]
    assert scores[0] > scores[1]


def test_a_server_killed_by_a_signal_is_told_as_a_shell_does(launch: Launch) -> None:
    lab = launch("import os; os.kill(os.getpid(), 9)")
    lab.get("/start")
    assert lab.process.wait(timeout=20) == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_forwarded_and_the_exit_code_passed_on(
    launch: Launch, number: signal.Signals
) -> None:
    lab = launch(
        "import signal, time\n"
        f"signal.signal({number:d}, lambda *_: exit(40 + {number:d}))\n"
        "print('ready'); time.sleep(600)"
    )
    lab.get("/start")
    lab.until_logged("ready")
    lab.process.send_signal(number)
    assert lab.process.wait(timeout=20) == 40 + number


def test_without_a_server_a_signal_ends_the_launcher_well(launch: Launch) -> None:
    lab = launch(WAITS)
    lab.process.terminate()
    assert lab.process.wait(timeout=20) == 0


def test_autostart_starts_the_server_with_the_launcher(launch: Launch) -> None:
    lab = launch(WAITS, LAB_AUTOSTART="1")
    lab.until(lambda: bool(lab.get("/stats")["running"]))


def test_about_names_command_and_versions(launch: Launch) -> None:
    about = launch(WAITS, LAB_SETTINGS="plain").get("/about")
    assert about["command"][-1] == WAITS
    assert about["settings_known"] == ["plain"]
    assert about["python"] == sys.version.split()[0]
    assert "pytest" in about["packages"]
    assert about["cpus"] == sorted(os.sched_getaffinity(0))


def told(command: object, **query: str) -> str:
    return "/start?" + urllib.parse.urlencode({"command": json.dumps(command), **query})


def test_a_spare_runs_the_command_that_it_is_told_each_time_another(launch: Launch) -> None:
    lab = launch(None, LAB_SPARE="1", LAB_SETTINGS="plain,fancy", LAB_AUTOSTART="1")
    assert lab.get("/about")["command"] == []
    for text in ("the first & its +", "the second"):
        command = [sys.executable, "-uc", f"print({text!r})\n{WAITS}"]
        started = lab.get(told(command, settings="fancy"))
        assert started["settings"] == "fancy"
        lab.until_logged(text)
        assert lab.get("/about")["command"] == command
        assert lab.get("/stop")["exit_code"] == 128 + signal.SIGTERM


@pytest.mark.parametrize("path", ["/start", told("uvicorn"), told([]), told(["uvicorn", 8000])])
def test_a_spare_without_a_command_starts_nothing(launch: Launch, path: str) -> None:
    lab = launch(None, LAB_SPARE="1")
    status, refusal = lab.answer(path)
    assert status == 400
    assert "command" in refusal["error"]
    assert "JSON list" in refusal["error"]
    assert not lab.get("/stats")["running"]


def test_what_is_no_spare_is_told_no_command(launch: Launch) -> None:
    lab = launch(WAITS)
    status, refusal = lab.answer(told([sys.executable, "-c", "print('mine')"]))
    assert status == 403
    assert "LAB_SPARE=1" in refusal["error"]
    assert not lab.get("/stats")["running"]


@pytest.mark.parametrize(("command", "spare"), [([], "0"), (["uvicorn"], "1")])
def test_a_launcher_has_a_command_or_is_a_spare(command: list[str], spare: str) -> None:
    done = subprocess.run(
        [sys.executable, LAUNCHER, *command],
        env=os.environ | {"LAB_PORT": str(free_port()), "LAB_SPARE": spare},
        stderr=subprocess.PIPE,
        text=True,
        timeout=20,
    )
    assert done.returncode == 2
    assert "command" in done.stderr


def test_an_unknown_path_is_refused_with_the_known_ones(launch: Launch) -> None:
    status, refusal = launch(WAITS).answer("/restart")
    assert status == 404
    assert "/start" in refusal["error"]
