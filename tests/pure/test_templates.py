"""Templates over a source that is made up: what they get, and what they are told of mistakes."""

from __future__ import annotations

import re

import pytest

import zookeeper
from zc.zk.errors import BadPropertyLink
from zc.zk.naturalorder import natural_key
from zc.zk.providers.provider import Provider
from zc.zk.rendering.faults import RenderError, TooFew

pytest.importorskip("jinja2")
from zc.zk.rendering.environment import MAX_TEXT
from zc.zk.rendering.template import Template

pytestmark = pytest.mark.quick


class Node:
    error: Exception | None = None
    ephemeralOwner = 0

    def __init__(self, tree, path):
        self.path = path
        self.name = path.rpartition("/")[2]
        self.data = repr(tree.nodes[path])
        self.properties = tree.nodes[path]
        start = path.rstrip("/") + "/"
        self.children = sorted(
            {each[len(start) :].split("/")[0] for each in tree.nodes if each.startswith(start)}
            - {""}
        )


class Source:
    """Nodes by path, with their properties; links are followed by hand."""

    def __init__(self, nodes):
        self.nodes = nodes

    def get(self, path):
        return Node(self, path) if path in self.nodes else None

    def _require(self, path):
        if path not in self.nodes:
            raise zookeeper.error(zookeeper.NONODE, path)

    def tree(self, path, depth):
        self._require(path)
        return path, self

    def children(self, path):
        self._require(path)
        return self.get(path).children

    def properties(self, path):
        self._require(path)
        stored = self.nodes[path]
        followed = {
            name.removesuffix(" =>"): (
                self.nodes[value.split()[0]][value.split()[1]] if name.endswith(" =>") else value
            )
            for name, value in stored.items()
        }
        return followed, stored

    def providers(self, path):
        self._require(path)
        return [Provider(name, self.nodes[f"{path}/{name}"]) for name in self.get(path).children]

    def exists(self, path):
        return path in self.nodes


NODES = {
    "/": {},
    "/svc": {"threads": 8, "db =>": "/db url", "main ->": "/db", "words": ["a", "b"], "no": None},
    "/svc/providers": {},
    "/svc/providers/10.0.0.10:80": {"weight": 2},
    "/svc/providers/10.0.0.2:80": {"weight": 1},
    "/svc/providers/[::1]:80": {"draining": True},
    "/svc/none": {},
    "/db": {"url": "pg://db", "banner": "two\nlines", "items": 3},
    "/db/p10": {},
    "/db/p2": {},
}


@pytest.fixture
def rendered(tmp_path):
    """Return a function that renders a text."""

    def rendered(text, nodes=None, **variables):
        (tmp_path / "t.j2").write_text(text)
        made = Template(str(tmp_path / "t.j2"), variables)
        return made.render(Source(NODES if nodes is None else nodes))

    return rendered


