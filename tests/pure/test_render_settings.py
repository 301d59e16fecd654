"""Settings of `zk render` in TOML; errors name the file, the template and the key."""

from __future__ import annotations

import pytest

from zc.zk.rendering.faults import SettingsError
from zc.zk.rendering.settings import TemplateSettings, parse, read

pytestmark = pytest.mark.quick

WHOLE = """
connection = "zk1:2181,zk2:2181/prod"
hold = "1m"
exec-timeout = 30
variables = { port = 80, site = "a" }

[[template]]
source = "haproxy.cfg.j2"
output = "/etc/haproxy/haproxy.cfg"
check = ["haproxy", "-c", "-f", "%s"]
exec = "systemctl reload haproxy"
retries = 3
debounce = "200ms"
debounce-max = "2s"
interval = "3s"
hold = 0
variables = { port = 81 }

[[template]]
source = "/srv/nginx.j2"
output = "nginx.conf"
"""

ONE = '[[template]]\nsource = "a"\noutput = "b"\n'


def test_all_keys_are_read_and_general_ones_hold_for_all():
    settings = parse(WHOLE, "etc/render.toml")
    assert settings.connection == "zk1:2181,zk2:2181/prod"
    assert settings.templates == [
        TemplateSettings(
            source="etc/haproxy.cfg.j2",
            output="/etc/haproxy/haproxy.cfg",
            check=("haproxy", "-c", "-f", "%s"),
            exec="systemctl reload haproxy",
            exec_timeout=30.0,
            retries=3,
            debounce=0.2,
            debounce_max=2.0,
            interval=3.0,
            hold=0.0,
            variables={"port": 81, "site": "a"},
        ),
        TemplateSettings(
            source="/srv/nginx.j2",
            output="etc/nginx.conf",
            exec_timeout=30.0,
            hold=60.0,
            variables={"port": 80, "site": "a"},
        ),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "r.toml: there is no [[template]]"),
        (ONE.replace('"b"', '"r.toml"'), "r.toml: template 1: output: it is this file"),
        (
            ONE + ONE.replace('"b"', '"./a"'),
            "r.toml: template 2: output: it is the source of template 2",
        ),
        ("template = 5", "r.toml: there is no [[template]]"),
        ("template = [5]", "r.toml: template 1: not a table, [[template]]"),
        (ONE + "execc = 'x'", "r.toml: template 1: execc: there is no such key (did you mean"),
        ("holt = 5\n" + ONE, "r.toml: holt: there is no such key (did you mean hold?)"),
        ("[[template]]\nsource = 'a'", "r.toml: template 1: output is missing"),
        ("[[template]]\noutput = 'a'", "r.toml: template 1: source is missing"),
        (ONE + "source = 5", "r.toml: Cannot overwrite a value (at "),
        (ONE + "check = ''", "r.toml: template 1: check: the text is empty, or has a null"),
        (ONE + "check = 5", "r.toml: template 1: check: neither a command line nor a list of"),
        (ONE + "exec = ['a', 5]", "r.toml: template 1: exec: not a text, in quotes"),
        (ONE + "hold = 'soon'", "r.toml: template 1: hold: not a time, such as 90s, 2h or"),
        (ONE + "exec-timeout = 0", "r.toml: template 1: exec-timeout: not a time, such as 90s, 2h"),
        (ONE + "hold = true", "r.toml: template 1: hold: not a time, such as '90s'"),
        (ONE + "hold = false", "r.toml: template 1: hold: not a time, such as '90s'"),
        (ONE + "retries = -1", "r.toml: template 1: retries: not a number from 0 on"),
        (ONE + "retries = true", "r.toml: template 1: retries: not a number from 0 on"),
        (ONE + "variables = 5", "r.toml: template 1: variables: not a table"),
        ("connection = 5\n" + ONE, "r.toml: connection: not a text, in quotes"),
        (ONE + "debounce = 2\ndebounce-max = 1", "r.toml: template 1: debounce-max: it is less"),
        (ONE + ONE, "r.toml: template 2: output: it is that of template 1"),
        ("a b", "r.toml: Expected '=' after a key in a key/value pair (at line 1, column 3)"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_template_and_key(text, told):
    with pytest.raises(SettingsError) as raised:
        parse(text, "r.toml")
    assert str(raised.value).startswith(told)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"gone.toml: No such file or directory"):
        read(str(tmp_path / "gone.toml"))
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"latin.toml: not UTF-8"):
        read(str(tmp_path / "latin.toml"))
