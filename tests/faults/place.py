"""The nodes of a fault run, and the names that its clients give to theirs."""

from __future__ import annotations

import json

SERVICES = ("/services/a", "/services/b")
GROUPS = tuple(f"/groups/g{number}" for number in range(4))
CONFIGS = tuple(f"/config/c{number}" for number in range(6))

# This node is deleted and made again all the time, together with its data.
FLEETING = "/config/fleeting"

# The symbolic link and the property links of this node are bent all the time.
APPLICATION = "/app"
LINKED_SERVICE = f"{APPLICATION}/providers"

# The path of no node, to which links are bent sometimes.
NOWHERE = "/services/none"

# Each client has a tree of its own in here, which nobody else touches.
TREES = "/trees"

# Several clients want these registrations at once; exactly one of them can have each.
CONTESTED = ("10.9.9.1:80", "10.9.9.2:80")

# Whole trees that are followed: all, a part whose nodes come and go, and one at the end of a link.
FOLLOWED_TREES = ("/", "/groups", LINKED_SERVICE)

# Lists of servers to pick from, with their properties.
FOLLOWED_PROVIDERS = (*SERVICES, LINKED_SERVICE)

# Each client follows so many nodes at the most.
MOST_FOLLOWED = sum(map(len, (SERVICES, GROUPS, CONFIGS, FOLLOWED_TREES, FOLLOWED_PROVIDERS))) + 3

# The ephemeral nodes that a client creates itself have names that begin with this.
PLAIN = "plain"


def addresses(client: int) -> list[str]:
    """Return the addresses of a client, whichever process it is at the time."""
    return [f"10.0.{client}.{number}:80" for number in range(6)]


def belongs_to_another(name: str, client: int) -> bool:
    """Return whether a registration is in another client's name."""
    others = range(10)
    return any(name in addresses(other) for other in others if other != client)


def application(service: str, config: str) -> dict[str, object]:
    """Return the properties of `APPLICATION` with its links to these nodes."""
    return {
        "providers ->": service,
        "n =>": f"{config} n",
        "far =>": f"{CONFIGS[1]} far",
        "colour": "red",
    }


def nodes() -> dict[str, str]:
    """Return the nodes at the beginning, parents first: paths and data."""
    begin = {"/services": "", "/groups": "", "/config": "", TREES: ""}
    begin.update(dict.fromkeys([*SERVICES, *GROUPS], ""))
    begin.update({path: json.dumps({"n": 0}) for path in [*CONFIGS, FLEETING]})
    # This property link leads on to another one.
    begin[CONFIGS[1]] = json.dumps({"n": 0, "far =>": f"{CONFIGS[2]} n"})
    begin[APPLICATION] = json.dumps(application(SERVICES[0], CONFIGS[0]))
    return begin
