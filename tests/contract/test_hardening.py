"""Every container has the rights that it needs, and no others."""

import os
from pathlib import Path

import pytest

from engine import Engine
from lab import ROOT, declared_servers

APIS = ["api", "api-django"]
SERVICES = [*(server.name for server in declared_servers()), "spare", *APIS]


def lab_setting(name: str) -> str:
    """A variable of the environment, else of .env."""
    lines = Path(ROOT / ".env").read_text().splitlines()
    return os.environ.get(name) or next(
        line.partition("=")[2] for line in lines if line.startswith(f"{name}=")
    )


@pytest.mark.parametrize("service", SERVICES)
def test_the_container_is_locked_down_as_declared(engine: Engine, service: str) -> None:
    container = engine.inspect(engine.container(service))
    host = container["HostConfig"]

    assert container["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["Init"]


@pytest.mark.parametrize("service", SERVICES)
def test_no_port_is_published(engine: Engine, service: str) -> None:
    container = engine.inspect(engine.container(service))

    assert not container["HostConfig"]["PortBindings"]
    assert not any((container["NetworkSettings"]["Ports"] or {}).values())


@pytest.mark.parametrize("service", SERVICES)
def test_each_role_runs_on_its_own_cpus(engine: Engine, service: str) -> None:
    container = engine.inspect(engine.container(service))

    role = "API_CPUS" if service in APIS else "APP_CPUS"
    assert container["HostConfig"]["CpusetCpus"] == lab_setting(role)


@pytest.mark.parametrize("service", SERVICES)
def test_the_kernel_sees_an_unprivileged_process(engine: Engine, service: str) -> None:
    # By the init's own account, since `exec` would tell of the process that it adds.
    told = engine.execute(engine.container(service), "cat", "/proc/1/status")
    status = dict(line.split(":", 1) for line in told.splitlines())

    assert status["Uid"].split() == ["10001"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
