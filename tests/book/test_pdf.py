"""The miniature book, rendered by jupyter-book, as a PDF."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from handan import address
from handan.book import pdf
from handan.book.errors import BookError, CheckError
from handan.book.pdf_front import contents, cover, document, settings
from handan.book.pdf_pages import Printed, anchor, printed
from handan.book.project import Project

SECRET = "swordfish"
FOLDED = (
    f'<details class="admonition hide above-input"><summary>Show code</summary><pre>{SECRET}</pre></details>'
    f'<div class="admonition dropdown"><p class="admonition-title">Solution</p><p>{SECRET}</p></div>'
)
EXTRA = (
    f"{FOLDED}<h2 id='more'>More of it</h2><p>{'Words that fill the line. ' * 400}</p>"
    '<div class="math notranslate nohighlight">\\[t = \\frac{a}{b}\\]</div>'
    "<p>See <a href='02_costs.html#costs'>costs</a>, <a href='../slides/01_people.html'>slides</a>, "
    "<a href='../index.html#top'>start</a> and <a href='https://example.org/'>elsewhere</a>.</p>"
    "<pre>" + "a_very_long_line_of_code(" * 20 + "</pre>"
    "<table id='broad'><tr>"
    + "".join(f"<td style='white-space:nowrap'>column {i}</td>" for i in range(16))
    + "</tr></table>"
)


def add(root: Path, html: str, page: str = "notebooks/01_people") -> None:
    path = root / "_build/html" / f"{page}.html"
    path.write_text(
        path.read_text(encoding="utf-8").replace("</article>", f"{html}</article>", 1), encoding="utf-8"
    )


def write(root: Path, said: list[str]) -> Path:
    # a thread of its own: the tests' browser is driven from this one
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(pdf.write, Project(root), say=said.append).result()


@pytest.fixture(scope="module")
def made(built, tmp_path_factory):
    """A printed book, with a page that has more on it: its root, the PDF, and what was said."""
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("playwright")
    try:
        pdf.chromium()
    except BookError as error:
        pytest.skip(str(error))
    root = shutil.copytree(built[0], tmp_path_factory.mktemp("printed") / "mini")
    add(root, EXTRA)
    said: list[str] = []
    path = write(root, said)
    return root, pypdf.PdfReader(path), said


@pytest.fixture(scope="module")
def texts(made):
    return [page.extract_text() for page in made[1].pages]


def outline(entries, level=1):
    for entry in entries:
        if isinstance(entry, list):
            yield from outline(entry, level + 1)
        else:
            yield level, entry.title


def titles(root):
    project = Project(root)
    return [printed(project, page, "../html").title for page in project.pages]


@pytest.mark.browser
def test_the_cover_says_what_this_is(made, texts):
    about = settings(Project(made[0]))
    cover_text = " ".join(texts[0].split())
    for part in (about["title"], about["author"], address.book(), "CC BY 4.0", "Version", "left out here"):
        assert part in cover_text
    assert datetime.now(UTC).strftime("%Y") in cover_text


@pytest.mark.browser
def test_every_page_of_the_book_is_there_in_order(made, texts):
    root, reader, _ = made
    _, *entries = [entry for entry in reader.outline if not isinstance(entry, list)]
    starts = [reader.get_destination_page_number(entry) for entry in entries]
    assert starts == sorted(set(starts))
    for title, start in zip(titles(root), starts, strict=True):
        assert title in " ".join(texts[start].split())[: len(title) + 10]


@pytest.mark.browser
def test_bookmarks_name_pages_and_sections(made):
    root, reader, _ = made
    found = list(outline(reader.outline))
    assert [words for level, words in found if level == 1] == ["Contents", *titles(root)]
    assert (2, "More of it") in found
    assert not any("#" in words for _, words in found)


@pytest.mark.browser
def test_the_contents_give_the_page_on_which_a_heading_stands(made, texts):
    root, reader, _ = made
    lines = " ".join(texts[1].split())
    places = reader.named_destinations
    for page, title in zip(Project(root).pages, titles(root), strict=True):
        number = reader.get_destination_page_number(places[f"/{anchor(page)}"]) + 1
        assert f"{title} {number}" in lines
        assert title in texts[number - 1]


@pytest.mark.browser
def test_pages_are_numbered_but_for_the_cover(texts):
    assert [text.split()[0] == str(i) or text.split()[-1] == str(i) for i, text in enumerate(texts, 1)] == [
        False,
        *[True] * (len(texts) - 1),
    ]


@pytest.mark.browser
def test_no_page_is_blank(made, texts):
    for page, text in zip(made[1].pages, texts, strict=True):
        assert len(text.split()) > 3 or page.images


@pytest.mark.browser
def test_nothing_is_wider_than_the_paper_or_was_shrunk_with_its_page(made):
    reader = made[1]
    for page in reader.pages:
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        assert (round(width), round(height)) == (595, 842)
        starts = places(page)
        assert min(starts) >= 50
        assert max(starts) <= width - 50


def places(page):
    """Where pieces of text start on a page: points from its left edge."""
    found = []
    page.extract_text(visitor_text=lambda words, cm, tm, *_: found.append((words, cm[0] * tm[4] + cm[4])))
    return [place for words, place in found if words.strip()]


@pytest.mark.browser
def test_folded_code_and_solutions_are_left_out(texts):
    assert SECRET not in "".join(texts)
    assert "Words that fill the line." in "".join(texts)


@pytest.mark.browser
def test_links_lead_to_places_in_the_document_or_to_the_web(made):
    reader = made[1]
    inside, outside = set(), set()
    for page in reader.pages:
        for note in (one.get_object() for one in page.get("/Annots") or []):
            if "/Dest" in note:
                inside.add(str(note["/Dest"]))
            else:
                outside.add(str(note["/A"]["/URI"]))
    assert inside <= set(reader.named_destinations)
    assert f"/{anchor('notebooks/02_costs', 'costs')}" in inside
    assert {f"{address.book()}slides/01_people.html", f"{address.book()}index.html#top"} <= outside
    assert all(place.startswith("http") for place in outside)


@pytest.mark.browser
def test_the_document_is_tagged_and_has_title_and_language(made):
    root, reader, _ = made
    top = reader.trailer["/Root"]
    assert top["/Lang"] == "en"
    assert top["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in top
    about = settings(Project(root))
    assert (reader.metadata.title, reader.metadata.author) == (about["title"], about["author"])


@pytest.mark.browser
def test_progress_names_each_page_and_the_file(made):
    root, reader, said = made
    for page in Project(root).pages:
        assert any(f" {page}, " in line and line.endswith("s left") for line in said)
    assert f"{len(reader.pages)} pages in {root / '_build/html/handan.pdf'}" in said[-1]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ('<img src="../gone.png" alt="A curve">', "a picture is missing: A curve"),
        ('<div style="width:3000px">Broad.</div>', "wider than the paper: <div> Broad."),
        ('<div class="math">\\[\\frac{a}\\]</div>', "a formula has an error"),
    ],
)
def test_what_cannot_be_printed_is_named_with_its_page(made, copied, html, reason):
    add(copied, html, "notebooks/02_costs")
    with pytest.raises(CheckError) as caught:
        write(copied, [])
    (problem,) = caught.value.problems
    assert problem.startswith(f"notebooks-02_costs: {reason}")
    assert not (copied / "_build/html/handan.pdf").exists()


def test_a_page_that_was_not_rendered_is_named(copied):
    (copied / "_build/html/notebooks/02_costs.html").write_text("<p>broken</p>")
    with pytest.raises(BookError, match=r"notebooks/02_costs can't be printed: .* has no article"):
        printed(Project(copied), "notebooks/02_costs", "../html")
    (copied / "_build/html/notebooks/02_costs.html").unlink()
    with pytest.raises(BookError, match=r"notebooks/02_costs can't be printed: there is no"):
        printed(Project(copied), "notebooks/02_costs", "../html")


def test_without_a_browser_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BookError, match="apt install chromium"):
        pdf.chromium()
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "mine"))
    with pytest.raises(BookError, match=r"CHROMIUM names .*mine, but there is no such program"):
        pdf.chromium()
    browser = tmp_path / "mine"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    assert pdf.chromium() == str(browser)


def test_a_browser_that_does_not_start_is_named(monkeypatch, tmp_path, copied):
    pytest.importorskip("playwright")
    browser = tmp_path / "mine"
    browser.write_text("#!/bin/sh\nexit 1\n")
    browser.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(browser))
    with pytest.raises(BookError, match="mine does not start"):
        write(copied, [])


@pytest.mark.parametrize("package", ["playwright", "pypdf"])
def test_without_its_packages_the_message_names_the_extra(monkeypatch, copied, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BookError, match=rf"printing needs {package}: .*handan\[pdf\]"):
        pdf.write(Project(copied), say=print)


@pytest.fixture(scope="module")
def whole(built):
    project = Project(built[0])
    parts = [printed(project, page, "../html") for page in project.pages]
    html = document(project, parts, {anchor(project.pages[0]): 7}, to_pages="../html", to_root="../..")
    return project, parts, BeautifulSoup(html, "html.parser")


def test_anchors_are_unique_and_links_inside_find_theirs(whole):
    _, _, html = whole
    ids = [element["id"] for element in html.select("[id]")]
    assert len(ids) == len(set(ids))
    wanted = {link["href"][1:] for link in html.select('a[href^="#"]')}
    assert len(wanted) > 8
    assert wanted <= set(ids)


def test_the_document_runs_no_script_of_a_page_and_keeps_to_this_machine(whole):
    project, _, html = whole
    assert [script.get("src") for script in html("script")] == [None, "../html/mathjax/tex-mml-chtml.js"]
    here = project.build / "pdf"
    loaded = [link["href"] for link in html.select("link[href]")] + [image["src"] for image in html("img")]
    assert loaded[-1].startswith("data:")
    for name in loaded:
        assert name.startswith("data:") or (here / name).resolve().exists(), name
    assert loaded.count("../../book/static/theme/print.css") == 1
    assert not html.select("button, a.headerlink, details, iframe, form")


def test_the_contents_list_groups_pages_and_sections(whole, cards):
    project, parts, _ = whole
    listed = BeautifulSoup(contents(project, parts, {anchor(parts[0].page): 7}), "html.parser")
    assert [line.text for line in listed.select(".book-part")] == ["Chapters", "More"]
    assert [link.text for link in listed.select(".book-page a")] == [part.title for part in parts]
    assert listed.select_one(".book-page span").text == "7"
    shown = next(part for part in parts if part.page == "book/data_cards")
    assert [words for _, words in shown.sections] == [title for title, _ in cards]


def test_the_cover_writes_the_date_and_escapes_the_title():
    html = cover({"title": "<b>", "author": "A & B"}, datetime(2026, 3, 5, tzinfo=UTC))
    assert "printed on 5 March 2026" in html
    assert "&lt;b&gt;" in html
    assert "A &amp; B" in html


@pytest.mark.browser
def test_a_dark_page_is_printed_on_white(built, chromium):
    tab = chromium.new_page()
    tab.goto((built[0] / "_build/html/notebooks/01_people.html").as_uri())
    tab.evaluate("document.documentElement.dataset.theme = document.documentElement.dataset.mode = 'dark'")
    tab.add_style_tag(path=built[0] / "book/static/theme/print.css")
    look = "e => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector(e)).color]"
    dark = tab.evaluate(look, ".bd-article p")
    tab.emulate_media(media="print")
    light = tab.evaluate(look, ".bd-article p")
    token = tab.evaluate(look, ".highlight span.n")
    assert tab.locator(".bd-sidebar-primary").first.is_hidden()
    tab.close()
    assert dark != light == token == ["rgb(255, 255, 255)", "rgb(29, 39, 48)"]


def test_bookmarks_get_back_the_spaces_that_line_breaks_took():
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    chapter = writer.add_outline_item("Less than theteacher?", 0)
    writer.add_outline_item("Every pair", 0, parent=chapter)
    writer.add_outline_item("Pooled overpairs", 0, parent=chapter)
    writer.add_outline_item("Contents", 0)
    sections = [("a", "Every pair"), ("b", "Pooled\nover pairs")]
    pdf._mend_bookmarks(writer, [Printed("notebooks/x", "Less than the teacher?", sections, "", [])])
    written = BytesIO()
    writer.write(written)
    found = [words for _, words in outline(pypdf.PdfReader(written).outline)]
    assert found == ["Less than the teacher?", "Every pair", "Pooled over pairs", "Contents"]
