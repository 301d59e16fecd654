"""The diagram is moved, enlarged and fitted in, by mouse, fingers and keys, also on a phone."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.browse.chromium import Browser, needs_browser
from tests.deadlines import wait_until
from zc.zk.graphvis import labels

pytestmark = [
    needs_browser,
    pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed"),
]


@pytest.fixture
def diagram(browser):
    browser.open()
    browser.wait_for("#outline .name", "shop")
    browser.click("#tab-diagram")
    browser.wait_for("#diagram-view g.node", "mailer")
    yield browser
    browser.resize(1280, 900)


def part(browser) -> list[float]:
    """Return what is in sight: x, y, width and height in the picture."""
    text = browser.evaluate("document.querySelector('.pane svg').getAttribute('viewBox')")
    return [float(each) for each in text.split()]


def is_in_sight(browser) -> bool:
    """Return whether all boxes are within the pane."""
    return browser.evaluate(
        "(() => { const pane = document.querySelector('.pane').getBoundingClientRect();"
        "  return [...document.querySelectorAll('.pane g.node')].every((node) => {"
        "    const box = node.getBoundingClientRect();"
        "    return box.left >= pane.left && box.right <= pane.right && box.top >= pane.top"
        "      && box.bottom <= pane.bottom; }); })()"
    )


def mouse(browser, kind, x, y, **more):
    event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1, **more}
    browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def centre(browser, selector) -> tuple[float, float]:
    x, y = browser.evaluate(
        "(() => { const { left, top, width, height } ="
        "  document.querySelector(arguments[0]).getBoundingClientRect();"
        "  return [left + width / 2, top + height / 2]; })()".replace(
            "arguments[0]", repr(selector)
        )
    )
    return x, y


def test_it_begins_whole_where_it_can_be_read(diagram):
    assert is_in_sight(diagram)
    assert diagram.find("#diagram-view text[textLength]") == [], "labels fit into their boxes"
    assert diagram.complaints() == []


def test_there_is_room_in_the_widest_usual_font(browser):
    characters = "".join(map(chr, range(32, 127))) + "éüßçñøåÉÜ"
    texts = [*characters, characters, "payment-gateway", "MAIL_STORE", "10.0.0.1:8080"]
    for weight in "normal", "bold":
        widths = browser.evaluate(
            "(() => { const context = document.createElement('canvas').getContext('2d');"
            f"  context.font = '{weight} 100px \"DejaVu Sans\"';"
            "  return arguments[0].map((text) => context.measureText(text).width); })()".replace(
                "arguments[0]", json.dumps(texts)
            )
        )
        short = [
            text
            for text, width in zip(texts, widths, strict=True)
            if width > labels.inches(text, 100) * labels.POINTS_PER_INCH + 0.5
        ]
        assert short == []


def test_buttons_and_keys_enlarge_move_and_fit(diagram):
    whole = part(diagram)
    diagram.click(".tools button", "+")
    assert part(diagram)[2] == pytest.approx(whole[2] / 1.3, rel=1e-3)
    diagram.click(".tools button", "−")
    assert part(diagram)[2] == pytest.approx(whole[2], rel=1e-3)
    diagram.evaluate("document.querySelector('.pane').focus()")
    diagram.press("+", "+", "ARROW_RIGHT", "ARROW_DOWN")
    assert part(diagram)[0] > whole[0]
    diagram.press("0")
    assert is_in_sight(diagram)
    diagram.click(".tools button", "+")
    diagram.click(".tools button", "+")
    diagram.click(".tools button", "+")
    assert not is_in_sight(diagram)
    diagram.click(".tools button", "Fit")
    assert is_in_sight(diagram)


def test_the_wheel_enlarges_around_the_pointer_and_a_drag_moves(diagram):
    x, y = centre(diagram, ".pane a[href='#/shop']")
    whole = part(diagram)
    mouse(diagram, "mouseWheel", x, y, deltaX=0, deltaY=-500)
    wait_until(lambda: part(diagram)[2] < whole[2] / 1.5, "it is enlarged")
    after_x, after_y = centre(diagram, ".pane a[href='#/shop']")
    assert [after_x, after_y] == pytest.approx([x, y], abs=3)
    before = part(diagram)
    mouse(diagram, "mousePressed", x, y)
    for step in range(1, 6):
        mouse(diagram, "mouseMoved", x - step * 20, y + step * 10, buttons=1)
    mouse(diagram, "mouseReleased", x - 100, y + 50)
    assert part(diagram)[0] > before[0]
    assert part(diagram)[1] < before[1]
    # A drag that begins on a box does not open it; a click does.
    assert diagram.evaluate("location.hash") == "#diagram"
    x, y = centre(diagram, ".pane a[href='#/shop']")
    mouse(diagram, "mousePressed", x, y)
    mouse(diagram, "mouseReleased", x, y)
    diagram.wait_for("#details h2", "/shop")


def test_it_stays_where_it_was_moved_when_the_picture_changes(diagram, zk):
    diagram.click(".tools button", "+")
    before = part(diagram)
    zk.register_server("/orders/mailer/providers", "10.0.4.1:25")
    diagram.wait_until_gone("#diagram-view g.node", "no providers")
    assert part(diagram) == pytest.approx(before)
    assert diagram.evaluate("document.activeElement.title") == "Zoom in", "the focus stays, too"


def test_on_a_phone_it_can_be_read_and_two_fingers_enlarge(diagram):
    diagram.resize(390, 844)
    wait_until(lambda: 0 < part(diagram)[2] < 600, lambda: f"it can be read: {part(diagram)}")
    assert diagram.evaluate("document.documentElement.scrollWidth") == 390
    before = part(diagram)
    x, y = centre(diagram, ".pane")

    def touch(kind, *points):
        diagram.driver.execute_cdp_cmd(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": a, "y": b, "id": n} for n, (a, b) in
                                           enumerate(points)]},
        )  # fmt: skip

    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in 30, 45, 60, 80:
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    wait_until(lambda: part(diagram)[2] < before[2] / 2, lambda: f"enlarged: {part(diagram)}")
    moved = part(diagram)
    touch("touchStart", (x, y))
    for step in 20, 40, 60:
        touch("touchMove", (x - step, y - step))
    touch("touchEnd")
    wait_until(lambda: part(diagram)[0] > moved[0], "one finger moves it")
    diagram.click(".tools button", "Fit")
    assert is_in_sight(diagram)


def test_a_box_that_the_tab_key_comes_to_is_moved_into_sight(diagram):
    for _ in range(6):
        diagram.click(".tools button", "+")
    diagram.evaluate("document.querySelector('.pane').focus()")
    count = len(diagram.find(".pane a"))
    for _ in range(count):
        diagram.press("TAB")
        x, y = diagram.evaluate(
            "(() => { const box = document.activeElement.getBoundingClientRect();"
            "  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2]; })()"
        )
        assert 0 < x < 1280
        assert 0 < y < 900
    diagram.press("ENTER")
    diagram.wait_for("#details h2", "/")


def test_five_thousand_services_are_groups_and_then_a_list(driver, site, zk):
    services = "".join(f"  /s{number}\n    /providers\n" for number in range(2500))
    zk.import_tree(f"/eu\n{services}/us\n{services}")
    browser = Browser(driver, site.url)
    browser.open()
    browser.wait_for("#status.good", "127.0.0.1:")
    browser.wait_for("#findings", "5,000", 30)
    browser.click("#tab-diagram")
    browser.wait_for("#diagram-view g.node", "2,500 services", 30)
    browser.click(".pane a", "us")
    browser.wait_for("#diagram-view .empty", "Too many for a picture: 2,500 services", 30)
    cells = browser.texts("#diagram-view tbody td:first-child")
    assert cells[:3] == ["/us/s0", "/us/s1", "/us/s2"]
    assert browser.texts("#diagram-view tbody td.odd")[0] == "0"
    browser.click("#diagram-view .more")
    browser.wait_for("#diagram-view .more", "2,100 more rows")
    browser.click(".crumbs a", "all")
    browser.wait_for("#diagram-view g.node", "2,500 services")
    assert browser.complaints() == []
    driver.get("about:blank")
