"""The programs of examples/ that are products run together, and the files beside them fit."""

from __future__ import annotations

import configparser
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

import zc.zk
from tests.deadlines import scaled, wait_until
from tests.docs.pages import PROJECT

EXAMPLES = PROJECT / "examples"
DEPLOY = EXAMPLES / "deploy"


class Program:
    """A program that runs, and the lines that it prints."""

    def __init__(self, command: list[str], place: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            # The kernel ends it should the tests be killed.
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            cwd=EXAMPLES,
            env={**os.environ, "ZC_ZK_CONNECTION_STRING": place, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.told: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
            self.told.append(line)

    def read_until(self, pattern: str) -> str:
        """Return the next line with `pattern`."""
        deadline = time.monotonic() + scaled(30)
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} in {''.join(self.told)}") from None
            if re.search(pattern, line):
                return line

    def end(self) -> int:
        """Ask it to end, and return its status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(scaled(30))
        finally:
            self.process.kill()
            self._reader.join()
            assert self.process.stdout is not None
            self.process.stdout.close()


@pytest.fixture
def start(place: str) -> Iterator[Any]:
    """Yield a function that starts a program of examples/ with the test's place in ZooKeeper."""
    started: list[Program] = []

    def start(*command: str, **variables: str) -> Program:
        started.append(Program([sys.executable, *command], place, **variables))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.end()


def uvicorn() -> list[str]:
    """Return the arguments of Python in the unit of systemd, for any port of loopback."""
    pytest.importorskip("fastapi")
    unit = configparser.ConfigParser(interpolation=None, strict=False, delimiters="=")
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "prices.service")
    interpreter, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert interpreter.endswith("/bin/python")
    replaced = {"0.0.0.0": "127.0.0.1", "8080": "0"}
    return [replaced.get(word, word) for word in arguments]


GUNICORN = ["-m", "gunicorn", "--config", "gunicorn_conf.py", "gunicorn_service:application"]


@pytest.fixture
def tree(zk: zc.zk.ZooKeeper) -> zc.zk.ZooKeeper:
    zk.import_tree((EXAMPLES / "shop.txt").read_text())
    return zk


@pytest.mark.not_emulated("other processes do not reach it")
def test_services_are_found_replaced_and_no_request_fails(tree, start) -> None:
    servers = tree.children("/prices/providers")
    fastapi, gunicorn = start(*uvicorn()), start(*GUNICORN)
    wait_until(lambda: len(servers) == 2, lambda: f"both are registered: {list(servers)}", 30)

    consumer = start("httpx_consumer.py")
    for name in ("uvicorn", "gunicorn"):
        consumer.read_until(rf"^{name} says tea: 4\.20$")
    tree.properties("/prices").update(tea=4.5)
    for name in ("uvicorn", "gunicorn"):
        consumer.read_until(rf"^{name} says tea: 4\.50$")

    assert gunicorn.end() == 0, gunicorn.told
    wait_until(lambda: len(servers) == 1, lambda: f"one is left: {list(servers)}", 30)
    tree.properties("/shop").update(item="coffee")
    consumer.read_until(r"^uvicorn says coffee: 3\.80$")
    assert all(" says " in line for line in consumer.told), consumer.told

    (address,) = servers
    with urllib.request.urlopen(f"http://{address}/-/health", timeout=scaled(10)) as answer:
        assert answer.read() == b'{"has_prices":true,"is_connected":true}'
    assert consumer.end() == 0
    assert fastapi.end() in (0, -signal.SIGTERM), fastapi.told
    wait_until(lambda: not len(servers), "none is left", 30)


