"""What the Docker engine says of the lab's containers, by its own API on the mounted socket."""

import json
import os
from typing import Any

import httpx

SOCKET = "/var/run/docker.sock"


class Engine:
    """The engine that runs the lab under test."""

    def __init__(self) -> None:
        transport = httpx.HTTPTransport(uds=SOCKET)
        self.http = httpx.Client(base_url="http://docker", transport=transport, timeout=60)

    def get(self, path: str, **query: str) -> Any:
        """The JSON answer of `path`; raises httpx.HTTPStatusError for any status but 200."""
        return self.http.get(path, params=query).raise_for_status().json()

    def container(self, service: str) -> str:
        """Id of the service's own container, running or not (not of a `docker compose run`)."""
        labels = {
            "project": os.environ["COMPOSE_PROJECT_NAME"],
            "service": service,
            "oneoff": "False",
        }
        filters = {"label": [f"com.docker.compose.{name}={text}" for name, text in labels.items()]}
        found = self.get("/containers/json", all="1", filters=json.dumps(filters))
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return str(found[0]["Id"])

    def inspect(self, container: str) -> dict[str, Any]:
        """`docker inspect` of a container, by name or id."""
        document: dict[str, Any] = self.get(f"/containers/{container}/json")
        return document

    def remove(self, container: str) -> None:
        """`docker rm --force`, of a container that a test has made."""
        query = {"force": "true", "v": "true"}
        self.http.delete(f"/containers/{container}", params=query).raise_for_status()

    def signal(self, container: str, name: str) -> None:
        """`docker kill --signal`."""
        self.http.post(f"/containers/{container}/kill", params={"signal": name}).raise_for_status()

    def limit_cpu(self, container: str, cpus: float) -> None:
        """`docker update --cpus`; 0 lifts the limit."""
        # In periods: the engine cannot lift a limit that was set in NanoCpus.
        limit = {"CpuPeriod": 100_000, "CpuQuota": int(cpus * 100_000) if cpus else -1}
        self.http.post(f"/containers/{container}/update", json=limit).raise_for_status()

    def cpu_seconds(self, container: str) -> float:
        """CPU time of all processes of the container: the kernel's account of its cgroup."""
        stats = self.get(f"/containers/{container}/stats", stream="false", **{"one-shot": "true"})
        return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9

    def commands(self, container: str) -> list[str]:
        """The command line of every process in the container."""
        table = self.get(f"/containers/{container}/top", ps_args="-eo pid,args")
        column = table["Titles"].index("COMMAND")
        return [str(process[column]) for process in table["Processes"]]

    def execute(self, container: str, *command: str) -> str:
        """What a command writes that runs in the container, as with `docker exec`.

        `docker compose exec` reads and resolves all of the lab's files first, which costs more
        than most of what a test asks. Raises AssertionError where the command fails.
        """
        asked = {"Cmd": command, "AttachStdout": True, "AttachStderr": True, "Tty": True}
        made = self.http.post(f"/containers/{container}/exec", json=asked).raise_for_status()
        execution = f"/exec/{made.json()['Id']}"
        answer = self.http.post(f"{execution}/start", json={"Tty": True}).raise_for_status()
        ended = self.get(f"{execution}/json")
        assert ended["ExitCode"] == 0, f"{command}: {answer.text}"
        return answer.text

    def events(self, container: str, kind: str, since: float, until: float) -> list[dict[str, str]]:
        """Attributes of each event of that kind (`die`, `kill`), seconds since the epoch."""
        filters = json.dumps({"container": [container], "event": [kind]})
        query = {"since": f"{since:.6f}", "until": f"{until:.6f}", "filters": filters}
        answer = self.http.get("/events", params=query).raise_for_status()
        return [json.loads(line)["Actor"]["Attributes"] for line in answer.text.splitlines()]
