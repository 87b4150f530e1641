"""The page of `isograd bench --html`: as a file, and in a headless browser where there is one."""

import json
import math
import re
from html.parser import HTMLParser

import pytest
from browser import Browser, browser_path
from fake_workers import OURS, PEER, THIRD, results, workload

from isograd.__main__ import main
from isograd.benchmarks.bench import cli
from isograd.benchmarks.bench.page import ASSETS, SCRIPTS, page
from isograd.benchmarks.bench.workload import Curve

GPU = type(OURS)("isograd", "cuda:0")
BEST = type(PEER)("torch", "cpu", "best")
VOID = {"br", "input", "link", "meta"}
LARGEST_FRAME = 64_000  # bytes of a page without its results
HOSTILE = "</script><script>hacked = 1</script><!--<script><img src=x onerror='hacked = 1'> $script"
NEEDS_BROWSER = "needs a browser on the PATH, as by: apt-get install chromium"


def times(middle):
    return [middle * (1.0 + 0.002 * i) for i in range(-2, 3)]


def sample():
    """Results with everything that a page can show, and titles that want to be more than text."""
    lengths = Curve("lengths", "a sum over its length", "n")
    chosen = [
        workload("ceiling/copy", bytes=2e9),
        workload("ceiling/matmul", flops=2e11),
        workload("matmul/forward-512", flops=2.7e8, bytes=3.1e6),
        workload("step/mlp"),
        workload("step/noisy"),
        *(workload(f"sum/{n}", curve=lengths, sizes={"n": n}) for n in (64, 256, 1024)),
        workload("overhead/plain", budget=1e-6),
    ]
    measured = {
        "ceiling/copy": {OURS: times(0.1), GPU: times(0.001)},
        "ceiling/matmul": {OURS: times(1.0), GPU: times(0.01)},
        "matmul/forward-512": {OURS: times(2e-3), PEER: times(1e-3), BEST: times(5e-4)},
        "step/mlp": {OURS: times(4e-3), GPU: times(1e-3), PEER: times(8e-3), BEST: times(6e-3)},
        "step/noisy": {OURS: [0.9, 1.0, 1.1], PEER: [1.0, 1.0, 1.0]},
        "sum/64": {OURS: times(1e-6), PEER: times(2e-6)},
        "sum/256": {OURS: times(4e-6), PEER: times(32e-6)},
        "sum/1024": {OURS: times(16e-6), PEER: times(512e-6)},
        "overhead/plain": {OURS: times(3e-6), THIRD: times(1e-6)},
    }
    found = results(measured, workloads=chosen)
    by_name = {one["name"]: one for one in found["workloads"]}
    by_name["step/noisy"]["title"] = HOSTILE
    by_name["step/noisy"]["results"]["torch cpu best"] = {"status": "failed", "reason": HOSTILE}
    return found


