"""The bill of materials of a wheel, and where its versions come from."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from scripts.bill_of_materials import (
    Part,
    bill_of_materials,
    defined_version,
    package_of,
    package_url,
)

pytestmark = pytest.mark.quick

CLIENT = Part("client", "3.8.0", "Apache-2.0 AND BSD-3-Clause", "https://a/", "zookeeper._client")
TLS = Part("openssl", "3.0.19", "Apache-2.0", "https://b/", "zookeeper._tls")


def test_a_bill_names_each_part_with_version_and_licence():
    bill = json.loads(bill_of_materials("zc.zk", "3.0", [CLIENT, TLS]))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/zc-zk@3.0"
    client, tls = bill["components"]
    assert (client["version"], client["licenses"]) == ("3.8.0", [{"expression": CLIENT.license}])
    assert (tls["version"], tls["licenses"]) == ("3.0.19", [{"license": {"id": "Apache-2.0"}}])
    references = {part["bom-ref"] for part in bill["components"]}
    assert set(bill["dependencies"][0]["dependsOn"]) == references


def test_a_bill_of_the_same_parts_is_the_same_text():
    assert bill_of_materials("a", "1", [TLS]) == bill_of_materials("a", "1", [TLS])


def test_a_part_of_a_distribution_is_named_by_its_source_package():
    url = package_url("debian", "zookeeper 3.8.0-11+deb12u2")
    assert url == "pkg:deb/debian/zookeeper@3.8.0-11%2Bdeb12u2?arch=source"
    bill = json.loads(bill_of_materials("zc.zk", "3.0", [CLIENT._replace(package=url), TLS]))
    client, tls = bill["components"]
    assert (client["purl"], client["version"]) == (url, "3.8.0")
    assert tls["purl"] == "pkg:generic/openssl@3.0.19"
    assert bill["dependencies"][0]["dependsOn"] == [url, tls["purl"]]


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="it takes a system with dpkg")
def test_a_file_is_traced_to_the_source_package_that_brought_it(tmp_path):
    told = ["dpkg-query", "--show", "--showformat=${source:Version}", "dpkg"]
    version = subprocess.run(told, capture_output=True, text=True, check=True).stdout
    assert package_of(Path("/usr/bin/dpkg-query")).endswith(
        package_url("", f"dpkg {version}").removeprefix("pkg:deb//")
    )
    assert package_of(tmp_path / "libzookeeper_mt.a") == ""


def test_a_file_is_of_no_package_where_there_is_no_dpkg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert package_of(Path("/usr/bin/dpkg-query")) == ""


def test_a_version_is_read_from_a_header(tmp_path):
    header = tmp_path / "version.h"
    header.write_text('#ifndef V\n# define OTHER "1"\n  #define ZOO_VERSION  "3.8.0"\n')
    assert defined_version(header, "ZOO_VERSION") == "3.8.0"
    with pytest.raises(LookupError, match="does not define ZOO"):
        defined_version(header, "ZOO")