@pytest.fixture
def fault(rendered, tmp_path):
    """Return a function that says what is told of a template, without the folder."""

    def fault(text, **words):
        with pytest.raises(RenderError) as raised:
            rendered(text, **words)
        return str(raised.value).replace(f"{tmp_path}/", "")

    return fault


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ properties('/svc').threads }}", "8"),
        ("{{ properties('/svc').db }} {{ tree('/svc').properties['db'] }}", "pg://db pg://db"),
        ("{{ properties('/svc').nothing|default('?') }}", "?"),
        ("{{ properties('/db')['items'] }}", "3"),
        ("{% for p in providers('/svc/providers') %}{{ p }} {{ p.properties.weight }}\n"
         "{% endfor %}",
         "10.0.0.2:80 1\n10.0.0.10:80 2\n"),
        ("{{ providers('/svc/providers')|map(attribute='name')|join(' ') }}",
         "10.0.0.2_80 10.0.0.10_80"),
        ("{{ providers('/svc/providers')[0].host }}:{{ providers('/svc/providers')[0].port }}",
         "10.0.0.2:80"),
        ("{{ providers('/svc/providers', draining=True)|length }}", "3"),
        ("{{ providers('/svc/none', min=0)|length }}", "0"),
        ("{{ children('/db')|join(' ') }}", "p2 p10"),
        ("{{ tree('/db').children|join(' ') }} {{ tree('/db')['p2'].name }}", "/db/p2 /db/p10 p2"),
        ("{{ tree('/').walk()|map(attribute='path')|join(' ') }}",
         " ".join(sorted(NODES, key=natural_key))),
        ("{{ 'p2' in tree('/db') }} {{ tree('/')['db/p2'] }}", "True /db/p2"),
        ("{{ tree('/svc').links.main }} {{ tree('/svc').links.main.properties.url }}",
         "/db pg://db"),
        ("{{ tree('/svc').links.main.children|join(',') }} {{ tree('/svc').links.main.node }}",
         "p2,p10 /db"),
        ("{{ tree('/svc').property_links.db.path }} {{ tree('/svc').property_links.db.property }}",
         "/db url"),
        ("{{ exists('/db') }} {{ exists('/x') }}", "True False"),
        ("{{ properties('/svc')|json }}",
         '{"db =>": "/db url", "main ->": "/db", "no": null, "threads": 8, "words": ["a", "b"]}'),
        ("{{ properties('/db').banner|default('') if false else 'x' }}", "x"),
        ("{{ properties('/db', lines=True).banner }}", "two\nlines"),
        ("{{ ['b10', 'b9']|natural|join(' ') }}", "b9 b10"),
        ("{{ 'a b/c:1'|identifier }}", "a_b_c_1"),
        ("{% if true %}\n  x\n{% endif %}\ny\n", "  x\ny\n"),
        ("{{ port }}", "80"),
        ("{{ properties('/svc').no|default('', true) }}", ""),
        ("{{ properties(tree('/db')).url }} {{ children(tree('/svc').links.main)|join(' ') }}",
         "pg://db p2 p10"),
        ("{{ properties('/svc')|tojson }}",
         '{"db =\\u003e": "/db url", "main -\\u003e": "/db", "no": null, "threads": 8,'
         ' "words": ["a", "b"]}'),
        ("{% for x in 'abc' %}{{ loop.revindex }}{{ x }}{{ loop.length }}{% endfor %}",
         "3a32b31c3"),
        ("{% for x in [1, [2]] recursive %}{{ loop(x) if x is sequence else x }}{% endfor %}",
         "12"),
        ("{% for x in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for x in range(9) if x is divisibleby 4 %}{{ x }}{% endfor %}", "048"),
        ("{{ 2 * 3 + 2 ** 3 % 5 }} {{ 'a' * 3 + 'b' }} {{ '%5.2f' % 1.5 }} {{ 'a'.ljust(3) }}|",
         "9 aaab  1.50 a  |"),
        ("{{ ([0] * 3 + [1])|length }}", "4"),
    ],
)  # fmt: skip
def test_values_that_templates_are_given_are_written(rendered, text, made):
    assert rendered(text, port=80).text == made


class Changing(Source):
    """Everything changes each time that it is looked at."""

    looks = 0

    def get(self, path):
        self.looks += 1
        if path not in self.nodes:
            return None
        node = Node(self, path)
        node.properties = {"x": self.looks}
        node.children = [f"n{self.looks}"]
        return node

    def properties(self, path):
        self.looks += 1
        number = self.looks
        live = type("Live", (dict,), {"__getitem__": lambda *_: self.get(path).properties["x"]})
        return live(), {"x": number, "y =>": "/a x"}

    def exists(self, path):
        self.looks += 1
        return self.looks % 2 == 1

    def providers(self, path):
        self.looks += 1
        return [Provider(f"h:{self.looks}", {})]


@pytest.mark.parametrize(
    "asked",
    [
        "properties('/a').x",
        "properties('/a').y",
        "tree('/').properties.x",
        "tree('/')['a'].properties.x",
        "children('/a')|join",
        "tree('/a').children|length",
        "providers('/a')[0]",
        "exists('/a')",
    ],
)
def test_a_text_has_one_state_of_a_node(tmp_path, asked):
    turns = f"{{% for i in range(3) %}}{{{{ {asked} }}}} {{% endfor %}}"
    (tmp_path / "t.j2").write_text(turns)
    source = Changing({"/": {}, "/a": {}})
    template = Template(str(tmp_path / "t.j2"))
    first, second = (template.render(source).text for _ in range(2))
    assert len(set(first.split())) == len(set(second.split())) == 1
    if "length" not in asked and "exists" not in asked:
        assert first != second


def test_yaml_is_written_by_a_filter(rendered):
    yaml = pytest.importorskip("yaml")
    made = rendered("{{ properties('/db')|toyaml }}").text
    assert yaml.safe_load(made) == NODES["/db"]


