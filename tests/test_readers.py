"""Can everybody read the pages? axe-core, the keyboard, dark, narrow and printed."""

import json
import os
import shutil
import subprocess
import tarfile

import pytest
from tests.explorer import checks

from handan.book.build import build
from handan.book.project import find_project
from handan.cards import cards
from handan.explorer.page import PAGE

pytestmark = pytest.mark.browser
AXE = "4.14.1"
# What axe calls serious or critical keeps somebody from reading or operating the page.
GRAVE = {"serious", "critical"}
FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  return {what: at.outerHTML.slice(0, 160), ring, seen: box.width > 0 && box.height > 0};
}"""


@pytest.fixture(scope="module")
def site(root, serve):
    build(root, cards=cards(), say=lambda line: None)
    return serve(root / "_build/html")


def absent(why):
    """Skip, or fail where REQUIRE_AXE says that a check that can't be made is a failure."""
    (pytest.fail if os.environ.get("REQUIRE_AXE") else pytest.skip)(why)


@pytest.fixture(scope="module")
def axe(root):
    """axe-core from the npm registry, fetched once."""
    folder = root / "_build" / "npm"
    script = folder / f"axe-{AXE}.min.js"
    if not script.exists():
        if shutil.which("npm") is None:
            absent("npm is not installed, so axe-core can't be fetched")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", f"axe-core@{AXE}", "--silent", "--pack-destination", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            absent(f"axe-core can't be fetched from the npm registry: {done.stderr[-200:]}")
        with tarfile.open(folder / f"axe-core-{AXE}.tgz") as archive:
            script.write_bytes(archive.extractfile("package/axe.min.js").read())
    return script


@pytest.fixture
def explorer(site, chromium):
    """Open the explorer at a width; at the end nothing may have been complained about."""
    contexts, complaints = [], []

    def open_at(width):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 800}))
        page = contexts[0].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(f"{site}/{PAGE}.html")
        page.wait_for_selector(".explorer-ready")
        return page

    yield open_at
    contexts[0].close()
    assert complaints == []


def pages_of(root):
    return find_project(root).pages


def violations(page, axe):
    page.add_script_tag(path=str(axe))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{one['impact']} {one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave(root, site, axe, chromium, scheme):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    problems = {}
    for name in pages_of(root):
        page.goto(f"{site}/{name}.html")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        if found := violations(page, axe):
            problems[name] = found
    context.close()
    assert not problems, json.dumps(problems, indent=1)


def test_axe_does_find_what_is_wrong(axe, chromium):
    page = chromium.new_page()
    page.set_content("<html lang=en><title>t</title><body><img src='data:,'><button></button></body></html>")
    assert len(violations(page, axe)) == 2
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_reached_by_tab_shows_that_it_is(root, site, visitor, width):
    problems = {}
    with visitor(site, width) as open_page:
        for name in pages_of(root):
            page, _, _ = open_page(name)
            stops = []
            for _ in range(45):
                page.keyboard.press("Tab")
                stops.append(page.evaluate(FOCUS))
            reached = [stop for stop in stops if stop]
            assert len(reached) > 5, name
            if bad := {stop["what"] for stop in reached if not (stop["ring"] and stop["seen"])}:
                problems[name] = sorted(bad)
    assert not problems, json.dumps(problems, indent=1)


def test_every_figure_says_what_it_shows(root, site, visitor):
    with visitor(site, 1280) as open_page:
        for name in pages_of(root):
            page, _, _ = open_page(name)
            alts = page.eval_on_selector_all("main img", "all => all.map(one => one.alt.trim())")
            assert all(len(alt) > 20 for alt in alts), name
            plots = page.locator("main .js-plotly-plot").all()
            labels = [
                plot.get_attribute("aria-label") for plot in plots if plot.get_attribute("role") == "img"
            ]
            assert len(labels) == len(plots), name
            assert all(label and len(label) > 20 for label in labels), name


def test_on_paper_there_is_the_text_and_nothing_to_press(root, site, chromium):
    page = chromium.new_page()
    page.emulate_media(media="print")
    for name in pages_of(root):
        page.goto(f"{site}/{name}.html")
        shown = page.eval_on_selector_all(
            ".bd-sidebar-primary, .bd-header-article, .prev-next-footer, .handan-launch, .handan-foot, button.copybtn",
            "all => all.filter(one => one.offsetParent !== null).length",
        )
        assert shown == 0, name
        assert page.locator("h1:visible").count() == 1, name
    page.close()


def test_pages_lead_to_one_another(root, site, visitor):
    """Previous, next, and a search that finds a word of the book without a server."""
    names = pages_of(root)
    with visitor(site, 1280) as open_page:
        page, _, _ = open_page(names[0])
        for name in names[1:]:
            page.click("a.right-next")
            page.wait_for_url(f"**/{name}.html")
        for name in reversed(names[:-1]):
            page.click("a.left-prev")
            page.wait_for_url(f"**/{name}.html")
        page.goto(f"{site}/search.html?q=reliability")
        page.wait_for_selector("#search-results li")
        found = page.eval_on_selector_all("#search-results li a", "all => all.map(one => one.href)")
        assert any("01_people" in link for link in found)


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_the_explorer_of_the_book(explorer, check):
    check(explorer(1280))


@pytest.mark.parametrize("check", checks.NARROW, ids=lambda check: check.__name__)
def test_the_explorer_of_the_book_on_a_phone(explorer, check):
    check(explorer(390))


def test_the_explorer_is_not_heavy(site, chromium):
    page = chromium.new_page()
    assert checks.bytes_loaded(page, f"{site}/{PAGE}.html") < checks.MOST
    page.close()


def test_only_the_explorer_loads_the_plotting_library(root, site):
    html = root / "_build/html"
    pages = {name: (html / f"{name}.html").read_text(encoding="utf-8") for name in pages_of(root)}
    assert [name for name, text in pages.items() if "plotly-basic.min.js" in text] == [PAGE]


def test_a_solution_is_folded_until_it_is_asked_for(site, visitor):
    with visitor(site, 1280) as open_page:
        page, _, _ = open_page("notebooks/04_alignment")
        summary = page.locator("summary", has_text="Show the solution").first
        code = summary.locator("xpath=..").locator("pre").first
        assert not code.is_visible()
        summary.focus()
        page.keyboard.press("Enter")
        code.wait_for(state="visible")
        text = page.locator("main").inner_text()
        assert "BEGIN SOLUTION" not in text
        assert "key(" not in text


def test_what_a_page_offers_for_download_is_there(root, site, visitor):
    with visitor(site, 1280) as open_page:
        page, _, _ = open_page("notebooks/05_collapse")
        for words, start in [("Notebook", "{"), ("With solutions", "{"), ("Slides", "<!DOCTYPE html>")]:
            target = page.locator(".handan-launch a", has_text=words).first.get_attribute("href")
            body = page.request.get(f"{site}/notebooks/{target}").text()
            assert body.startswith(start), words
        assert "### BEGIN SOLUTION" not in page.request.get(f"{site}/course/student/05_collapse.ipynb").text()
