"""The explorer in a real browser, on a page that holds little else."""

import pytest
from tests.explorer import checks
from tests.explorer.made_up import ITEMS, MODELS, write_site

from handan import address
from handan.explorer.page import PAGE

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(request, site, serve, visitor):
    """A page with the explorer at 1280 px, or at the width that a test asks for."""
    with visitor(serve(site), getattr(request, "param", 1280)) as open_page:
        page, outside, complaints = open_page(PAGE)
        page.wait_for_selector(".explorer-ready")
        yield page
        assert (outside, complaints) == ([], [])


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_the_explorer(visit, check):
    check(visit)


@pytest.mark.parametrize("visit", [390], indirect=True)
@pytest.mark.parametrize("check", checks.NARROW, ids=lambda check: check.__name__)
def test_on_a_phone(visit, check):
    check(visit)


def test_what_things_are_called_does_nothing(visit):
    checks.choose(visit, study="<u>study</u>")
    assert visit.locator("#explorer-model option").all_inner_texts()[0] == f"{MODELS[0]} (teacher)"
    assert sorted(checks.listed(visit)) == sorted(ITEMS)
    for model in MODELS:
        checks.choose(visit, model=model)
        assert checks.numbers(visit)[0].startswith(f"{model}, <i>task</i>: n\u00a0=\u00a0{len(ITEMS)} items")
        _, _, _, text = checks.hover(visit)
        assert model in text
        assert "human <b>time</b>" in text
    for item in ITEMS[:5]:
        visit.fill("#explorer-find", item)
        visit.locator("#explorer-items [role=option]").first.click()
        assert checks.opened(visit) == item
    title = visit.locator(".explorer-plot .xtitle").text_content()
    assert title == "human <b>time</b> (s, log scale)"
    assert visit.locator(".handan-explorer :is(img, b, u, i, em, script)").count() == 0
    assert visit.locator(".explorer-plot svg :is(a, image)").count() == 0
    assert visit.evaluate("window.hacked") is None


def test_a_trace_stays_text(visit):
    checks.traces_stand_side_by_side(visit)
    assert "</script><img src=x onerror" in visit.locator(".explorer-traces").inner_text()
    assert visit.evaluate("window.hacked") is None


def test_it_works_from_a_folder_and_nothing_is_too_large(chromium, site):
    page = chromium.new_page()
    problems = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    size = checks.bytes_loaded(page, (site / f"{PAGE}.html").as_uri())
    checks.the_address_holds_the_view(page)
    page.close()
    assert problems == []
    assert 1_000_000 < size < checks.MOST


def test_without_scripts_a_link_is_seen_in_place_of_the_plot(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / f"{PAGE}.html").as_uri())
    link = page.locator(".handan-explorer a")
    assert link.is_visible()
    assert link.get_attribute("href") == address.book(PAGE)
    assert page.locator(".handan-explorer").inner_text().startswith("Here the book's page")
    context.close()


def test_in_a_notebook_without_the_book_s_scripts_the_link_is_seen(chromium, root, site, tmp_path):
    explorer = (site / f"{PAGE}.html").read_text().split("<h2>Look around</h2>")[1].split("<figure")[0]
    folder = write_site(root, tmp_path / "html", explorer)
    (folder / "plotly/plotly-basic.min.js").write_text("")
    page = chromium.new_page()
    page.goto((folder / f"{PAGE}.html").as_uri())
    page.wait_for_load_state("load")
    assert page.locator(".handan-explorer a").is_visible()
    assert page.locator(".explorer-plot").count() == 0
    page.close()
