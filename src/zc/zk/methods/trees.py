"""Work on trees, as methods; it is done in `zc.zk.operations`, imported when there is some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, overload

from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.errors import printable
from zc.zk.imports import importing
from zc.zk.links import as_told, check_path, without_slash
from zc.zk.methods.passing import Methods, tells_of_root

if TYPE_CHECKING:
    from zc.zk.operations.plan import Plan
    from zc.zk.tree.exporting import Skip
    from zc.zk.watching.tree import Tree
    from zookeeper.types import Acl, Progress


class Trees(Methods):
    """The methods that read, show, make, delete and follow trees."""

    @tells_of_root
    def tree(
        self,
        path: str = "/",
        *,
        depth: int | None = None,
        filter: Callable[[str], object] | None = None,
    ) -> Tree:
        """The node at `path` and all nodes below it, kept up to date.

        `path` may have links in it. `depth` is how many levels below the node belong to the tree;
        `filter` is called with the path of each node below it, and leaves it out, with all that
        is below, unless it returns something true. It has to give the same answer every time.

        Raises NoNodeException, NoAuthException if the node may not be read, and
        UnimplementedException with servers before 3.6. See `zc.zk.watching.tree`.
        """
        with importing:
            from zc.zk.watching.tree import Tree

        return Tree(self.watches, path, depth, filter)

    @overload
    def walk(
        self, path: str = ..., ephemeral: bool = ..., children: Literal[False] = ...
    ) -> Iterator[str]: ...

    @overload
    def walk(
        self, path: str = ..., ephemeral: bool = ..., *, children: Literal[True]
    ) -> Iterator[tuple[str, list[str]]]: ...

    def walk(self, path: str = "/", ephemeral: bool = True, children: bool = False) -> Any:
        """Yield the path of the node at `path` and of all nodes below it, each before its children.

        Children come sorted by name; ephemeral nodes only if `ephemeral`. Changes made on the way
        are seen, and nodes that vanish are left out. If `children`, yields pairs of a path and the
        list of its children's names, and does not go to those that are removed from the list.

        Raises NoNodeException when there is no node at `path`. See `zc.zk.operations.walk`.
        """
        with importing:
            from zc.zk.operations import walk

        return walk.walk(self._session, _subtree(path), ephemeral=ephemeral, children=children)

    @tells_of_root
    def export_tree(
        self,
        path: str = "/",
        ephemeral: bool = False,
        name: str | None = None,
        *,
        acls: bool = False,
        kinds: bool = False,
        skip: Skip | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Return the node at `path` and all below it as text, which `import_tree` reads.

        Ephemeral nodes only if `ephemeral`. The top node gets the name `name` if that is given; the
        root is left out if it is not. ZooKeeper's own node /zookeeper is left out. `acls` writes
        the ACLs, where they are not those of the parent, or open at the top. Ephemeral nodes are
        marked if `kinds`; of containers and nodes with a time to live servers tell nobody.
        `progress(done, None)` is called a few times a second. See `zc.zk.tree.render`.

        Raises NoNodeException, NoAuthException for a node, or an ACL, that may not be read, and
        ValueError when no node can have that name. With `skip` such nodes are left out, with all
        below them, and `skip(path, fault)` is called for each.
        """
        with importing:
            from zc.zk.operations import export

        return export.export_tree(
            self._session,
            _subtree(path),
            ephemeral=ephemeral,
            name=name,
            acls=acls,
            kinds=kinds,
            progress=progress,
            skip=skip,
        )

    def print_tree(self, path: str = "/") -> None:
        """Print the node at `path` and all below it, ephemeral nodes too."""
        _print(self.export_tree(path, ephemeral=True).split("\n")[:-1])

    def plan_import(
        self,
        text: str,
        path: str = "/",
        trim: bool | None = None,
        acl: Acl = OPEN_ACL_UNSAFE,
        *,
        reset_acls: bool = False,
        ephemeral_as_permanent: bool = False,
        skip: Skip | None = None,
        progress: Progress | None = None,
    ) -> Plan:
        """Plan what `import_tree` with the same arguments would change, in order.

        `str()` of the plan is what a dry run prints, `losses` tells what it does not bring back,
        and `apply()` makes the changes. See `zc.zk.operations.import_`.
        """
        with importing:
            from zc.zk.operations import import_
            from zc.zk.tree.unparsed import read_text

        options = import_.Options(trim, reset_acls, ephemeral_as_permanent, skip=skip)
        return import_.make_plan(
            self._session,
            read_text(text),
            _subtree(path),
            acl=acl,
            options=options,
            progress=progress,
        )

    def import_tree(
        self,
        text: str,
        path: str = "/",
        trim: bool | None = None,
        acl: Acl = OPEN_ACL_UNSAFE,
        dry_run: bool = False,
        *,
        verbose: bool = False,
        reset_acls: bool = False,
        ephemeral_as_permanent: bool = False,
        strict: bool = False,
        skip: Skip | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Make the nodes below `path` what `text` says; see `zc.zk.tree.syntax` for its form.

        Nodes that the text does not mention, below those that it does, are reported; deleted if
        `trim`, unless they are ephemeral or have ephemeral ones below them; and passed over in
        silence if it is False. Only what differs is written; all at once when it is no more than
        500 nodes and 500 KB, in order otherwise. If others change the same nodes meanwhile, the
        rest is planned again.

        Nodes that are created get the ACL that the text has for them, or else `acl`. Nodes that are
        there get the text's; without one they keep theirs, or get `acl` if `reset_acls`. Nodes that
        the text marks as ephemeral are not made, unless `ephemeral_as_permanent`. With `strict`,
        LossError is raised if there is anything that does not come back. With `skip`, nodes that
        cannot be read are left as they are, with all below them, and `skip(path, fault)` is called.

        If `dry_run`, only prints what would be done; `verbose` then tells all about new nodes.
        `progress(done, total or None)` is called a few times a second, and may raise to give up.

        Raises ValueError with the number of a line that cannot be read, before anything is written.
        """
        with importing:
            from zc.zk.operations import import_
            from zc.zk.tree.unparsed import read_text

        tree = read_text(text)
        path = _subtree(path)
        options = import_.Options(trim, reset_acls, ephemeral_as_permanent, strict, skip)
        do = import_.make_plan if dry_run else import_.import_tree
        plan = do(self._session, tree, path, acl=acl, options=options, progress=progress)
        if dry_run and strict:
            import_.require_no_losses(plan)
        _print(plan.lines(verbose=verbose) if dry_run else plan.notices())

    def plan_delete(
        self,
        path: str,
        force: bool = False,
        ignore_if_ephemeral: bool = False,
        *,
        progress: Progress | None = None,
    ) -> Plan:
        """Plan what `delete_recursive` with the same arguments would delete, children first.

        `str()` of the plan is what a dry run prints, `deletions` are the paths that go, and
        `apply()` deletes just these. See `zc.zk.operations.plan`.
        """
        with importing:
            from zc.zk.operations import delete

        return delete.make_plan(
            self._session,
            _subtree(path),
            force=force,
            ignore_if_ephemeral=ignore_if_ephemeral,
            ephemerals=self._ephemerals,
            progress=progress,
        )

    def delete_recursive(
        self,
        path: str,
        dry_run: bool = False,
        force: bool = False,
        ignore_if_ephemeral: bool = False,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Delete the node at `path` and all below it.

        Ephemeral nodes and those above them stay, and are reported, unless `force`. If
        `ignore_if_ephemeral`, nothing is said when the node at `path` itself is ephemeral. If
        `dry_run`, only prints what would be done. `progress(done, total or None)` is called a few
        times a second, and may raise to give up.

        Raises NoNodeException, and NotEmptyException when others create nodes faster than they can
        be deleted.
        """
        with importing:
            from zc.zk.operations import delete

        if dry_run:
            plan = self.plan_delete(path, force, ignore_if_ephemeral, progress=progress)
            _print(plan.lines())
            return
        plan = delete.delete_tree(
            self._session,
            self._ephemerals,
            _subtree(path),
            force=force,
            ignore_if_ephemeral=ignore_if_ephemeral,
            progress=progress,
        )
        _print(plan.notices())


def _subtree(path: str) -> str:
    """Return the path of a subtree's top, behind which one slash may be."""
    path = without_slash(path)
    check_path(path)
    # An exact string: extensions take none of a class of a program's, as of an enumeration.
    return str.__str__(as_told(path))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line))
