"""The page's modules without a browser, in Node.js: functions on data."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import scaled
from zc.zk import browse

PAGE = Path(browse.__file__).parent / "page"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def run(names: str, program: str, given: Any = None) -> Any:
    """Run a program, and return what it returns, by way of JSON.

    `names` are those that it imports: 'health: Health, oddOnesOut; model: Model'. `given` is there
    under this name.
    """
    imports = ""
    for part in names.split(";"):
        module, _, imported = part.strip().partition(":")
        address = json.dumps((PAGE / f"{module}.js").as_uri())
        imports += f"import {{ {imported} }} from {address};\n"
    source = f"""{imports}
import {{ readFileSync }} from "fs";
const given = JSON.parse(readFileSync(0, "utf8"));
const work = () => {{ {program} }};
console.log(JSON.stringify(work() ?? null));
"""
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", source],
        input=json.dumps(given), capture_output=True, text=True, timeout=scaled(30), check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def view(**properties: Any) -> dict[str, Any]:
    """Return a view as the server makes it; links are given as ('->', target or None, value)."""
    made: dict[str, Any] = {
        "type": None, "properties": [], "fault": None, "children": 0, "hidden": 0, "owner": None,
        "created": 1, "modified": 1, "version": 0, "size": 0,
    }  # fmt: skip
    for name, value in properties.items():
        if name in made and name != "version":
            made[name] = value
        elif isinstance(value, tuple):
            kind, target, text = value
            end = {"target": target} if target else {"fault": f"no node: {text}"}
            made["properties"].append({"name": name, "value": text, "link": kind, **end})
        else:
            made["properties"].append({"name": name, "value": value})
    return made
