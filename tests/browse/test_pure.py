"""What the page knows of a tree, and where keys and fingers lead: functions on data."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.browse.javascript import needs_node, run, view
from zc.zk.naturalorder import sorted_naturally

pytestmark = needs_node

HEALTH = "model: Model; health: Health, oddOnesOut"
JUDGE = """
const model = new Model();
const health = new Health(model);
for (const batch of given) {
  model.apply(batch);
  health.update(batch.map(([path]) => path));
}
const { services, providers, count, findings } = health;
return { services: [...services], providers, count, findings };
"""


def judge(*batches: dict[str, Any]) -> Any:
    return run(HEALTH, JUDGE, [list(batch.items()) for batch in batches])


def fleet(**versions: str | None) -> dict[str, Any]:
    """Return a service with providers of these versions."""
    made = {"/a": view(children=1), "/a/providers": view(children=len(versions))}
    for name, version in versions.items():
        made[f"/a/providers/{name}"] = view(version=version) if version else view()
    return made


class TestHealth:
    def test_services_without_providers(self):
        found = judge(
            {
                "/": view(children=2),
                "/b": view(children=1), "/b/providers": view(),
                "/a10": view(), "/a10/providers": view(), "/a2": view(), "/a2/providers": view(),
                "/c": view(), "/c/providers": view(children=1), "/c/providers/x": view(),
                "/d": view(),
            },
        )  # fmt: skip
        assert found["findings"]["empty"] == ["/a2", "/a10", "/b"]
        assert (len(found["services"]), found["providers"], found["count"]) == (4, 1, 3)

    def test_links_that_lead_nowhere(self):
        found = judge(
            {"/a": view(x=("->", "/b", "/b"), y=("->", None, "/no"), z=("=>", None, "?"))}
        )
        (broken,) = found["findings"]["broken"]
        assert broken["path"] == "/a"
        assert [each["name"] for each in broken["what"]] == ["y", "z"]

    def test_nodes_that_cannot_be_read(self):
        found = judge({"/a": view(fault="no authority")})
        assert found["findings"]["unreadable"] == [{"path": "/a", "what": "no authority"}]

    def test_the_odd_one_out_by_version(self):
        (odd,) = judge(fleet(p1="'1'", p2="'2'", p10="'1'"))["findings"]["odd"]
        assert odd["path"] == "/a"
        assert odd["what"]["usual"] == "'1'"
        assert odd["what"]["odd"] == [{"path": "/a/providers/p2", "version": "'2'"}]
        assert odd["what"]["counts"] == [
            {"version": "'1'", "count": 2}, {"version": "'2'", "count": 1},
        ]  # fmt: skip

    def test_without_a_usual_version_all_are_odd(self):
        (odd,) = judge(fleet(p1="1", p2="2", p3="1", p4="2"))["findings"]["odd"]
        assert odd["what"]["usual"] is None
        assert len(odd["what"]["odd"]) == 4

    def test_a_provider_without_a_version_among_others_is_odd(self):
        (odd,) = judge(fleet(p1="1", p2=None, p3="1"))["findings"]["odd"]
        assert odd["what"]["odd"] == [{"path": "/a/providers/p2", "version": "none"}]

    @pytest.mark.parametrize("versions", [{}, {"p1": "1"}, {"p1": None, "p2": None}])
    def test_providers_of_one_version_or_of_none_are_well(self, versions):
        assert judge(fleet(**versions))["findings"]["odd"] == []

    def test_a_finding_goes_when_all_is_well(self):
        bad = {**fleet(p1="1", p2="2", p3="1"), "/b": view(x=("->", None, "/no"), fault="no")}
        found = judge(
            bad,
            {"/a/providers/p2": view(version="1"), "/b": view(x=("->", "/a", "/a"))},
        )
        assert found["count"] == 0
        gone = judge(bad, dict.fromkeys(bad))
        assert (gone["count"], gone["services"], gone["providers"]) == (0, [], 0)

    def test_changes_in_small_parts_come_to_the_same_as_all_at_once(self):
        chance = random.Random(7)
        tree: dict[str, Any] = {}
        for number in range(60):
            count = chance.randint(0, 4)
            tree |= {f"/s{number}": view(children=1)}
            tree |= {f"/s{number}/providers": view(children=count)}
            for provider in range(count):
                tree[f"/s{number}/providers/{provider}"] = view(version=chance.choice("12"))
        parts = list(tree.items())
        chance.shuffle(parts)
        assert sorted_findings(judge(*({path: each} for path, each in parts))) == sorted_findings(
            judge(tree)
        )

    def test_ten_thousand_services(self):
        tree = {}
        for number in range(10_000):
            tree[f"/s{number}"] = view(children=1)
            tree[f"/s{number}/providers"] = view(children=1)
            tree[f"/s{number}/providers/p"] = view(version="1")
        found = run(
            HEALTH,
            JUDGE.replace("findings };", "findings: 0 };").replace(
                "[...services]", "services.size"
            ),
            [list(tree.items())],
        )
        assert found == {"services": 10_000, "providers": 10_000, "count": 0, "findings": 0}


def sorted_findings(found: Any) -> Any:
    return found | {"services": sorted(found["services"])}


VIEWS = {
    "/p": view(children=3),
    "/p/h2:80": view(version="'1.10'", pid="9"),
    "/p/h10:80": view(version="'1.9'", pid="10", zone="'b'"),
    "/p/h1:80": view(version="'1.9'", zone=("=>", None, "/x zone")),
}


class TestProviders:
    PROGRAM = """
