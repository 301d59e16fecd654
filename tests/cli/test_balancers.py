"""Servers are rolled behind a real haproxy and a real nginx, and no request fails.

`make rolling` does it a hundred times each.
"""

from __future__ import annotations

import pytest

from tests.balancers import SERVICE, Haproxy, Nginx, program, roll

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


def test_examples_name_files_that_there_are():
    from tests.balancers import EXAMPLES
    from zc.zk.rendering.settings import read

    settings = read(str(EXAMPLES / "render.toml"))
    assert [each.source for each in settings.templates] == [
        str(EXAMPLES / name) for name in ("haproxy.cfg.j2", "nginx.conf.j2")
    ]
    assert all(each.variables == {"service": SERVICE} for each in settings.templates)