def status(address: str, path: str) -> int:
    """Return the status of a request by HTTP."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=scaled(10)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


@pytest.mark.not_emulated("other processes do not reach it")
def test_a_service_whose_node_is_deleted_is_not_ready_and_yet_alive(tree, start) -> None:
    servers = tree.children("/prices/providers")
    fastapi = start(*uvicorn())
    wait_until(lambda: len(servers) == 1, lambda: f"it is registered: {list(servers)}", 30)
    (address,) = servers
    assert status(address, "/-/health") == 200
    tree.delete_recursive("/prices", force=True)
    wait_until(lambda: status(address, "/-/health") == 503, "it is not ready", 30)
    assert status(address, "/-/alive") == 204
    assert fastapi.end() in (0, -signal.SIGTERM), fastapi.told


@pytest.mark.not_emulated("other processes do not reach it")
def test_a_service_registers_the_address_that_it_is_told(tree, start) -> None:
    start(*GUNICORN, PRICES_ADDRESS="10.1.2.3:8080")
    wait_until(
        lambda: tree.get_children("/prices/providers") == ["10.1.2.3:8080"], "it is registered", 30
    )


def test_the_unit_of_systemd_has_known_settings() -> None:
    text = (DEPLOY / "prices.service").read_text()
    assert set(re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)) == {"Unit", "Service", "Install"}
    settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert settings["KillSignal"] == "SIGTERM"
    assert int(settings["TimeoutStopSec"]) > 10
    assert settings["WorkingDirectory"].endswith("/examples")
    for line in text.splitlines():
        assert not line or re.match(r"#|\[\w+\]$|[A-Z]\w+=", line), line


@pytest.fixture
def compose() -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_compose_file_is_of_one_piece(compose) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {"services", "volumes"}
    services = compose["services"]
    known = {
        "image", "build", "command", "environment", "volumes", "depends_on", "healthcheck",
        "restart", "stop_grace_period",
    }  # fmt: skip
    conditions = {"service_healthy", "service_completed_successfully", "service_started"}
    for name, service in services.items():
        assert set(service) <= known, name
        assert ("image" in service) != ("build" in service), name
        needed = service.get("depends_on", {})
        assert set(needed) <= set(services), name
        if isinstance(needed, dict):
            assert {what["condition"] for what in needed.values()} <= conditions
            for other, what in needed.items():
                if what["condition"] == "service_healthy":
                    assert "healthcheck" in services[other]
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in compose["volumes"], name
        if "build" in service:
            context = DEPLOY / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).is_file()
    where = services["consumer"]["environment"]["ZC_ZK_CONNECTION_STRING"]
    members = [server.partition(":")[0] for server in where.split(",")]
    assert members == [name for name in services if name.startswith("zk")]
    for number, member in enumerate(members, 1):
        assert services[member]["environment"]["ZOO_MY_ID"] == number
        ensemble = services[member]["environment"]["ZOO_SERVERS"].split()
        assert ensemble == [f"server.{n}={m}:2888:3888;2181" for n, m in enumerate(members, 1)]


def test_the_image_has_what_the_services_run(compose) -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    assert "COPY *.py shop.txt /srv/" in image
    commands = [
        " ".join(service["command"])
        for service in compose["services"].values()
        if "build" in service
    ]
    files = {word for line in [*commands, image] for word in re.findall(r"\w+\.(?:py|txt)", line)}
    modules = {word for line in commands for word in re.findall(r"(\w+):app", line)}
    assert {"httpx_consumer.py", "shop.txt"} <= files
    assert modules == {"fastapi_service"}
    for name in [*files, *(f"{module}.py" for module in modules)]:
        assert (EXAMPLES / name).is_file(), name


def test_the_objects_of_kubernetes_fit_together() -> None:
    yaml = pytest.importorskip("yaml")
    objects = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    by_kind = {each["kind"]: each for each in objects}
    assert set(by_kind) == {"Service", "PodDisruptionBudget", "StatefulSet", "Job", "Deployment"}
    for each in objects:
        assert each["apiVersion"]
        assert each["metadata"]["name"]
    stateful, service = by_kind["StatefulSet"], by_kind["Service"]
    assert service["spec"]["clusterIP"] == "None"
    assert stateful["spec"]["serviceName"] == service["metadata"]["name"]
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    assert stateful["spec"]["selector"]["matchLabels"] == labels == service["spec"]["selector"]
    names = [f"zk-{n}.zk" for n in range(stateful["spec"]["replicas"])]
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert variables["ZOO_SERVERS"].split() == [
        f"server.{n}={name}:2888:3888;2181" for n, name in enumerate(names, 1)
    ]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {
        claim["metadata"]["name"] for claim in stateful["spec"]["volumeClaimTemplates"]
    }
    (prices,) = by_kind["Deployment"]["spec"]["template"]["spec"]["containers"]
    (tree,) = by_kind["Job"]["spec"]["template"]["spec"]["containers"]
    assert tree["image"] == prices["image"]
    assert (EXAMPLES / tree["command"][-1]).is_file()
    for container in (prices, tree):
        variables = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert variables["ZC_ZK_CONNECTION_STRING"] == ",".join(f"{name}:2181" for name in names)
    used = set((EXAMPLES / "fastapi_service.py").read_text().split('"'))
    probes = [prices[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")]
    assert {"PRICES_ADDRESS", *probes} <= used
    # A state that all pods share must end none of them.
    assert probes == ["/-/alive", "/-/health"]