const model = new Model();
model.apply(given.views);
const { columns, rows, more } = providersOf(model, "/p");
const sorted = sortedRows(rows, given.sort);
return {
  columns: columns.map(({ title }) => title), more,
  rows: sorted.map(({ cells }) => columns.map(({ key }) => cells.get(key)?.text ?? null)),
  odd: sorted.filter(({ cells }) => [...cells.values()].some((each) => each.isOdd))
    .map(({ path }) => path),
};
"""
    NAMES = "model: Model; providers: providersOf; table: sortedRows"

    def table(self, key: str, views: dict[str, Any], descending: bool = False) -> Any:
        sort = {"key": key, "isDescending": descending}
        return run(self.NAMES, self.PROGRAM, {"views": list(views.items()), "sort": sort})

    def test_columns_are_all_properties_in_natural_order(self):
        table = self.table("provider", VIEWS)
        assert table["columns"] == ["Provider", "pid", "version", "zone", "Since"]
        assert [row[0] for row in table["rows"]] == ["h1:80", "h2:80", "h10:80"]
        assert table["odd"] == ["/p/h2:80"]

    def test_numbers_are_sorted_as_numbers_and_texts_naturally(self):
        assert [row[1] for row in self.table("=pid", VIEWS)["rows"]] == ["9", "10", None]
        versions = [row[2] for row in self.table("=version", VIEWS)["rows"]]
        assert versions == ["'1.9'", "'1.9'", "'1.10'"]

    def test_the_other_way_those_without_a_value_are_still_last(self):
        rows = self.table("=pid", VIEWS, descending=True)["rows"]
        assert [row[1] for row in rows] == ["10", "9", None]

    def test_there_are_no_more_columns_than_fit(self):
        many = view(**{f"p{number}": "1" for number in range(40)})
        table = self.table("provider", {"/p": view(children=1), "/p/h": many})
        assert (len(table["columns"]), table["more"]) == (14, 28)

    def test_values_of_any_kind_have_one_order(self):
        values = [
            "1",
            "1e3",
            "-2.5",
            "0.10",
            "0.1",
            "'a2'",
            "'a10'",
            "x/y",
            "/",
            "",
            "9" * 400,
            "1-",
        ]
        program = """
