"""Servers are rolled behind a real haproxy and a real nginx, and no request fails.

`make rolling` does it a hundred times each.
"""

from __future__ import annotations

import subprocess

import pytest

import zc.zk
from tests.balancers import EXAMPLES, SERVICE, Haproxy, Nginx, program, roll
from tests.cli.inprocess import call

pytest.importorskip("jinja2")

TIMES = 5


@pytest.mark.parametrize("kind", [Haproxy, Nginx], ids=["haproxy", "nginx"])
def test_no_request_fails_while_servers_are_replaced(kind, place, tmp_path):
    if program(kind.__name__.lower()) is None:
        pytest.skip("not installed: make balancers")
    load = roll(kind, place, tmp_path, TIMES)
    assert load.failures == {}
    assert load.requests > TIMES
    log = (tmp_path / "render.log").read_text()
    assert log.count("is written") >= 2 * TIMES, log


HOSTILE = (
    '"1\\n    bind *:1"', '"x; } server { listen 1"', '"{{ 1 }}"', '"9999999"', "99999999999999999",
    "-5", "1.5", "1e400", "null", "true", "[1]", '{"a": 1}', '""', '"\\u0000"', f'"{"9" * 5000}"',
)  # fmt: skip


@pytest.mark.parametrize("kind", [Haproxy, Nginx], ids=["haproxy", "nginx"])
def test_no_weight_that_somebody_registers_stops_changes(kind, place, zk, tmp_path):
    """Anybody who may register can write any properties: theirs must not hold up others."""
    zk.import_tree(f"{SERVICE}\n  /providers\n")
    for number, weight in enumerate(HOSTILE, 1):
        path = f"{SERVICE}/providers/127.0.0.1:{number}"
        zk.create(path, f'{{"weight": {weight}}}', zc.zk.OPEN_ACL_UNSAFE)
    out = tmp_path / kind.template.removesuffix(".j2")
    name = kind.__name__.lower()
    words = [str(EXAMPLES / kind.template), "-o", str(out)]
    state = {
        "service": SERVICE,
        "state": tmp_path,
        "pid": tmp_path / "pid",
        "log": tmp_path / "log",
    }
    for variable, value in state.items():
        words += ["--set", f"{variable}={value}"]
    outcome = call("render", "--once", *words, place)
    assert outcome.status == 0, outcome.messages
    lines = [line.split() for line in out.read_text().splitlines() if "127.0.0.1:" in line]
    assert len(lines) == len(HOSTILE)
    weights = [int(line[-1].removeprefix("weight=").rstrip(";")) for line in lines]
    assert all(0 <= weight <= 1000 for weight in weights)
    if program(name) is None:
        pytest.skip("not installed: make balancers")
    check = kind(tmp_path).check().replace("%s", str(out))
    checked = subprocess.run(["/bin/sh", "-c", check], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_examples_name_files_that_there_are():
    from zc.zk.rendering.settings import read

    settings = read(str(EXAMPLES / "render.toml"))
    assert [each.source for each in settings.templates] == [
        str(EXAMPLES / name) for name in ("haproxy.cfg.j2", "nginx.conf.j2")
    ]
    assert all(each.variables == {"service": SERVICE} for each in settings.templates)
