"""What wheels are for whom, and what must not be in them; `make wheels` builds them."""

from __future__ import annotations

import io
import re
import shutil
import tarfile

import pytest
from scripts.readme import for_index, project_field, readme_for_index
from scripts.wheels.__main__ import alone_in
from scripts.wheels.archives import repack
from scripts.wheels.elf import checked_calls, exported, wrapped_names
from scripts.wheels.interpreters import ROOT
from scripts.wheels.running import BuildError, plain_environment, run
from scripts.wheels.targets import (
    PYTHONS,
    TARGETS,
    chosen_targets,
    extension_suffix,
    wheel_name,
)
from scripts.wheels.verdicts import extension_names, platform_of

pytestmark = pytest.mark.quick

GLIBC, ARM, MUSL, _ = TARGETS


def test_two_builds_do_not_share_a_folder(tmp_path):
    with alone_in(tmp_path / "work"):
        with pytest.raises(BuildError, match=f"another build is at work in {tmp_path}/work"):
            with alone_in(tmp_path / "work"):
                pass
    with alone_in(tmp_path / "work"):
        pass


def test_extensions_are_named_as_their_python_looks_for_them():
    assert extension_suffix(ARM, "3.12") == ".cpython-312-aarch64-linux-gnu.so"
    assert extension_suffix(GLIBC, "3.10") == ".cpython-310-x86_64-linux-gnu.so"
    assert extension_suffix(MUSL, "3.12") == ".so"


def test_wheels_are_named_as_installers_look_for_them():
    packaging = pytest.importorskip("packaging.utils")
    for target in TARGETS:
        name = wheel_name("zc_zk", "3.0.0rc1", "3.13", target)
        _, _, _, tags = packaging.parse_wheel_filename(name)
        assert {(tag.interpreter, tag.platform) for tag in tags} == {("cp313", target.tag)}


def test_wheels_are_for_the_pythons_that_the_package_says_it_is_for():
    classifiers = (ROOT / "pyproject.toml").read_text()
    for python in PYTHONS:
        assert f'"Programming Language :: Python :: {python}"' in classifiers


def test_a_platform_is_chosen_by_a_part_of_its_tag():
    assert chosen_targets([]) == TARGETS
    assert chosen_targets(["aarch64"]) == [TARGETS[1], TARGETS[3]]
    assert chosen_targets(["manylinux_2_17_x86_64", "musl"]) == [GLIBC, *TARGETS[2:]]
    with pytest.raises(LookupError, match=r"riscv.*manylinux_2_17_x86_64"):
        chosen_targets(["x86", "riscv"])


def packed(folder, name, members):
    """Write an archive of (name, text, mode, time, owner)."""
    with tarfile.open(folder / name, "w:gz") as archive:
        for path, text, mode, made_at, owner in members:
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime, member.uname = len(text), mode, made_at, owner
            archive.addfile(member, io.BytesIO(text))
    return folder / name


def test_a_source_distribution_depends_on_its_files_alone(tmp_path):
    files = [("p/a.py", b"a\n", 0o644, 1, "me"), ("p/run", b"#!/bin/sh\n", 0o755, 2, "me")]
    others = [(*file[:2], file[2] | 0o020, file[3] + 9, "you") for file in reversed(files)]
    first, second = packed(tmp_path, "1.gz", files), packed(tmp_path, "2.gz", others)
    assert first.read_bytes() != second.read_bytes()
    for archive in (first, second):
        repack(archive, 1_000_000_000)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        run_file = archive.getmember("p/run")
        assert (run_file.mode, run_file.mtime) == (0o755, 1_000_000_000)
        text = archive.extractfile(run_file)
        assert text is not None
        assert text.read() == b"#!/bin/sh\n"


def test_the_names_that_an_extension_shows_are_read():
    symbols = """
   Num:    Value          Size Type    Bind   Vis      Ndx Name
     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND send@GLIBC_2.2.5 (2)
    59: 0000000000012340   120 FUNC    GLOBAL DEFAULT   12 PyInit__client
    60: 0000000000012340   120 FUNC    WEAK   DEFAULT   12 zoo_get
"""
    assert exported(symbols) == ["PyInit__client", "zoo_get"]


