"""The bill of materials of a wheel, and where its versions come from."""

from __future__ import annotations

import json

import pytest
from scripts.bill_of_materials import Part, bill_of_materials, defined_version

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


def test_a_version_is_read_from_a_header(tmp_path):
    header = tmp_path / "version.h"
    header.write_text('#ifndef V\n# define OTHER "1"\n  #define ZOO_VERSION  "3.8.0"\n')
    assert defined_version(header, "ZOO_VERSION") == "3.8.0"
    with pytest.raises(LookupError, match="does not define ZOO"):
        defined_version(header, "ZOO")
