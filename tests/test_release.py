"""What a public forge does for a release, and what it cannot be made to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from scripts import release_check
from scripts.wheels.running import BuildError
from scripts.wheels.targets import PYTHONS
from scripts.wheels.trials import CORE, SECURED, secured_server

from tests.deadlines import scaled

pytestmark = pytest.mark.quick

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
TESTS = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())


def test_everything_that_a_workflow_takes_is_pinned_by_digest():
    assert set(TESTS["jobs"]) == {"run"}
    steps = [*STEPS, *TESTS["jobs"]["run"]["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert len(actions) == 5
    for action in actions:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
    jobs = [*JOBS.values(), *TESTS["jobs"].values()]
    containers = [job["container"] for job in jobs if "container" in job]
    assert len(containers) == 2
    for container in containers:
        assert re.fullmatch(r"[\w:.-]+@sha256:[0-9a-f]{64}", container)


def test_a_job_of_the_workflow_may_do_what_it_needs_and_no_more():
    assert WORKFLOW["permissions"] == {}
    assert JOBS["check"]["permissions"] == {"contents": "read"}
    assert JOBS["upload"]["permissions"] == {"id-token": "write"}
    # Only what was checked is uploaded, and by nothing that runs code of the checkout.
    assert JOBS["upload"]["needs"] == "check"
    assert not [step for step in JOBS["upload"]["steps"] if "run" in step]


def test_a_change_of_anybody_runs_the_tests_and_may_write_nothing():
    # "on" is True in YAML 1.1.
    assert "pull_request" in TESTS[True]
    assert TESTS["permissions"] == {}
    assert TESTS["jobs"]["run"]["permissions"] == {"contents": "read"}
    assert TESTS["jobs"]["run"]["steps"][-1] == {"run": ".ci/run"}


def test_the_workflow_checks_what_make_release_check_does_for_each_python():
    commands = "\n".join(step["run"] for step in STEPS if "run" in step)
    assert "make release-check" in commands
    installed = re.search(r"uv python install (.+)", commands)
    assert installed is not None
    assert installed[1].split() == PYTHONS


def test_all_checks_run_though_one_fails(monkeypatch, capsys, tmp_path):
    calls = []

    def fail():
        calls.append("first")
        raise BuildError("it is spoilt")

    def pass_():
        calls.append("second")
        return "well"

    monkeypatch.setattr(release_check, "CHECKS", {"first": fail, "second": pass_})
    monkeypatch.setattr(release_check, "TRIALS", tmp_path / "trials")
    assert release_check.main([]) == 1
    assert calls == ["first", "second"]
    printed = capsys.readouterr().out
    assert "first: FAILED: it is spoilt" in printed
    assert printed.endswith("failed: first\n")
    assert release_check.main(["--only", "second"]) == 0


def test_the_checks_try_every_python_and_every_foreign_system():
    names = [*release_check.CHECKS]
    assert names.index("wheels") < names.index("metadata")
    for python in PYTHONS:
        assert f"Python {python}" in names
    assert {"sdist", "again", "aarch64", "old glibc", "musl"} <= {*names}


@pytest.mark.parametrize("name", release_check.EXECUTED)
def test_the_tests_that_a_check_runs_are_there(name):
    assert (ROOT / name).exists()


# A Python that is compiled for another system has no libssl to be linked with, and nobody installs
# there what tests make certificates with.
BARE = """
import sys
sys.modules.update(dict.fromkeys(["_ssl", "trustme", "cryptography"]))
import pytest
sys.exit(pytest.main([*sys.argv[1:], "-q", "-p", "no:cacheprovider"]))
"""


def run_bare(*arguments: str, variables: Mapping[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BARE, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=scaled(120),
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_tests_for_foreign_systems_take_no_ssl_of_their_python():
    run_bare("--collect-only", *SECURED, variables={"ZK_TEST_TARGETS": "wire"})


@pytest.mark.java
def test_a_python_without_ssl_tries_tls_with_a_server_and_keys_of_another():
    (more,) = set(SECURED) - {*CORE}
    with secured_server() as variables:
        run_bare(more, CORE[1], variables=variables)