def test_a_call_that_goes_past_the_core_is_found():
    symbols = (
        "     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND __poll_chk@GLIBC_2.16 (3)\n"
    )
    assert checked_calls(symbols) == {"poll"}
    assert {"poll", "recv", "socket", "zookeeper_interest"} <= wrapped_names(
        (ROOT / "setup.py").read_text()
    )


def test_the_extensions_of_a_wheel_are_those_that_its_pythons_look_for():
    names = extension_names("zc_zk-3.0-cp312-cp312-manylinux_2_17_aarch64.whl")
    assert "zookeeper/_tls.cpython-312-aarch64-linux-gnu.so" in names
    assert len(names) == 3
    assert "zookeeper/_tls.so" in extension_names("zc_zk-3.0-cp310-cp310-musllinux_1_2_x86_64.whl")


def test_the_verdict_is_read_behind_warnings():
    verdict = 'WARNING:auditwheel.policy: no musl here\n{"overall_tag": "musllinux_1_2_x86_64"}\n'
    assert platform_of(verdict) == "musllinux_1_2_x86_64"


def test_a_builders_own_flags_do_not_get_into_wheels(monkeypatch):
    for name in ("CFLAGS", "LDFLAGS", "CC", "ZOOKEEPER_OPENSSL", "MAKEFLAGS", "PYTHONPATH"):
        monkeypatch.setenv(name, "mine")
    environment = plain_environment({"CC": "ours"})
    assert [name for name, value in environment.items() if value == "mine"] == []
    assert environment["CC"] == "ours"


def test_a_program_that_fails_tells_all_that_it_printed():
    with pytest.raises(BuildError, match=r"(?s)sh -c.*aloud\n.*status 3"):
        run("sh", "-c", "echo aloud >&2; exit 3")


CHECKOUT = """See `the page <docs/page.txt>`_, `all <https://all/>`__
and `changes <CHANGES.txt>`__.

.. image:: docs/a.png
   :alt: A
.. image:: https://b/b.png
.. |logo| image:: docs/c.svg
.. _figures: docs/figures.txt
.. _docs/: docs/
.. _elsewhere: https://elsewhere/docs/figures.txt
"""
INDEX = """See `the page <https://forge/zk/blob/3.0/docs/page.txt>`_, `all <https://all/>`__
and `changes <https://forge/zk/blob/3.0/CHANGES.txt>`__.

.. image:: https://forge/zk/raw/3.0/docs/a.png
   :alt: A
.. image:: https://b/b.png
.. |logo| image:: https://forge/zk/raw/3.0/docs/c.svg
.. _figures: https://forge/zk/blob/3.0/docs/figures.txt
.. _docs/: https://forge/zk/blob/3.0/docs/
.. _elsewhere: https://elsewhere/docs/figures.txt
"""


def test_pictures_and_pages_have_whole_addresses_in_an_index():
    assert for_index(CHECKOUT, "https://forge/zk", "3.0") == INDEX


def test_the_readme_of_an_index_has_no_address_within_the_checkout(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    readme = (ROOT / "README.txt").read_text()
    (tmp_path / "README.txt").write_text(f"{readme}\n.. image:: docs/system.png\n")
    shown = readme_for_index(tmp_path)
    release = project_field((ROOT / "pyproject.toml").read_text(), "version")
    assert f"/raw/{release}/docs/system.png" in shown
    assert "image:: docs/" not in shown
    assert "<docs/" not in shown
    targets = re.findall(r"^\.\. _[^:]+: (.*)$", shown, re.MULTILINE)
    assert len(targets) > 8
    assert [target for target in targets if not target.startswith("https://")] == []


def test_a_field_that_is_missing_is_named():
    with pytest.raises(LookupError, match="no line with version"):
        project_field('name = "zc.zk"\n', "version")
