"""A Sphinx extension with what the pages of this book need beside their theme.

It takes out what jupyter-book loads for live code, which the book does not offer: the script
that defines its address is put on every page twice, which browsers report as an error, and
names a foreign server. It takes out labels of the theme that contradict the words beside
them, which people hear in place of the words. It gives link previews the address of the
published book, and puts below each page how to cite it.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from html import escape, unescape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from handan import address

_UNWANTED = "thebe"
# Set to 1 by the builder where it makes a PDF beside the pages.
PDF = "HANDAN_PDF"
PDF_NAME = "handan.pdf"
CARD = "_static/card.png"
_EXPLORER = '<div class="handan-explorer'
_ICON = "_static/apple-touch-icon.png"
# What is taken out of every page: a label that is not what stands there, a tooltip on a picture
# inside of a labelled button, and the role of a list whose children are no list items.
_UNFIT = (
    re.compile(r'(?<=<summary) aria-label="[^"]*"'),
    re.compile(r'(?<=search-button__button pst-js-only" title="Search") aria-label="Search"'),
    re.compile(r'(?<=<i class="theme-switch)([^>]*?) title="[^"]*"'),
    re.compile(r'(?<=<div) role="list"(?= class="citation-list")'),
    # Half of what a page weighs: icons as a script. They come as a font already.
    re.compile(r"<script[^>]*scripts/fontawesome\.js[^>]*></script>"),
    re.compile(r"<link[^>]*scripts/fontawesome\.js[^>]*>"),
)
_ACTIVE, _BACKSLASH = re.compile(r"([&%$#_{}])"), r"\\\1"  # characters that mean something to LaTeX
_CARD_ALT = "Mimicry or mastery? Do distilled reasoning models keep their teachers' sense of effort?"


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx; called by it."""
    app.connect("config-inited", _addresses)
    # after all other extensions have added their scripts
    app.connect("html-page-context", _drop, priority=950)
    app.connect("html-page-context", _add)
    app.connect("build-finished", _mend)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}


def citation(page: str, title: str, year: int) -> str:
    """Write how to cite a page, as HTML that is folded until it is asked for.

    Parameters
    ----------
    page : str
        Name of the page, ``notebooks/04_alignment``.
    title : str
        Its title; may hold markup of Sphinx's own, which is kept.
    year : int
        Of this edition.
    """
    where, edition = address.book(page), version("handan")
    key = f"handan{year}-{page.rsplit('/', maxsplit=1)[-1]}".replace("_", "-")
    fields = {
        "author": "{The handan authors}",
        "title": f"{{{_ACTIVE.sub(_BACKSLASH, _plain(title))}}}",
        "booktitle": "{Mimicry or mastery? A literate reproduction of arXiv:2601.05019}",
        "year": f"{{{year}}}",
        "edition": f"{{Version {edition}}}",
        "url": f"{{{where}}}",
    }
    entry = "\n".join([f"@inbook{{{key},", *(f"  {k} = {v}," for k, v in fields.items()), "}"])
    return (
        '<details class="handan-cite"><summary>Cite this page</summary>'
        f"<p>The handan authors ({year}). {title}. In <cite>Mimicry or mastery?</cite> "
        f'(version {escape(edition)}). <a href="{escape(where)}">{escape(where)}</a></p>'
        f'<pre tabindex="0" aria-label="BibTeX entry">{escape(entry)}</pre></details>'
    )


def _addresses(_app: Any, config: Any) -> None:
    config.html_baseurl = address.book()
    config.ogp_site_url = address.book()
    config.ogp_image = address.book() + CARD
    config.ogp_image_alt = _CARD_ALT
    # the extension would draw a card per page, with a font that it fetches
    config.ogp_social_cards = {"enable": False}


def _add(app: Any, page: str, _template: str, context: dict[str, Any], doctree: Any) -> None:
    if doctree is None:  # search, index
        return
    if _EXPLORER in context.get("body", ""):
        app.add_css_file("explorer.css")
        # in this order, once the page is read
        for script in ("../plotly/plotly-basic.min.js", "explorer.js"):
            app.add_js_file(script, loading_method="defer")
    pathto = context["pathto"]
    icon = f'<link rel="apple-touch-icon" href="{pathto(_ICON, 1)}">'
    context["metatags"] = context.get("metatags", "") + icon
    foot = citation(page, context.get("title", ""), datetime.now(UTC).year)
    if os.environ.get(PDF):
        link = f'<a href="{pathto(PDF_NAME, 1)}" download>The whole book as a PDF</a>'
        foot += f'<p class="handan-pdf">{link}</p>'
    context["body"] = context.get("body", "") + f'<div class="handan-foot">{foot}</div>'


def _mend(app: Any, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = before = path.read_text(encoding="utf-8")
        for pattern in _UNFIT:
            text = pattern.sub(lambda found: "".join(found.groups()), text)
        if text != before:
            path.write_text(text, encoding="utf-8")


def _drop(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context.get(kind, []) if not _unwanted(asset)]


def _unwanted(asset: Any) -> bool:
    body = getattr(asset, "attributes", {}).get("body") or ""
    return _UNWANTED in f"{getattr(asset, 'filename', asset)} {body}".lower()


def _plain(title: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", title))
