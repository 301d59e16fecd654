"""Pictures of large systems have fewer boxes, and boxes have room for their labels."""

from __future__ import annotations

import html
import re
import shutil

import pytest

import zc.zk
from zc.zk import graphvis
from zc.zk.browse.diagram import MAX_LISTED, NothingDrawn, show
from zc.zk.graphvis import clusters, labels

pytestmark = pytest.mark.quick

MANY = 5000


def tree_of(*groups: str, size: int, links: str = "") -> zc.zk.tree.model.ParseNode:
    """Return a tree with groups of services, each of which has one provider and a link."""
    lines = []
    for group in groups:
        lines.append(f"/{group}")
        for number in range(size):
            lines += [f"  /s{number}", f"    next -> {links.format(number=number, group=group)}"]
            lines += ["    /providers", "      /10.0.0.1:80"]
    return zc.zk.parse_tree("\n".join(line for line in lines if not line.endswith("-> ")) + "\n")


class TestClusters:
    def test_services_below_one_node_are_one_box(self):
        tree = tree_of("eu", "us", size=3, links="/us/s0")
        tree.add(zc.zk.parse_tree("/alone\n  /providers\n").children["alone"])
        found = clusters.clustered(graphvis.system(tree), most_units=3)
        assert [(unit.path, unit.inside, unit.lifeless) for unit in found.units] == [
            ("/alone", 0, 0), ("/eu", 3, 0), ("/us", 3, 0),
        ]  # fmt: skip
        assert found.units[0].providers == []
        assert [(*edge[:2], list(edge.names)) for edge in found.edges] == [
            ("/eu", "/us", ["3 links"])
        ]

    def test_no_more_are_joined_than_is_needed_the_largest_groups_first(self):
        tree = tree_of("small", size=2, links="/large/s0")
        tree.add(tree_of("large", size=5, links="/nowhere").children["large"])
        found = clusters.clustered(graphvis.system(tree), most_units=3)
        assert [unit.path for unit in found.units] == ["/large", "/small/s0", "/small/s1"]
        assert [(edge.source, edge.target, list(edge.names)) for edge in found.edges] == [
            ("/large", "nowhere from /large", ["5 links"]),
            ("/small/s0", "/large", ["1 link"]), ("/small/s1", "/large", ["1 link"]),
        ]  # fmt: skip
        whole = graphvis.system(tree)
        assert clusters.clustered(whole) == whole

    def test_too_many_links_are_joined_as_well(self):
        tree = tree_of("eu", "us", size=3, links="/us/s{number}")
        found = clusters.clustered(graphvis.system(tree), most_edges=2)
        assert [unit.path for unit in found.units] == ["/eu", "/us"]
        assert len(found.edges) == 1

    def test_links_that_lead_nowhere_are_counted(self):
        system = graphvis.system(tree_of("eu", size=4, links="/no/{number}"))
        (edge,) = clusters.clustered(system, most_units=1).edges
        assert (edge.source, list(edge.names), edge.fault) == (
            "/eu", ["4 links"], "they lead nowhere",
        )  # fmt: skip

    def test_a_part_is_in_groups_of_its_own_and_what_is_outside_too(self):
        tree = tree_of("eu", "us", size=3, links="/us/s{number}")
        found = clusters.clustered(graphvis.system(tree, "/eu"), "/eu", most_units=1)
        assert [(unit.path, unit.inside, unit.is_outside) for unit in found.units] == [
            ("/eu/s0", 0, False), ("/eu/s1", 0, False), ("/eu/s2", 0, False), ("/us", 3, True),
        ]  # fmt: skip

    def test_a_unit_with_units_below_it_is_in_the_group_of_its_name(self):
        tree = zc.zk.parse_tree("/a : t\n  /b : t\n  /c\n    /d : t\n/e : t\n")
        found = clusters.clustered(graphvis.system(tree), most_units=2)
        assert [(unit.path, unit.inside) for unit in found.units] == [("/a", 3), ("/e", 0)]
        part = clusters.clustered(graphvis.system(tree, "/a"), "/a", most_units=1)
        assert part.units[0].path == "/a"


