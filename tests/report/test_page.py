"""The finished page, made by the real command from tables that try to break it."""

import itertools
import re

import pytest

from handan.report.page import POLICY

from .conftest import CONTROL, FORMULA, LONG, NAMES, SCRIPT


def test_nothing_on_the_page_can_run_or_be_fetched(hostile, read):
    page = read(hostile.html)
    assert not {"script", "iframe", "object", "embed", "form", "link", "svg", "base", "input"} & set(
        page.tags
    )
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert set(page.values("href")) == {value for value in page.values("href") if value.startswith("#")}
    assert all(value.startswith("data:image/png;base64,") for value in page.values("src"))
    assert page.values("content", "meta")[0] == POLICY
    assert "default-src 'none'" in POLICY
    assert "script" not in POLICY
    assert not re.search(r"url\(|@import", hostile.html)


def test_names_are_shown_as_they_are(hostile, read):
    text = read(hostile.html).text
    assert SCRIPT in text
    assert FORMULA in text
    assert r"two\nlines \u202edlrow \x1b[31m \x07" in text
    assert "(5,000 characters)" in text
    assert "<h1>& title</h1>" in text
    assert not set(hostile.html) & {"\u202e", "\x1b", "\x07"}


def test_headings_are_in_order_and_every_link_leads_somewhere(hostile, read):
    page = read(hostile.html)
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    assert {link.removeprefix("#") for link in page.values("href")} <= set(anchors)
    assert len(page.values("href")) == hostile.html.count("<h2 id=") + 1


def test_every_picture_has_a_text_and_every_region_a_name(hostile, read):
    page = read(hostile.html)
    assert len(page.values("alt", "img")) == page.tags.count("img") > 3
    assert all(page.values("alt", "img"))
    regions = page.values("aria-label", "div")
    assert len(regions) == len(set(regions)) == page.tags.count("table")
    assert page.values("lang", "html") == ["en"]


def test_the_sections_of_an_honest_report_are_there(hostile, read):
    text = read(hostile.html).text
    for words in ("Verdicts", "Data card", "Alignment", "Gaps: what could not be computed", "Method in short",
                  "Versions, citation", "handan report", "numpy", "Intervals are"):  # fmt: skip
        assert words in text


def test_nothing_is_silently_dropped(hostile, read):
    text = read(hostile.html).text
    assert "the cost is zero" in text
    assert "the request failed" in text
    assert "3 are needed" in text
    assert "x has no variance" in text
    assert "Without a place in the lineage" in text
    models = {row["model"] for row in hostile.json["models"]}
    assert models == {*NAMES.values(), LONG, "constant", "nothing", "<b>failed"}
    used = sum(row["used"] for row in hostile.json["models"])
    lost = sum(row["n"] for row in hostile.json["left_out"])
    assert used + lost == sum(row["rows"] for row in hostile.json["models"])


def test_the_json_holds_everything_in_full(hostile):
    told = hostile.json
    assert told["schema"] == 1
    assert told["title"] == "<h1>& title</h1>"
    assert {row["file"] for row in told["inputs"]} >= {
        "costs.csv",
        "norms.csv",
        "lineage.csv",
        "reliability.csv",
    }
    assert all(len(row["sha256"]) == 64 for row in told["inputs"])
    assert {row["model"] for row in told["tables"]["alignment"]} >= {SCRIPT, FORMULA, CONTROL, LONG}
    assert set(told["silent"][0]) == {"claim", "study", "reason"}
    assert isinstance(told["skipped"], list)
    assert told["sizes"]["n_pooled"] == 100
    assert told["figures"][0]["figure"] == "Figure 1"
    assert told["command"].startswith("handan report ")


def test_messages_cannot_command_a_terminal(hostile):
    assert "\x1b" not in hostile.messages
    assert "\u202e" not in hostile.messages
    assert "Traceback" not in hostile.messages
    assert "Warning" not in hostile.messages


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_nothing_runs_and_nothing_scrolls_sideways(hostile, chromium, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: complaints.append(line.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    address = hostile.page.as_uri()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hit === undefined")
    assert [url for url in asked if url != address and not url.startswith("data:")] == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(23, 24, 27)")
    context.close()


@pytest.mark.browser
def test_the_keyboard_reaches_contents_and_tables(hostile, chromium):
    page = chromium.new_page()
    page.goto(hostile.page.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    stops = page.evaluate("[...document.querySelectorAll('[role=region]')].every(one => one.tabIndex === 0)")
    assert stops
    page.close()
