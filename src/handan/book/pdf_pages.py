"""The rendered pages as parts of one document: unique ids, links that lead inside, nothing that is folded."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from handan import address
from handan.book.errors import BookError
from handan.book.project import Project

if TYPE_CHECKING:
    from bs4 import Tag

# Closed details are folded code, folded solutions and folded notes; a script has already done its work.
_UNPRINTED = (
    "script, button, form, iframe, dialog, a.headerlink, .handan-launch, .handan-foot, .handan-explorer, "
    "details:not([open]), .admonition.dropdown, .toggle-details__summary, .prev-next-footer, .d-print-none"
)
_POINTING = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")


@dataclass(frozen=True)
class Printed:
    """A page of the book as a part of the document.

    Attributes
    ----------
    page : str
        Its name, ``notebooks/04_alignment``.
    title : str
        Its heading.
    sections : list of (str, str)
        Anchor in the document and heading of each section.
    html : str
        One ``article`` element.
    styles : list of str
        Style sheets that it needs, relative to the folder of the pages.
    """

    page: str
    title: str
    sections: list[tuple[str, str]]
    html: str
    styles: list[str]


def anchor(page: str, fragment: str = "") -> str:
    """Name the place of a page in the document, or of an anchor on that page."""
    start = page.replace("/", "-")
    return f"{start}--{fragment}" if fragment else start


def printed(project: Project, page: str, to_pages: str) -> Printed:
    """Make a rendered page a part of the document.

    Parameters
    ----------
    project : Project
        Whose pages have been rendered.
    page : str
        Name of the page.
    to_pages : str
        Way from the document's folder to that of the pages, ``../html``.

    Raises
    ------
    BookError
        When the page was not rendered, or has no article or no heading.
    """
    from bs4 import BeautifulSoup

    path = project.html / f"{page}.html"
    if not path.exists():
        raise BookError(f"{page} can't be printed: there is no {path}; run `handan book` first")
    whole = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    article = whole.find("article", class_="bd-article")
    if article is None or article.h1 is None:
        raise BookError(f"{page} can't be printed: {path} has no article with a heading; render it again")
    styles = [_from_root(page, str(link["href"])) for link in whole.select('link[rel~="stylesheet"]')]
    _leave_out(article)
    _links(article, page, set(project.pages))
    for element in article.select("[src]"):
        if not urlsplit(str(element["src"])).scheme:
            element["src"] = f"{to_pages}/{_from_root(page, str(element['src']))}"
    _names(article, page)
    article["id"] = anchor(page)
    sections = [(_named(heading), _words(heading)) for heading in article.find_all("h2")]
    kept = [style for style in styles if not urlsplit(style).scheme]
    return Printed(page, _words(article.h1), [s for s in sections if s[0]], str(article), kept)


def _leave_out(article: Tag) -> None:
    for element in article.select("noscript"):
        element.unwrap()
    for element in article.select(_UNPRINTED):
        element.decompose()
    for link in article.select('link[rel~="stylesheet"]'):
        link.extract()
    for cell in article.select("div.cell"):
        if not cell.get_text(strip=True) and cell.find(["img", "svg"]) is None:
            cell.decompose()


def _links(article: Tag, page: str, pages: set[str]) -> None:
    for link in article.select("a[href]"):
        link["href"] = _target(str(link["href"]), page, pages)
        del link["download"]


def _target(href: str, page: str, pages: set[str]) -> str:
    """Lead a link to a place in the document where it has one, and to the published book where not."""
    parts = urlsplit(href)
    if parts.scheme == "data":
        return address.book(page)
    if parts.scheme or parts.netloc:
        return href
    # a browser takes #top as the page's top
    fragment = "" if parts.fragment == "top" else unquote(parts.fragment)
    if not parts.path:
        return f"#{anchor(page, fragment)}"
    path = _from_root(page, href)
    name = str(PurePosixPath(path).with_suffix("")) if path.endswith(".html") else path
    if name in pages:
        return f"#{anchor(name, fragment)}"
    return f"{address.book()}{path}" + (f"#{parts.fragment}" if parts.fragment else "")


def _names(article: Tag, page: str) -> None:
    for element in article.select("[id]"):
        element["id"] = anchor(page, str(element["id"]))
    for name in _POINTING:
        for element in article.select(f"[{name}]"):
            element[name] = " ".join(anchor(page, one) for one in _listed(element[name]))


def _named(heading: Tag) -> str:
    """Find the anchor of a heading: its own, or that of the section which it opens."""
    if heading.get("id"):
        return str(heading["id"])
    section = heading.find_parent("section")
    return str(section["id"]) if section is not None and section.get("id") else ""


def _from_root(page: str, href: str) -> str:
    path = unquote(urlsplit(href).path)
    return (
        href if urlsplit(href).scheme else posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    )


def _words(heading: Tag) -> str:
    return " ".join(heading.get_text().split())


def _listed(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else list(value)


def every_style(parts: list[Printed]) -> list[str]:
    """List the style sheets of all pages once each, in the order of their first use."""
    found: Mapping[str, None] = dict.fromkeys(style for part in parts for style in part.styles)
    return list(found)
