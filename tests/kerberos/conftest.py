"""A realm with principals, and a process that knows no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import kdc
from tests.kdc import Kdc

SERVICE = "zookeeper/localhost"
SERVICE_AT_ADDRESS = "zookeeper/127.0.0.1"


@pytest.fixture(scope="session")
def installed() -> None:
    """Skip where Kerberos is not installed; `make test` installs it."""
    pytest.importorskip("gssapi", reason="needs the package gssapi: make kerberos")
    if names := kdc.missing():
        pytest.skip(f"needs {names}: make kerberos")


@pytest.fixture(scope="session")
def shared_realm(installed: None) -> Iterator[Kdc]:
    with kdc.kdc() as running:
        running.add(SERVICE, SERVICE_AT_ADDRESS, "app", "other")
        yield running


def enter(realm: Kdc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process be one of a user in the realm, who has no ticket."""
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{folder}/user.ccache")
    monkeypatch.setenv("KRB5_KTNAME", f"FILE:{folder}/none.keytab")
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", f"FILE:{folder}/none.keytab")
    # Where acceptors would note what they have seen.
    monkeypatch.setenv("KRB5RCACHENAME", "none:")


@pytest.fixture
def realm(shared_realm: Kdc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kdc:
    """Return a realm that tests share: they only add to it, and do not stop it."""
    enter(shared_realm, tmp_path, monkeypatch)
    return shared_realm


@pytest.fixture
def own_realm(installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kdc]:
    """Yield a realm to stop, to pause, and to change."""
    with kdc.kdc() as running:
        running.add(SERVICE, "app")
        enter(running, tmp_path, monkeypatch)
        yield running
        # A call that waits for it sees it gone.
        running.kill()