class Parsed(HTMLParser):
    """A page's elements: whether they are closed in turn, their attributes, scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.texts = [], [], {"script": [], "style": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.texts:
            self.texts[self.open[-1]].append(data)


# -- the file -----------------------------------------------------------------------------------


def test_every_element_of_the_page_is_closed_in_turn():
    assert Parsed(page(sample())).open == []


def test_the_results_come_back_from_the_page_whatever_stands_in_them():
    found = sample()
    scripts = Parsed(page(found)).texts["script"]
    assert len(scripts) == 2
    assert json.loads(scripts[0]) == found


def test_what_json_has_no_number_for_becomes_null():
    text = page(results({"a/one": {OURS: [1.0] * 3}}, load_average_before=math.nan))
    embedded = Parsed(text).texts["script"][0]
    assert json.loads(embedded, parse_constant=pytest.fail)["load_average_before"] is None


def test_the_page_asks_nobody_for_anything():
    text = page(sample())
    links = [value for _, name, value in Parsed(text).attributes if name in ("href", "src")]
    assert all(value.startswith("#") for value in links)
    assert set(re.findall(r"\w+://[^\"\s]*", text)) == {"http://www.w3.org/2000/svg"}  # a name
    assert not re.search(r"url\(|@import|fetch\(|import\(|XMLHttpRequest|innerHTML", text)


def test_the_page_is_its_results_and_little_more():
    found = sample()
    assert len(page(found).encode()) <= len(json.dumps(found)) + LARGEST_FRAME


def test_every_file_of_the_assets_is_in_the_page():
    assert {path.name for path in ASSETS.iterdir()} == {*SCRIPTS, "page.html", "page.css"}


def test_the_command_writes_the_page(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "run", lambda *arguments, **options: sample())
    path = tmp_path / "pages" / "bench.html"
    assert main(["bench", "--peers", "none", "--html", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == page(sample())


# -- in a browser -------------------------------------------------------------------------------

ROWS = """[...document.querySelectorAll('#table tr.line')].map(line => [
    line.closest('tbody').querySelector('[data-workload]').dataset.workload,
    [...line.querySelectorAll('td')].map(cell => cell.textContent.trim()).join(' | '),
])"""
NAMES = "[...document.querySelectorAll('[data-workload]')].map(one => one.dataset.workload)"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OVERFLOW = "document.scrollingElement.scrollWidth - innerWidth"
OVERFULL = """[...document.querySelectorAll('th, td')]
    .filter(cell => cell.scrollWidth > cell.clientWidth + 1 && !cell.closest('.scrolls, .details'))
    .map(cell => cell.textContent)"""
COMPLAINTS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    path = browser_path()
    if path is None:
        pytest.skip(NEEDS_BROWSER)
    opened = Browser(path, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def show(browser, tmp_path):
    """A function that opens a page about results; nothing may land on the console."""

    def open_page(found=None, width=1280, **features):
        path = tmp_path / "page.html"
        path.write_text(page(found or sample()), encoding="utf-8")
        browser.show(width, 900, **features)
        browser.open(path.as_uri())
        return browser

    browser.events.clear()
    yield open_page
    browser.evaluate("0")  # what the page complained of until now has arrived
    assert [event for event in browser.events if event["method"] in COMPLAINTS] == []


def choose(browser, control, value):
    browser.evaluate(f"document.getElementById('{control}').value = {json.dumps(value)}")
    browser.evaluate("document.forms[0].dispatchEvent(new Event('input'))")


def sort_by(browser, key):
    browser.evaluate(f"document.querySelector('[data-key={key}]').click()")


def text_of(browser, selector):
    return browser.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")


def test_the_browser_loads_the_page_and_nothing_else(show):
    requests = [e["params"] for e in show().events if e["method"] == "Network.requestWillBeSent"]
    assert [one["request"]["url"].rpartition("/")[2] for one in requests] == ["page.html"]


def test_at_first_each_workload_is_compared_with_the_fastest_other_library(show):
    rows = dict(show().evaluate(ROWS))
    assert rows["matmul/forward-512"].startswith("2.00 ms cpu | 500 µs torch cpu best | 4.00")
    assert rows["overhead/plain"].startswith("3.00 µs cpu | 1.00 µs numpy cpu | 3.00")


def test_a_difference_within_noise_is_marked(show):
    rows = dict(show().evaluate(ROWS))
    assert "≈" in rows["step/noisy"]
    assert "≈" not in rows["step/mlp"]


def test_a_time_whose_blocks_were_mostly_disturbed_is_marked(show):
    found = sample()
    for name, kept in (("step/mlp", 2), ("overhead/plain", 1)):  # of three blocks
        workload = next(one for one in found["workloads"] if one["name"] == name)
        workload["results"][OURS.name] |= {"blocks": [1.0] * 3, "kept_disturbed": kept}
    rows = dict(show(found).evaluate(ROWS))
    assert "4.00 ms ? isograd cpu" in rows["step/mlp"]
    assert "?" not in rows["overhead/plain"]


def test_titles_and_reasons_stay_text(show):
    browser = show()
    assert HOSTILE in browser.evaluate("document.querySelector('#table').textContent")
    assert HOSTILE in text_of(browser, "#failures")
    assert browser.evaluate("typeof hacked + document.images.length") == "undefined0"


def test_a_click_sorts_upwards_then_downwards_then_not_at_all(show):
    browser = show()
    in_file = browser.evaluate(NAMES)
    numbered = ["sum/64", "sum/256", "sum/1024"]
    for order in (numbered, numbered[::-1]):
        sort_by(browser, "name")
        assert [name for name in browser.evaluate(NAMES) if name in numbered] == order
    assert browser.evaluate(NAMES) == sorted(in_file, reverse=True, key=in_file_key)
    sort_by(browser, "name")
    assert browser.evaluate(NAMES) == in_file


def in_file_key(name):
    """Names by their letters, the numbers in them by their size."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def test_sorting_by_the_ratio_leaves_what_has_none_at_the_end(show):
    browser = show()
    choose(browser, "against", "fastest")
    sort_by(browser, "ratio")
    cells = [text.split(" | ") for _, text in browser.evaluate(ROWS)]
    ratios = [float(cell[2].split()[0]) for cell in cells if cell[2][0].isdigit()]
    assert ratios == sorted(ratios)
    assert len(ratios) > 3
    assert all(not cell[2][0].isdigit() for cell in cells[len(ratios) :])


@pytest.mark.parametrize(
    ("control", "value", "names"),
    [
        ("find", "FORWARD, noisy", {"matmul/forward-512", "step/noisy"}),
        ("find", "nothing of that name", set()),
        ("group", "step", {"step/mlp", "step/noisy"}),
        ("device", "cuda:0", {"ceiling/copy", "ceiling/matmul", "step/mlp"}),
        ("against", "torch cpu best", {"matmul/forward-512", "step/mlp", "step/noisy"}),
        ("outcome", "within noise", {"step/noisy"}),
    ],
)
def test_a_control_leaves_only_what_it_names(show, control, value, names):
    browser = show()
    choose(browser, control, value)
    rows = browser.evaluate(ROWS)
    assert {name for name, _ in rows} == names
    assert text_of(browser, "#count").startswith(f"{len(rows)} of ")


