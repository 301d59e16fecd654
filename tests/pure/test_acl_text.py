"""ACLs as text: written and read back, whatever is in an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.tree.acltext import read_acl, write_acl, write_permissions

if TYPE_CHECKING:
    from zookeeper.types import AclEntry

pytestmark = pytest.mark.quick


def entry(scheme: str, id: str, perms: int = 31) -> AclEntry:
    return {"perms": perms, "scheme": scheme, "id": id}


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([entry("world", "anyone", 1)], "world:anyone:r"),
        (
            [entry("digest", "a:Jq0=", 5), entry("auth", "")],
            "digest:a:Jq0=:cr, auth::cdrwa",
        ),
        ([entry("x509", "CN=app,O=Shop")], "'x509:CN=app,O=Shop:cdrwa'"),
        ([entry("sasl", "it's")], "sasl:it's:cdrwa"),
        ([entry("sasl", "two words")], "'sasl:two words:cdrwa'"),
        ([entry("sasl", "line\nforged: yes")], r"'sasl:line\nforged: yes:cdrwa'"),
        ([entry("'odd", "x")], '''"'odd:x:cdrwa"'''),
        ([entry("ip", "::1"), entry("a=b", "c")], "ip:::1:cdrwa, 'a=b:c:cdrwa'"),
        # Permissions that only a number tells, of other clients.
        ([entry("world", "anyone", 0)], "world:anyone:0"),
        ([entry("world", "anyone", 63)], "world:anyone:63"),
        ([entry("world", "anyone", -1)], "world:anyone:-1"),
    ],
)
def test_an_acl_is_written_for_people_and_reads_back(entries: list[AclEntry], text: str) -> None:
    assert write_acl(entries) == text
    assert read_acl(text) == entries


@given(
    st.lists(
        st.builds(
            entry,
            st.text(min_size=1).filter(lambda scheme: ":" not in scheme),
            st.text(alphabet=st.characters(exclude_categories=())),
            st.integers(-1, 40),
        ),
        min_size=1,
    )
)
def test_any_acl_that_is_written_reads_back_and_is_printable(entries: list[AclEntry]) -> None:
    text = write_acl(entries)
    assert text.isprintable()
    assert read_acl(text) == entries


@pytest.mark.parametrize(
    "text",
    [
        "",
        "world",
        "world:anyone",
        "world:anyone:x",
        ":x:r",
        "world:anyone:r,",
        "'world:anyone:r",
        "x",
    ],
)
def test_a_text_that_is_no_acl_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not of the form|not permissions|not closed"):
        read_acl(text)


@pytest.mark.parametrize("text", ["digest:alice:s3cret", "digest:s3cret", "digest:alice:x:s3cret"])
def test_a_fault_does_not_tell_what_may_be_a_password(text: str) -> None:
    with pytest.raises(ValueError, match="digest") as raised:
        read_acl(text)
    assert "s3cret" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_permissions_are_letters_where_there_are_some_for_them() -> None:
    assert [write_permissions(perms) for perms in (1, 31, 20)] == ["r", "cdrwa", "ca"]


def test_commas_of_a_subject_need_no_quotes() -> None:
    assert read_acl("x509:CN=a,O=b:r, world:anyone:r") == [
        entry("x509", "CN=a,O=b", 1),
        entry("world", "anyone", 1),
    ]
