"""The libraries that are linked into a wheel, as a CycloneDX bill of materials (PEP 770)."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

# The place within a wheel's .dist-info.
FILE = "sboms/zc.zk.cdx.json"


class Part(NamedTuple):
    """A library that an extension carries."""

    name: str
    version: str
    license: str
    url: str
    extension: str
    # The source package that it was built of, if a distribution's: fixes of security are in its
    # version and not in that of the authors.
    package: str = ""


def package_url(distribution: str, told: str) -> str:
    """Return the purl of a source package, which dpkg tells as its name and version."""
    name, version = told.split()
    return f"pkg:deb/{distribution}/{name}@{quote(version, safe='')}?arch=source"


def package_of(library: Path) -> str:
    """Return the purl of the source package that a file is from, "" if it is of no package."""
    try:
        owner = _dpkg("--search", str(library)).partition(": ")[0].split(",")[0]
        told = _dpkg("--show", "--showformat=${source:Package} ${source:Version}", owner)
        return package_url(platform.freedesktop_os_release()["ID"], told)
    except (OSError, subprocess.SubprocessError):
        return ""


def _dpkg(*words: str) -> str:
    command = ["dpkg-query", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


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
    return part.package or f"pkg:generic/{part.name}@{part.version}"


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
