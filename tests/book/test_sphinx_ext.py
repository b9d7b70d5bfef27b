import re
import tomllib
from html.parser import HTMLParser

import pytest

from handan import address
from handan.book.project import find_project
from handan.book.sphinx_ext import citation


class Heads(HTMLParser):
    """The meta and link elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.meta, self.link = {}, {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "meta" and "property" in given:
            self.meta[given["property"]] = given["content"]
        if tag == "link":
            self.link.setdefault(given.get("rel"), given.get("href"))


@pytest.fixture(scope="module")
def pages(built):
    project = find_project(built[0])
    return {name: (project.html / f"{name}.html").read_text() for name in project.pages}


def test_every_page_says_how_to_cite_it(pages, root):
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    for name, text in pages.items():
        (block,) = re.findall(r'<details class="handan-cite">.*?</details>', text, re.S)
        assert address.book(name) in block
        assert f"Version {version}" in block
        assert re.search(r"@inbook\{handan\d{4}-[\w-]+,", block)


def test_link_previews_have_the_published_address_and_the_card(pages, built):
    for name, text in pages.items():
        heads = Heads(text)
        assert heads.meta["og:url"] == address.book(name)
        assert heads.meta["og:image"] == address.book() + "_static/card.png"
        assert heads.meta["og:image:alt"]
        assert heads.link["canonical"] == address.book(name)
        for rel in ("icon", "apple-touch-icon"):
            target = (find_project(built[0]).html / f"{name}.html").parent / heads.link[rel]
            assert target.resolve().exists(), (name, rel)
    assert (find_project(built[0]).html / "_static/card.png").exists()


def test_a_title_is_text_in_the_entry_and_on_the_page():
    html = citation("notebooks/x", "Raw &lt;b&gt; <em>tokens</em> &amp; time_1", 2026)
    assert "title = {Raw &lt;b&gt; tokens \\&amp; time\\_1}" in html
    assert "<b>" not in html


def test_nothing_of_live_code_is_left(pages):
    assert not any("THEBE_JS_URL" in text for text in pages.values())


def test_without_a_pdf_none_is_offered(pages):
    assert not any("handan.pdf" in text for text in pages.values())