const sign = (one, other) => Math.sign(compareValues(one, other));
const wrong = [];
for (const a of given) for (const b of given) {
  if (sign(a, b) !== -sign(b, a) || (sign(a, b) === 0) !== (a === b)) wrong.push([a, b]);
  for (const c of given) {
    if (sign(a, b) < 0 && sign(b, c) < 0 && sign(a, c) >= 0) wrong.push([a, b, c]);
  }
}
return { wrong, sorted: given.sort(compareValues) };
"""
        found = run("table: compareValues", program, values)
        assert found["wrong"] == []
        assert found["sorted"][:5] == ["-2.5", "0.1", "0.10", "1", "1e3"]


class TestModel:
    def test_children_stay_in_order_as_they_come_and_go(self):
        chance = random.Random(3)
        program = """
const model = new Model();
return given.map((batch) => { model.apply(batch); return [...model.children("/")]; });
"""
        there: set[str] = set()
        batches, expected = [], []
        for _ in range(200):
            path = f"/p{chance.randint(0, 40)}"
            there ^= {path}
            batches.append([[path, view() if path in there else None]])
            expected.append(sorted_naturally(there))
        assert run("model: Model", program, batches) == expected

    def test_results_of_a_search_are_in_natural_order(self):
        program = """
const model = new Model();
model.apply(given);
return [...model.search("FIND")].filter((each) => each.isFound)
  .map(({ path, property }) => [path, property?.name ?? null]);
"""
        views = {
            "/": view(), "/b": view(x="find me"), "/a10": view(), "/a10/find": view(),
            "/a2": view(find="1"), "/c": view(y="nothing"),
        }  # fmt: skip
        assert run("model: Model", program, list(views.items())) == [
            ["/a2", "find"], ["/a10/find", None], ["/b", "x"],
        ]  # fmt: skip


class TestFirstLook:
    PROGRAM = """
const look = new FirstLook(300);
const open = new Set(["/"]);
return given.map(([paths, children]) => {
  const opened = look.openings(paths, open, (path) => children[path] ?? 1);
  opened.forEach((path) => open.add(path));
  return opened;
});
"""

    def look(self, *calls: tuple[list[str], dict[str, int]]) -> Any:
        return run("services: FirstLook", self.PROGRAM, calls)

    def test_nodes_above_services_open_the_upper_ones_first(self):
        paths = [
            "/eu/x/s/providers",
            "/eu/x",
            "/us/s10/providers",
            "/us/s2/providers",
            "/top/providers",
        ]
        assert self.look((paths, {})) == [["/us", "/eu", "/eu/x"]]

    def test_it_ends_when_a_screen_is_full(self):
        paths = [f"/g{number}/s/providers" for number in range(5)]
        children = {f"/g{number}": 25 for number in range(5)}
        assert self.look((paths, children)) == [["/g0", "/g1", "/g2"]]

    def test_a_node_with_thousands_of_services_opens(self):
        paths = [f"/all/s{number}/providers" for number in range(5000)]
        assert self.look((paths, {"/all": 5000}), (["/more/s/providers"], {})) == [["/all"], []]


class TestKeys:
    def test_rows(self):
        program = "return given.map(([key, row]) => rowAfter(key, row, 5));"
        keys = [("ArrowDown", 0), ("ArrowDown", 4), ("ArrowUp", 0), ("ArrowUp", 3), ("Home", 3),
                ("End", 0), ("x", 1), ("constructor", 1)]  # fmt: skip
        assert run("keys: rowAfter", program, keys) == [1, None, None, 2, 0, 4, None, None]

    def test_letters(self):
        program = """
