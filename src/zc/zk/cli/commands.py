"""The commands by name, in the groups that --help lists them in.

A command is a module of this package, and a subcommand of `zk` and of `python -m zc.zk`. Those of
earlier releases are programs of their own too, as `zookeeper_export`; `zc.zk.scripts` has their
entry points.
"""

from __future__ import annotations


class Command:
    """Where a command is, and what it does."""

    __slots__ = ("module", "summary")

    def __init__(self, module: str, summary: str) -> None:
        self.module = module
        self.summary = summary


GROUPS: dict[str, dict[str, Command]] = {
    "look at nodes": {
        "get": Command("get", "write the data of a node, or a property of it"),
        "ls": Command("ls", "list the children of a node, or all nodes below it"),
        "stat": Command("stat", "tell all that servers know of nodes beside their data"),
        "find": Command("find", "find nodes by name, kind, age, owner, properties and data"),
        "grep": Command("grep", "find text in the data of nodes"),
        "du": Command("du", "count nodes and bytes in the parts of a tree"),
        "count": Command("count", "count the children of nodes, or all nodes below"),
        "wait": Command("wait", "wait until a node is there, is gone, or is as needed"),
        "watch": Command("watch", "follow the children and properties of nodes"),
        "render": Command("render", "make files of templates, and keep them up to date"),
        "browse": Command("browse", "show the tree in a web browser, live"),
        "graph": Command("graph", "draw services and the links between them"),
        "shell": Command("shell", "read commands line by line, for one session and node"),
    },
    "change nodes": {
        "set": Command("set", "replace a node's data"),
        "create": Command("create", "create a node of any kind"),
        "set_property": Command("set_property", "set properties of a node"),
        "edit": Command("edit", "change a node, or a subtree, in an editor"),
        "quota": Command("quota", "limit how many nodes and bytes there are below a path"),
        "lock": Command("lock", "run a command while no other process of the fleet does"),
        "cp": Command("cp", "copy a node and all below it, also to other servers"),
        "mv": Command("mv", "move a node and all below it"),
        "acl": Command("acl", "look at, and change, who may do what with nodes"),
        "delete": Command("delete", "delete a node and all below it"),
    },
    "trees as files": {
        "export": Command("export", "write the nodes below a path as text, JSON or YAML"),
        "import": Command("import_", "make the nodes below a path what a file says"),
        "validate": Command("validate", "check files that are to be imported"),
        "diff": Command("diff", "compare files and servers"),
    },
    "servers": {
        "status": Command("status", "tell how each server is doing"),
        "who": Command("who", "tell who you are to servers, who owns a node, and all sessions"),
        "config": Command("config", "print the members of the ensemble"),
        "sync": Command("sync", "wait until the server has all that the others had"),
        "word": Command("word", "print the answers of servers to a four-letter word"),
        "server": Command("server", "run a server for development and tests"),
    },
}

COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}

# Commands that are programs of their own too, zookeeper_NAME.
OF_THEIR_OWN = (
    "export", "import", "validate", "diff", "set_property", "delete", "watch", "graph", "browse",
    "server", "lock", "render",
)  # fmt: skip


def overview(program: str) -> str:
    """Return what `program --help` shows."""
    width = max(map(len, COMMANDS))
    lines: list[str] = []
    for title, group in GROUPS.items():
        lines.append(f"\n{title}:")
        lines += [f"  {name:{width}}  {command.summary}" for name, command in group.items()]
    listed = "\n".join(lines)
    more = (
        f"`{program} help COMMAND` and `{program} COMMAND --help` tell more; --version the version."
    )
    return f"usage: {program} COMMAND ...\n{listed}\n\n{more}\n"


def versions(program: str) -> str:
    """Return what `program --version` shows."""
    from importlib.metadata import version

    from zookeeper import __version__ as of_c_client
    from zookeeper._tls import openssl_version

    linked = " ".join(openssl_version.split()[:2])  # without its date
    return f"{program} {version('zc.zk')}, with ZooKeeper's C client {of_c_client} and {linked}\n"
