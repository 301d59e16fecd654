"""The next action that reconciles an ephemeral node, for all combinations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zc.zk.acl import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE
from zc.zk.registration.step import (
    Action,
    Desired,
    Do,
    Known,
    Observed,
    Obstacle,
    OnDeletion,
    Presence,
    RegistrationState,
    Standing,
    begin,
    has_to_reconcile,
    next_action,
    shown,
)

NODE = Desired("new", READ_ACL_UNSAFE)

WRITTEN = {
    "same": NODE,
    "data": Desired("old", READ_ACL_UNSAFE),
    "acl": Desired("new", OPEN_ACL_UNSAFE),
    "open": None,
}
STANDINGS = {"there": Standing(3), "away": Standing(None), "over": Standing(None, is_over=True)}
SEEN_IN = {"now": 3, "before": 2}
VERSION = 17

CHANGES_A_NODE = {Do.WRITE, Do.REPLACE, Do.DELETE}
REQUESTS = CHANGES_A_NODE | {Do.CREATE, Do.LOOK, Do.SYNC_AND_LOOK, Do.FOLLOW_LINKS}


class Situation(NamedTuple):
    """One combination, in words."""

    desired: str
    session: str
    seen: str
    presence: str
    written: str
    obstacle: str
    deletion: str

    def action(self) -> Action:
        desired = NODE if self.desired == "node" else None
        observed = Observed(
            Presence(self.presence),
            SEEN_IN[self.seen],
            VERSION,
            WRITTEN[self.written],
            Obstacle(self.obstacle.replace("-", " ")),
        )
        standing = STANDINGS[self.session]
        return next_action(desired, observed, standing, OnDeletion(self.deletion))


def situations() -> list[Situation]:
    return [
        Situation(*words)
        for words in itertools.product(
            ("node", "absent"),
            STANDINGS,
            SEEN_IN,
            [presence.value for presence in Presence],
            WRITTEN,
            [obstacle.value.replace(" ", "-") for obstacle in Obstacle],
            [on_deletion.value for on_deletion in OnDeletion],
        )
    ]


# A star stands for all words, commas separate several, and ! precedes the words that are left out.
TABLE = """
desired session   seen   presence                    written  obstacle         deletion action
*       away,over *      *                           *        *                *       await session
node    there     before *                           *        *                *        create
absent  there     before *                           *        *                *       sync and look

node    there     now    unknown                     *        *                *        create
node    there     now    missing                     *        !no-parent       *        create
node    there     now    missing                     *        no-parent        *        follow links
node    there     now    deleted                     *        *                !end     create
node    there     now    deleted                     *        *                end      end
node    there     now    exists                      *        *                *        look
node    there     now    ours                        same     *                *        settle
node    there     now    ours                        data     none,no-parent   *        write
node    there     now    ours                        data     not-writable     *        replace
node    there     now    ours                        data     no-transactions  *        delete
node    there     now    ours                        acl,open !no-transactions *        replace
node    there     now    ours                        acl,open no-transactions  *        delete
node    there     now    former                      *        !no-transactions *        replace
node    there     now    former                      *        no-transactions  *        delete
node    there     now    sisters,another's,permanent *        *                *       await owner