class TestShown:
    def test_a_small_system_is_drawn_as_it_is(self):
        shown = show(tree_of("eu", size=3), "/")
        assert (shown.groups, shown.total, shown.services) == (set(), 3, [])
        assert '"/eu/s0"' in shown.source

    def test_five_thousand_services_are_drawn_in_groups(self):
        groups = [f"g{number}" for number in range(10)]
        shown = show(tree_of(*groups, size=MANY // 10, links="/g0/s{number}"), "/")
        assert shown.groups == {f"/{group}" for group in groups}
        assert "500 services" in shown.source
        assert len(shown.source) < 20_000

    def test_five_thousand_services_side_by_side_are_listed(self):
        shown = show(tree_of("all", size=MANY, links="/all/s0"), "/all")
        assert shown.source == ""
        assert (shown.total, len(shown.services)) == (MANY, MANY)
        last = next(each for each in shown.services if each["path"] == "/all/s4999")
        assert last == {
            "path": "/all/s4999", "type": None, "providers": 1, "links": ["/all/s0"], "more": 0,
            "broken": 0,
        }  # fmt: skip
        assert show(tree_of("all", size=MANY), "/").groups == {"/all"}

    def test_a_list_is_bounded(self):
        shown = show(tree_of("all", size=MAX_LISTED + 1), "/all")
        assert (shown.total, len(shown.services)) == (MAX_LISTED + 1, MAX_LISTED)

    def test_few_services_with_too_many_links_are_listed(self):
        count = 30
        lines = []
        for number in range(count):
            lines += [f"/s{number}", "  /providers"]
            lines += [f"  l{other} -> /s{other}" for other in range(count) if other != number]
        shown = show(zc.zk.parse_tree("\n".join(lines) + "\n"), "/")
        assert shown.source == ""
        assert (shown.services[0]["links"][0], shown.services[0]["more"]) == ("/s1", count - 6)

    @pytest.mark.parametrize("top", ["", "x", "/no", "/eu/", "//", "/eu/s0/next"])
    def test_a_part_that_is_not_there(self, top):
        with pytest.raises(NothingDrawn):
            show(tree_of("eu", size=1, links="/"), top)


class TestLabels:
    def test_wider_texts_take_more_room(self):
        assert labels.inches("W", 72) > labels.inches("i", 72) > 0
        assert labels.inches("ab", 72) == labels.inches("a", 72) + labels.inches("b", 72)
        assert labels.inches("中", 72) > labels.inches("é", 72) >= labels.inches("e", 72)
        assert labels.inches("", 72) == 0

    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    def test_boxes_are_as_wide_as_that(self):
        tree = zc.zk.parse_tree(
            "/payment-gateway-for-merchants : mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm\n  /providers\n"
            "  no -> /nowhere/WWWWWWWWWWWWWWWWWWWWWWWWWWWW\n"
            "/a-group-of-a-very-very-long-name-indeed\n  /b\n    /providers\n"
        )
        svg = graphvis.picture(graphvis.dot(graphvis.system(tree)), "svg").decode()
        frames = {}
        for group in re.split(r'<g id="', svg):
            corners = re.search(r'<(?:path|polygon)[^>]*? (?:d|points)="([^"]+)"', group)
            across = [float(x) for x in re.findall(r"(-?[\d.]+),", corners[1] if corners else "0,")]
            for text in re.findall(r">([^<>\n]+)</text>", group):
                frames[html.unescape(text)] = max(across) - min(across)
        for text, size in [
            ("payment-gateway-for-merchants", 12), ("mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm", 10),
            ("/nowhere/WWWWWWWWWWWWWWWWWWWWWWWWWWWW", 12),
            ("/a-group-of-a-very-very-long-name-indeed", 11),
        ]:  # fmt: skip
            assert frames[text] >= labels.inches(text, size) * 72, text
