"""The libraries that are linked into a wheel, as a CycloneDX bill of materials (PEP 770)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# The place within a wheel's .dist-info.
FILE = "sboms/zc.zk.cdx.json"


class Part(NamedTuple):
    """A library that an extension carries."""

    name: str
    version: str
    license: str
    url: str
    extension: str


def defined_version(header: Path, macro: str) -> str:
    """Return the text that a C header defines a macro as. Raise LookupError if it does not."""
    found = re.search(rf'^\s*#\s*define\s+{macro}\s+"([^"]+)"', header.read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"{header} does not define {macro}")
    return found[1]


def bill_of_materials(name: str, version: str, parts: Sequence[Part]) -> str:
    """Return the bill of a distribution as JSON, the same text for the same parts."""
    purl = f"pkg:pypi/{name.replace('.', '-')}@{version}"
    bill: Mapping[str, object] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "purl": purl,
            }
        },
        "components": [_component(part) for part in parts],
        "dependencies": [
            {"ref": purl, "dependsOn": [_purl(part) for part in parts]},
            *({"ref": _purl(part)} for part in parts),
        ],
    }
    return json.dumps(bill, indent=2) + "\n"


def _purl(part: Part) -> str:
    return f"pkg:generic/{part.name}@{part.version}"


def _component(part: Part) -> Mapping[str, object]:
    return {
        "type": "library",
        "bom-ref": _purl(part),
        "name": part.name,
        "version": part.version,
        "purl": _purl(part),
        # CycloneDX tells one identifier from an expression of several.
        "licenses": [
            {"expression": part.license}
            if " " in part.license
            else {"license": {"id": part.license}}
        ],
        "externalReferences": [{"type": "website", "url": part.url}],
        "properties": [{"name": "zc.zk:linked-into", "value": part.extension}],
    }
