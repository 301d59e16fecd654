"""The checker finds each kind of loss, and nothing when all is well."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.faults.beliefs import BROKEN, Belief, Live, Registration
from tests.faults.checker import Finding, Loss, compare, held_by_former_sessions
from tests.faults.truth import Node

READ = [{"perms": 1, "scheme": "world", "id": "anyone"}]
A, B = 0xA, 0xB


def node(data: dict[str, Any] | None = None, owner: int = 0, acl: Any = (), *children: str) -> Node:
    return Node(json.dumps(data) if data else "", owner, list(acl), sorted(children))


def tree() -> dict[str, Node]:
    return {
        "/": node(None, 0, (), "app", "config", "services"),
        "/app": node({"providers ->": "/services", "n =>": "/config n", "m =>": "/config far"}),
        "/config": node({"n": 1, "far =>": "/app/providers/server load"}),
        "/services": node(None, 0, (), "server"),
        "/services/server": node({"load": 5}, A, READ),
    }


def registration(registered: bool = True, **properties: Any) -> Registration:
    return Registration(
        path="/services/server", properties=properties, acl=READ, registered=registered
    )


def live(kind: str, path: str, value: Any, told: Any = None, silent: bool = True) -> Live:
    return Live(kind=kind, path=path, value=value, told=told, silent=silent)


def belief(session: int, *registrations: Registration, live: list[Live] | None = None) -> Belief:
    return Belief(
        session=session,
        registrations=list(registrations),
        unknown=[],
        live=live or [],
        slow_calls=[],
        errors=[],
        threads=1,
        descriptors=1,
        counts={},
    )


def found(truth: dict[str, Node], **beliefs: Belief) -> list[tuple[Loss, str]]:
    return [(finding.loss, finding.client) for finding in compare([truth], beliefs)]


APP = {"providers ->": "/services", "n": 1, "m": 5}


def test_nothing_is_found_when_beliefs_are_true() -> None:
    objects = [
        live("children", "/services", ["server"], ["server"], silent=False),
        live("children", "/app/providers", ["server"]),
        live("properties", "/app", APP, APP, silent=False),
        live("properties", "/config", {"n": 1, "far": 5}),
        live("data", "/services/server", {"load": 5}),
        live("properties", "/gone", None, None, silent=False),
    ]
    owner = belief(A, registration(load=5), live=objects)
    assert found(tree(), owner=owner, other=belief(B, registration(False, load=7))) == []


class TestRegistrations:
    def test_registrations_that_are_not_there_are_lost(self) -> None:
        truth = tree()
        del truth["/services/server"]
        assert found(truth, a=belief(A, registration(load=5))) == [(Loss.LOST, "a")]

    def test_registrations_of_another_session_have_a_wrong_owner(self) -> None:
        assert found(tree(), b=belief(B, registration(load=5))) == [(Loss.WRONG_OWNER, "b")]

    def test_registrations_that_two_clients_claim_have_a_wrong_owner(self) -> None:
        beliefs = {"a": belief(A, registration(load=5)), "b": belief(B, registration(load=7))}
        assert found(tree(), **beliefs) == [(Loss.WRONG_OWNER, "b")]

    def test_a_contested_name_that_nobody_has_is_lost_for_all_who_want_it(self) -> None:
        truth = tree()
        del truth["/services/server"]
        beliefs = {"a": belief(A, registration()), "b": belief(B, registration(False))}
        assert found(truth, **beliefs) == [(Loss.LOST, "a, b")]

    def test_with_other_data_or_another_acl_are_outdated(self) -> None:
        assert found(tree(), a=belief(A, registration(load=6))) == [(Loss.OUTDATED, "a")]
        truth = tree()
        truth["/services/server"] = node({"load": 5}, A, [])
        assert found(truth, a=belief(A, registration(load=5))) == [(Loss.OUTDATED, "a")]

    def test_nodes_that_their_owner_does_not_know_are_outdated(self) -> None:
        assert found(tree(), a=belief(A, registration(False, load=5))) == [(Loss.OUTDATED, "a")]

    def test_nodes_that_nobody_wants_are_found_with_the_owner(self) -> None:
        assert found(tree(), a=belief(A)) == [(Loss.UNWANTED, "a")]
        assert found(tree(), b=belief(B)) == [(Loss.UNWANTED, "session 0xa, which is over")]

    def test_of_which_the_client_does_not_know_the_outcome_may_be_there_or_not(self) -> None:
        uncertain = belief(A)
        uncertain["unknown"].append("/services/server")
        assert found(tree(), a=uncertain) == []
        truth = tree()
        del truth["/services/server"]
        assert found(truth, a=uncertain) == []


class TestLiveObjects:
    @pytest.mark.parametrize(
        "stale",
        [
            live("children", "/services", []),
            live("children", "/services", None),
            live("children", "/app/providers", ["server", "former"]),
            live("children", "/gone", []),
            live("properties", "/app", {**APP, "n": 2}),
            live("properties", "/app", {**APP, "m": BROKEN}),
            live("properties", "/app", None),
            live("data", "/services/server", {}),
            live("providers", "/services", {}),
            live("providers", "/services", {"server": {}}),
            live("providers", "/app/providers", None),
        ],
        ids=str,
    )
    def test_live_objects_that_show_something_else_are_stale(self, stale) -> None:
        client = belief(A, registration(load=5), live=[stale])
        assert found(tree(), a=client) == [(Loss.STALE, "a")]

    def test_live_objects_whose_callbacks_were_told_otherwise_are_found(self) -> None:
        untold = live("children", "/services", ["server"], [], silent=False)
        client = belief(A, registration(load=5), live=[untold])
        assert found(tree(), a=client) == [(Loss.UNTOLD, "a")]

    def test_links_that_lead_nowhere_or_in_a_circle_are_broken(self) -> None:
        truth = tree()
        truth["/app"] = node({"a =>": "/gone x", "b =>": "/config gone", "c =>": "/app c"})
        expected = dict.fromkeys("abc", BROKEN)
        client = belief(A, registration(load=5), live=[live("properties", "/app", expected)])
        assert found(truth, a=client) == []


class TestServersThatDisagree:
    def test_a_fault_that_all_servers_have_is_found(self) -> None:
        client = belief(A, registration(load=6))
        findings = compare([tree(), tree()], {"a": client})
        assert [finding.loss for finding in findings] == [Loss.OUTDATED]

    def test_a_fault_that_one_server_does_not_have_is_none(self) -> None:
        other = copy.deepcopy(tree())
        other["/services"] = node(None, 0, (), "server", "ghost")
        other["/services/ghost"] = node(None, 0xDEAD, READ)
        client = belief(
            A, registration(load=5), live=[live("children", "/services", ["ghost", "server"])]
        )
        assert compare([tree(), other], {"a": client}) == []
        assert compare([other, tree()], {"a": client}) == []


def test_nodes_of_sessions_that_are_over_are_told_apart() -> None:
    assert held_by_former_sessions([tree()], {"a": belief(A)}) == []
    assert held_by_former_sessions([tree()], {"b": belief(B)}) == ["/services/server"]


def test_a_finding_says_what_is_wrong_with_whom() -> None:
    assert str(Finding(Loss.LOST, "client 1", "/a")) == "lost registrations: client 1: /a"
    (finding,) = compare(
        [tree()], {"a": belief(A, registration(load=5), live=[live("children", "/services", [])])}
    )
    assert str(finding) == (
        "stale objects: a: children of /services: nothing too much, ['server'] missing"
    )


def test_a_tree_is_compared_with_all_nodes_below() -> None:
    services = {"/services": ["", 0], "/services/server": ['{"load": 5}', A]}
    right = live("tree", "/app/providers", services, services, silent=False)
    stale = live("tree", "/services", {**services, "/services/gone": ["", 0]})
    untold = live("tree", "/services", services, {}, silent=False)
    assert found(tree(), a=belief(A, registration(load=5), live=[right])) == []
    beliefs = belief(A, registration(load=5), live=[stale, untold])
    assert found(tree(), a=beliefs) == [(Loss.STALE, "a"), (Loss.UNTOLD, "a")]
    everything = live("tree", "/", {path: ["", 0] for path in tree()})
    (finding,) = compare([tree()], {"a": belief(A, registration(load=5), live=[everything])})
    assert "3 differ, /app: ['', 0] not [" in finding.text