def test_the_lengths_of_lists_are_told(rendered):
    text = "{% for p in providers('/svc/providers') %}{% endfor %}{% set x = children('/db') %}"
    assert rendered(text).counts == {"/svc/providers": 3, "/db": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n{% if %}", "t.j2:2: Expected an expression, got 'end of statement block'"),
        ("a\nb\n{{ properties('/svc').nothing }}", "t.j2:3: /svc has no property 'nothing'"),
        ("\n{{ nothing }}", "t.j2:2: 'nothing' is undefined"),
        ("\n{{ tree('/db').nothing }}",
         "t.j2:2: /db has neither a child nor an attribute 'nothing'"),
        ("\n{{ tree('/x') }}", "t.j2:2: no node: /x"),
        ("{{ providers('/svc/none') }}", "t.j2:1: 0 providers at /svc/none, and 1 needed"),
        ("{{ providers('/svc/providers', min=3) }}",
         "t.j2:1: 2 providers at /svc/providers, and 3 needed"),
        ("{{ children('/db', min=3) }}", "t.j2:1: 2 children at /db, and 3 needed"),
        ("{{ properties('/db').banner }}",
         "t.j2:1: property 'banner' of /db has a line break, or another control character, and is"
         " refused: 'two\\nlines' (lines=True accepts it)"),
        ("{{ properties('/db').values }}",
         "t.j2:1: a function, not a value: x['name'] is the property"),
        ("{{ properties('/svc').words }}", "t.j2:1: list makes no text: |json, |toyaml or |join"
         " does"),
        ("{{ properties('/svc').no }}", "t.j2:1: the value is null: |default('...', true) is for"
         " such"),
        ("{{ 1 / 0 }}", "t.j2:1: ZeroDivisionError: division by zero"),
        ("{% include 'gone.j2' %}", "t.j2:1: there is no template 'gone.j2'"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
         "t.j2:1: templates include, or macros call, each other in a circle"),
        ("{{ ''.__class__.__mro__ }}",
         "t.j2:1: access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ tree('/')._given }}", "t.j2:1: access to attribute '_given' of 'Node' object is"
         " unsafe."),
        ("{{ [tree('/')]|natural(attribute='_given') }}",
         "t.j2:1: access to attribute '_given' of 'Node' object is unsafe."),
        ("{{ properties(7) }}", "t.j2:1: a path is text, as '/a/b', or a node: '7'"),
        ("{{ exists(nothing) }}", "t.j2:1: 'nothing' is undefined"),
        ("{{ tree('/', 'x') }}", "t.j2:1: depth is a number, 0 or more: 'x'"),
        ("{{ providers('/svc/providers', min='a') }}",
         "t.j2:1: min is a number, 0 or more: 'a'"),
        ("{{ children('/db', min=-1) }}", "t.j2:1: min is a number, 0 or more: '-1'"),
        ("{{ tree.__self__ }}", "t.j2:1: access to attribute '__self__' of 'method' object is"
         " unsafe."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(fault, text, told):
    assert fault(text) == told


def test_a_mistake_in_an_included_file_names_that_one(fault, tmp_path):
    (tmp_path / "other.j2").write_text("\n\n{{ tree('/x') }}")
    assert fault("{% include 'other.j2' %}") == "other.j2:3: no node: /x"
    (tmp_path / "other.j2").write_text("\n{% if %}")
    assert fault("{% include 'other.j2' %}").startswith("other.j2:2: Expected an expression")


def test_a_template_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RenderError, match=r"gone.j2: there is no template 'gone.j2'"):
        Template(str(tmp_path / "gone.j2"))


def test_a_template_in_the_folder_of_the_process_is_named_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.j2").write_text("\n{{ x }}")
    with pytest.raises(RenderError) as raised:
        Template("t.j2").render(Source(NODES))
    assert str(raised.value) == "t.j2:2: 'x' is undefined"


def test_a_loop_gone_wrong_ends_at_a_limit(fault):
    text = f"{{% for i in range(1000) %}}{{{{ 'x' * {MAX_TEXT // 100} }}}}{{% endfor %}}"
    assert fault(text) == f"t.j2: the text has more than {MAX_TEXT} characters"


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
        "{{ m(64) }}",
        "{% for i in [1] recursive %}{{ loop([1, 1]) if loop.depth < 64 }}{% endfor %}",
        "{% set n = n|default(0) + 1 %}"
        "{% if n < 40 %}{% include 't.j2' %}{% include 't.j2' %}{% endif %}",
    ],
)
def test_a_template_that_takes_too_long_is_given_up(fault, text, monkeypatch):
    monkeypatch.setattr("zc.zk.rendering.environment.MAX_SECONDS", 0.2)
    told = fault(text)
    assert told.startswith("t.j2:1: it takes longer than 200 ms, and is given up")