absent  there     now    unknown                     *        *                *       sync and look
absent  there     now    exists                      *        *                *        look
absent  there     now    ours                        *        *                *        delete
absent  there     now    missing,deleted,former      *        *                *        end
absent  there     now    sisters,another's,permanent *        *                *        end
"""


class Row(NamedTuple):
    """A line of the table."""

    patterns: list[str]
    action: str

    def is_about(self, situation: Situation) -> bool:
        return all(
            pattern == "*" or (word in pattern.strip("!").split(",")) != pattern.startswith("!")
            for pattern, word in zip(self.patterns, situation, strict=True)
        )


def rows() -> list[Row]:
    lines = [line.split(maxsplit=7) for line in TABLE.splitlines() if line]
    return [Row(words[:7], words[7]) for words in lines[1:]]


class TestTheNextAction:
    def test_each_situation_is_in_one_row_of_the_table(self) -> None:
        table = rows()
        found = {each: [row for row in table if row.is_about(each)] for each in situations()}
        assert [each for each, its_rows in found.items() if len(its_rows) != 1] == []
        used = {id(row) for (row,) in found.values()}
        assert [row for row in table if id(row) not in used] == []

    @pytest.mark.parametrize("row", rows(), ids=lambda row: "-".join(row.patterns))
    def test_it_is_what_the_table_says(self, row: Row) -> None:
        actions = {each: each.action().do for each in situations() if row.is_about(each)}
        assert actions == dict.fromkeys(actions, Do(row.action))

    def test_a_change_of_a_node_is_made_at_the_version_seen(self) -> None:
        for each in situations():
            action = each.action()
            expected = VERSION if action.do in CHANGES_A_NODE else -1
            assert action.version == expected, each

    def test_a_node_that_is_neither_ours_nor_a_former_ones_is_left(self) -> None:
        for each in situations():
            if each.action().do in CHANGES_A_NODE:
                assert each.presence in ("ours", "former"), each
                assert each.seen == "now", each

    def test_a_node_is_made_only_where_none_is_known_of(self) -> None:
        for each in situations():
            if each.action().do is Do.CREATE:
                nowhere = ("unknown", "missing", "deleted")
                assert each.seen == "before" or each.presence in nowhere, each

    def test_one_that_is_withdrawn_is_neither_made_nor_written(self) -> None:
        for each in situations():
            if each.desired == "absent":
                making = (Do.CREATE, Do.WRITE, Do.REPLACE, Do.FOLLOW_LINKS, Do.SETTLE)
                assert each.action().do not in making, each

    def test_one_that_is_desired_ends_only_if_deleted_and_that_is_its_end(self) -> None:
        for each in situations():
            if each.desired == "node" and each.action().do is Do.END:
                assert (each.seen, each.presence, each.deletion) == ("now", "deleted", "end")

    def test_it_is_settled_only_if_it_is_ours_and_just_so(self) -> None:
        for each in situations():
            if each.action().do is Do.SETTLE:
                assert each[:5] == ("node", "there", "now", "ours", "same"), each

    def test_nothing_is_asked_for_without_a_session(self) -> None:
        for each in situations():
            if each.session != "there":
                assert each.action().do not in REQUESTS, each

    def test_equal_content_is_another_desire(self) -> None:
        """A request whose answer was lost may have written other content in between."""
        observed = Observed(Presence.OURS, 3, VERSION, Desired(*NODE))
        assert next_action(NODE, observed, Standing(3), OnDeletion.REVIVE) == (Do.WRITE, VERSION)


class TestTheBeginningOfAnAttempt:
    @pytest.mark.parametrize("state", RegistrationState)
    @pytest.mark.parametrize("epoch", [2, 3])
    @pytest.mark.parametrize("standing", STANDINGS.values())
    def test_a_node_of_this_session_is_looked_at_and_no_other(
        self, state: RegistrationState, epoch: int, standing: Standing
    ) -> None:
        observed = begin(Known(state, epoch, NODE), standing)
        is_ours = (state, epoch, standing.epoch) == (RegistrationState.REGISTERED, 3, 3)
        assert observed.presence is (Presence.EXISTS if is_ours else Presence.UNKNOWN)
        assert observed.written is NODE
        assert (observed.version, observed.obstacle) == (-1, Obstacle.NONE)


class TestTheStateShown:
    @pytest.mark.parametrize("state", RegistrationState)
    @pytest.mark.parametrize("epoch", [2, 3])
    def test_a_node_goes_with_its_session(self, state: RegistrationState, epoch: int) -> None:
        known = Known(state, epoch)
        is_lost = state is RegistrationState.REGISTERED
        lost = RegistrationState.PENDING if is_lost else state
        assert shown(known, Standing(3)) is (lost if epoch == 2 else state)
        assert shown(known, Standing(None)) is lost
        assert shown(known, Standing(None, is_over=True)) is RegistrationState.ENDED


SEEN = {
    "as desired": Observed(Presence.OURS, 3, VERSION, NODE),
    "otherwise": Observed(Presence.OURS, 3, VERSION, WRITTEN["data"]),
    "missing": Observed(Presence.MISSING, 3),
    "another's": Observed(Presence.ANOTHERS, 3, VERSION, NODE),
}


class TestTheNeedOfAnAttempt:
    @pytest.mark.parametrize("state", RegistrationState)
    @pytest.mark.parametrize("on_deletion", OnDeletion)
    @pytest.mark.parametrize("seen", SEEN)
    @pytest.mark.parametrize("epoch", [2, 3])
    def test_it_is_due_unless_all_is_as_desired_or_over(
        self, state: RegistrationState, on_deletion: OnDeletion, seen: str, epoch: int
    ) -> None:
        is_due = has_to_reconcile(NODE, Known(state, epoch), SEEN[seen], Standing(3), on_deletion)
        if state is RegistrationState.ENDED:
            expected = False
        elif state is not RegistrationState.REGISTERED or epoch == 2:
            expected = True
        else:
            expected = on_deletion is not OnDeletion.IGNORE and seen != "as desired"
        assert is_due is expected


class Node(NamedTuple):
    """A node of the model: its session (0 for none), and its content."""

    owner: int
    version: int
    content: Desired


RIVAL = 99
EVENTS = (
    "nothing", "expiry", "vanish", "rival", "rival ends", "deleted by hand", "written by hand",
    "answer lost", "request lost", "change", "change ACL", "withdraw",
)  # fmt: skip


class Model:
    """One node on a server, one client, and every event between two actions.

    Sessions are numbered, so that a node's owner is an epoch, or `RIVAL`.
    """

    def __init__(self, *, has_transactions: bool, is_writable: bool) -> None:
        self.has_transactions = has_transactions
        self.is_writable = is_writable
        self.epoch = 1
        self.node: Node | None = None
        self.desired: Desired | None = Desired("0", READ_ACL_UNSAFE)
        self.known = Known()
        self.versions = itertools.count(1)
        self.begin()

    def begin(self) -> None:
        self.wanted = self.desired
        self.observed = begin(self.known, Standing(self.epoch))

    def happens(self, event: str) -> None:
        node = self.node
        owner = None if node is None else node.owner
        if event == "expiry":
            self.epoch += 1
        elif event in ("change", "change ACL") and self.desired is not None:
            acl = OPEN_ACL_UNSAFE if event == "change ACL" else self.desired.acl
            self.desired = Desired(str(next(self.versions)), acl)
        elif event == "withdraw":
            self.desired = None
        elif event == "rival" and node is None:
            self.node = Node(RIVAL, next(self.versions), Desired("rival", OPEN_ACL_UNSAFE))
        elif event == "written by hand" and node is not None:
            self.node = node._replace(version=next(self.versions))
        elif (
            (event == "vanish" and owner not in (self.epoch, RIVAL))
            or (event == "rival ends" and owner == RIVAL)
            or (event == "deleted by hand" and owner != RIVAL)
        ):
            self.node = None

    def act(self, event: str = "nothing") -> Do:
        """Do the next action; an answer, or the request itself, may be lost."""
        action = next_action(self.wanted, self.observed, Standing(self.epoch), OnDeletion.REVIVE)
        if event == "request lost":
            self._is_lost(action)
        else:
            seen = self._do(action)
            if event == "answer lost":
                self._is_lost(action)
            elif seen is not None:
                self._note(action, seen)
                self.observed = seen
        if self.wanted is not self.desired:
            self.begin()
        return action.do

    def _is_lost(self, action: Action) -> None:
        if action.do in (Do.CREATE, Do.REPLACE) and self.known.written is not self.wanted:
            self.known = self.known._replace(written=None)
        self.begin()

    def _note(self, action: Action, seen: Observed) -> None:
        if seen.presence is Presence.OURS and seen.written is self.wanted:
            self.known = Known(RegistrationState.REGISTERED, self.epoch, self.wanted)
        elif seen.presence is Presence.MISSING:
            self.known = self.known._replace(state=RegistrationState.PENDING)

    def _do(self, action: Action) -> Observed | None:
        node, wanted = self.node, self.wanted
        written = self.known.written
        if action.do in (Do.LOOK, Do.SYNC_AND_LOOK):
            return self._seen(node, written)
        if action.do is Do.CREATE:
            if node is not None:
                return Observed(Presence.EXISTS, self.epoch, written=written)
        elif action.do not in CHANGES_A_NODE:
            return None
        elif node is None:
            return Observed(Presence.MISSING, self.epoch, written=written)
        elif action.version != node.version:
            return Observed(Presence.EXISTS, self.epoch, written=written)
        else:
            assert node.owner != RIVAL, "a node of somebody else is changed"
        if action.do is Do.DELETE:
            self.node = None
            return Observed(Presence.MISSING, self.epoch, written=written)
        if action.do is Do.REPLACE and not self.has_transactions:
            return self.observed._replace(obstacle=Obstacle.NO_TRANSACTIONS)
        if action.do is Do.WRITE and not self.is_writable:
            return self.observed._replace(obstacle=Obstacle.NOT_WRITABLE)
        assert wanted is not None, "what is withdrawn is made"
        if action.do is Do.WRITE:
            assert node is not None
            content = Desired(wanted.data, node.content.acl)
            self.node = Node(node.owner, next(self.versions), content)
        else:
            self.node = Node(self.epoch, next(self.versions), wanted)
        return Observed(Presence.OURS, self.epoch, self.node.version, wanted)

    def _seen(self, node: Node | None, written: Desired | None) -> Observed:
        if node is None:
            return Observed(Presence.MISSING, self.epoch, written=written)
        if node.owner == RIVAL:
            presence = Presence.ANOTHERS
        else:
            presence = Presence.OURS if node.owner == self.epoch else Presence.FORMER
        return Observed(presence, self.epoch, node.version, written)


def until_rest(model: Model) -> Iterator[Do]:
    """Yield the actions of an attempt that nothing disturbs."""
    model.begin()
    for _ in range(12):
        do = model.act()
        yield do
        if do not in REQUESTS:
            return
    pytest.fail("it comes to no rest")


@given(
    st.lists(st.sampled_from(EVENTS), max_size=25),
    st.booleans(),
    st.booleans(),
)
def test_actions_with_changes_between_end_as_desired(
    events: list[str], has_transactions: bool, is_writable: bool
) -> None:
    model = Model(has_transactions=has_transactions, is_writable=is_writable)
    for event in events:
        model.happens(event)
        model.act(event)
    if model.desired is None:
        model.happens("vanish")
    *_, last = until_rest(model)
    node = model.node
    if node is not None and node.owner == RIVAL:
        assert last is (Do.END if model.desired is None else Do.AWAIT_OWNER)
    elif model.desired is None:
        assert (last, node) == (Do.END, None)
    else:
        assert last is Do.SETTLE
        assert node is not None
        assert (node.owner, node.content) == (model.epoch, model.desired)