def test_the_keyboard_opens_what_was_measured_of_a_workload(show):
    browser = show()
    focused = "document.activeElement.dataset.workload"
    for _ in range(30):
        if browser.evaluate(focused) == "step/noisy":
            break
        browser.press("Tab")
    browser.press("Enter")
    assert browser.evaluate(f"{focused} + document.activeElement.ariaExpanded") == "step/noisytrue"
    assert HOSTILE in text_of(browser, ".details")
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('.details')") is None


def test_a_cost_that_grows_too_fast_is_marked(show):
    legend = text_of(show(), "#growth .legend").splitlines()
    assert [line for line in legend if "▲" in line] == ["▲ slope 2.00, steeper than 1"]


def test_the_roofline_shows_the_share_that_was_reached(show):
    browser = show()
    row = "document.querySelector('.share tbody tr').innerText.trim().split(/\\s+/).join(' ')"
    assert browser.evaluate(row) == "matmul/forward-512 matmul 135 GFLOP/s 67.5 %"
    assert browser.evaluate("document.querySelectorAll('#devices figure svg .roof').length") == 1


def test_a_budget_that_was_exceeded_is_named(show):
    assert "exceeded" in text_of(show(), "#budgets")


def test_the_page_follows_the_system_until_its_switch_is_used(show, tmp_path):
    pictures, colours = [], []
    for scheme in ("light", "dark"):
        browser = show(prefers_color_scheme=scheme)
        colours.append(browser.evaluate(BACKGROUND))
        pictures.append(browser.screenshot(tmp_path / f"{scheme}.png"))
    browser.evaluate("document.querySelector('#theme').click()")
    assert browser.evaluate(BACKGROUND) == colours[0] != colours[1]
    assert text_of(browser, "#theme") == "Dark"
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("width", [320, 800])
def test_no_screen_is_too_narrow(show, width, tmp_path):
    browser = show(width=width)
    browser.evaluate("document.querySelector('[data-workload=\"step/noisy\"]').click()")
    browser.screenshot(tmp_path / f"{width}.png")
    assert browser.evaluate(OVERFLOW) <= 0
    assert browser.evaluate(OVERFULL) == []


def test_paper_is_white_and_has_no_controls(show):
    browser = show(prefers_color_scheme="light")
    light = browser.evaluate(BACKGROUND)
    browser.show(800, 900, media="print", prefers_color_scheme="dark")
    assert browser.evaluate(BACKGROUND) == light
    assert browser.evaluate("document.forms[0].checkVisibility()") is False


def test_results_without_anything_to_compare_make_a_page_too(show):
    alone = text_of(show(results({"a/one": {OURS: times(1e-3)}})), "body")
    assert "1.00 ms" in alone
    assert "nothing to compare" in alone
    assert "0 of 0 comparisons" in text_of(show(results({"a/one": {}})), "body")


def test_a_run_that_was_stopped_says_so(show):
    found = results({"a/one": {OURS: [1.0] * 3}}, finished=False)
    assert "Stopped before the end" in text_of(show(found), "#warnings")


def test_workloads_that_a_run_had_no_time_for_are_named(show):
    found = results({"a/one": {OURS: [1.0] * 3}, "a/two": {OURS: [1.0] * 3}})
    found["workloads"][1].update(results={}, ratios=[])
    assert "because the time was up: a/two." in text_of(show(found), "#warnings")


def test_what_a_mode_means_and_what_it_tried_is_told(show):
    found = sample()
    mlp = next(one for one in found["workloads"] if one["name"] == "step/mlp")
    mlp["results"]["torch cpu best"] |= {
        "note": "compiled",
        "tried": {
            "eager": {"seconds": 2e-3, "first_call_s": 0.1},
            "compiled": {"seconds": 1e-3, "first_call_s": 4.5},
            "1 thread": {"failed": "no such thing"},
        },
    }
    browser = show(found)
    browser.evaluate("document.querySelector('#more-facts').open = true")
    assert "torch.compile" in text_of(browser, "#more-facts")
    browser.evaluate("document.querySelector('[data-workload=\"step/mlp\"]').click()")
    assert (
        "compiled, of eager 2.00 ms, compiled 1.00 ms after 4.50 s, 1 thread (no such thing)"
        in text_of(browser, ".details")
    )


def test_what_failed_everywhere_shows_its_reason(show):
    found = results({"a/one": {OURS: [1.0] * 3}})
    found["workloads"][0]["results"]["isograd cpu"] = {"status": "disagrees", "reason": "at dx"}
    browser = show(found)
    browser.evaluate("document.querySelector('[data-workload]').click()")
    assert text_of(browser, "#table").count("disagrees: at dx") == 2