let time = 0;
const typed = new TypeAhead(() => time);
return given.map(([letter, row, wait]) => {
  time += wait;
  return typed.rowOf(letter, ["alpha", "beta", "Bravo", "bread", "/"], row);
});
"""
        steps = [
            ("b", 0, 0), ("r", 1, 100), ("e", 2, 100),  # b, br, bre
            ("b", 3, 2000), ("b", 1, 10), ("b", 2, 10),  # the same letter again: the next one
            ("x", 1, 2000), ("*", 1, 2000),
        ]  # fmt: skip
        assert run("keys: TypeAhead", program, steps) == [1, 2, 3, 1, 2, 3, None, None]


class TestRoutes:
    def test_addresses(self):
        program = (
            "return given.map((hash) => { const r = routeOf(hash); return [r.view, r.path]; });"
        )
        hashes = ["", "#", "#/a%2Fb", "#health", "#diagram/a/b", "#tree", "#/health", "#nothing",
                  "#/%E0%A4%A", "#diagram"]  # fmt: skip
        assert run("tabs: routeOf", program, hashes) == [
            ["tree", "/"], ["tree", "/"], ["tree", "/a/b"], ["health", "/"], ["diagram", "/a/b"],
            ["tree", "/"], ["tree", "/health"], ["tree", "nothing"], ["tree", "/%E0%A4%A"],
            ["diagram", "/"],
        ]  # fmt: skip


PICTURE = {"x": 0, "y": 0, "width": 1000, "height": 400}
PANE = {"width": 500, "height": 500}


class TestViewport:
    NAMES = "viewport: begin, fit, pan, scaleOf, zoom"

    def run(self, program: str) -> Any:
        return run(
            self.NAMES, f"const {{ picture, pane }} = given; {program}",
            {"picture": PICTURE, "pane": PANE},
        )  # fmt: skip

    def test_all_of_it_fits_in_the_middle(self):
        part = self.run("return fit(picture, pane);")
        assert part == {"x": 0, "y": -300, "width": 1000, "height": 1000}

    def test_a_picture_that_could_not_be_read_whole_is_shown_from_its_beginning(self):
        part = self.run("return begin(picture, pane);")
        assert (part["x"], round(part["width"])) == (0, round(500 / 0.9))
        assert part["y"] + part["height"] / 2 == pytest.approx(200)

    def test_zooming_leaves_its_point_where_it_is(self):
        before, after, point = self.run("""
const start = { x: 100, y: 100, width: 400, height: 400 };
const point = { x: 125, y: 375 };
const at = (part) => {
  const scale = scaleOf(part, pane);
  return [part.x + point.x / scale, part.y + point.y / scale];
};
return [at(start), at(zoom(start, picture, pane, 1.5, point)), 0];
""")
        assert after == pytest.approx(before)
        assert point == 0

    def test_nothing_is_lost_out_of_sight_however_it_is_moved(self):
        part = self.run("""
let part = fit(picture, pane);
for (let step = 0; step < 100; step += 1) {
  part = pan(zoom(part, picture, pane, 1.5, { x: 0, y: 0 }), picture, pane, -900, -900);
}
return { ...part, scale: scaleOf(part, pane) };
""")
        assert part["scale"] == 4
        assert part["x"] + part["width"] / 2 <= 1000.001
        assert part["y"] + part["height"] / 2 <= 400.001
        least = self.run("""
let part = fit(picture, pane);
for (let step = 0; step < 100; step += 1) part = zoom(part, picture, pane, 0.5, { x: 9, y: 9 });
return scaleOf(part, pane);
""")
        assert least == 0.25


class TestChanges:
    def test_the_last_ones_come_first_each_once(self):
        program = """
const changes = new Changes();
given.forEach((list) => changes.add(list));
return changes.latest(3).map(({ number }) => number);
"""
        lists = [[{"number": 1}, {"number": 2}], [{"number": 2}, {"number": 3}], [{"number": 9}]]
        assert run("changes: Changes", program, lists) == [9, 3, 2]

    def test_remarks(self):
        changes = [
            {"count": 12}, {"below": 1, "ephemeral": True},
            {"details": [["x", "1", "2"], ["y", None, "3"], ["l ->", "/a", None]], "more": 1},
            {"details": [["", "no authority", None]]}, {"details": [["", None, "no authority"]]},
            {},
        ]  # fmt: skip
        assert run("changes: remarkOf", "return given.map(remarkOf);", changes) == [
            "12 nodes below it",
            "with 1 node below it, ephemeral",
            "x = 2 (was 1), y = 3 (new), no l -> any more, and 1 more property",
            "can be read again",
            "no authority",
            "",
        ]