def test_a_text_that_nobody_wants_any_more_is_given_up(tmp_path):
    (tmp_path / "t.j2").write_text(
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"
    )
    turns = iter([False] * 20)
    with pytest.raises(RenderError, match=r"t\.j2:1: it is ended, as this process ends"):
        Template(str(tmp_path / "t.j2")).render(Source(NODES), lambda: next(turns, True))


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 10 ** 9 }}",
        "{{ (10 ** 9 * [0])|length }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ 'x'.ljust(10 ** 9) }}",
        "{{ '1'.zfill(10 ** 9) }}",
        "{% set ns = namespace(x='xxxxxxxx') %}"
        "{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    ],
)
def test_arithmetic_makes_nothing_larger_than_a_file_may_be(fault, text):
    assert re.match(
        r"t\.j2:1: (it has more than|the number is too|a width, or a prec)", fault(text)
    )


def test_a_template_in_another_encoding_is_named_with_its_line(tmp_path):
    (tmp_path / "t.j2").write_bytes("a\ncaf\u00e9\n".encode("latin-1"))
    with pytest.raises(RenderError, match=r"t\.j2: it is no UTF-8, in line 2 of a file"):
        Template(str(tmp_path / "t.j2"))


@pytest.mark.parametrize("control", ["\n", "\r", "\0", "\x1b", "\x85", "\u2028"])
@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("{{ properties('/a').x }}", {"x": "a{}b"}),
        ("{{ properties('/a').x[0].y }}", {"x": [{"y": "a{}b"}]}),
        ("{% for name in properties('/a') %}{{ name }}{% endfor %}", {"a{}b": 1}),
        ("{{ tree('/a').properties.x }}", {"x": "a{}b"}),
        ("{{ tree('/a').links.x }}", {"x ->": "/a{}b"}),
    ],
)
def test_nobody_writes_a_line_of_their_own_by_a_value(fault, text, node, control):
    def with_control(value):
        if isinstance(value, str):
            return value.replace("{}", control)
        if isinstance(value, list):
            return [with_control(each) for each in value]
        if isinstance(value, dict):
            return {with_control(key): with_control(each) for key, each in value.items()}
        return value

    told = fault(text, nodes={"/a": with_control(node)})
    assert "has a line break, or another control character, and is refused" in told


@pytest.mark.parametrize("attribute", ["data", "properties.x", "children", "links"])
def test_nodes_that_may_not_be_read_are_errors(tmp_path, attribute):
    class Secret(Node):
        error = zookeeper.error(zookeeper.NOAUTH, "/svc")

    class Closed(Source):
        def get(self, path):
            return Secret(self, path)

    (tmp_path / "t.j2").write_text(f"{{{{ tree('/svc').{attribute} }}}}")
    with pytest.raises(RenderError, match=r"t.j2:1: not authenticated: /svc") as raised:
        Template(str(tmp_path / "t.j2")).render(Closed(NODES))
    assert isinstance(raised.value.__cause__, zookeeper.NoAuthException)


def test_a_link_that_leads_nowhere_is_an_error(tmp_path):
    class Broken(Source):
        def properties(self, path):
            class Live(dict[str, object]):
                def __getitem__(self, name):
                    raise BadPropertyLink(path, name, "no node: /x")

            return Live(), self.nodes[path]

    (tmp_path / "t.j2").write_text("{{ properties('/svc').db }}")
    with pytest.raises(RenderError, match=r"t.j2:1: .*no node: /x"):
        Template(str(tmp_path / "t.j2")).render(Broken(NODES))


def test_too_few_is_the_cause_of_the_error(rendered):
    with pytest.raises(RenderError) as raised:
        rendered("{{ providers('/svc/none') }}")
    assert isinstance(raised.value.__cause__, TooFew)
