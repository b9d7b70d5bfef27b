"""Cover and contents of the printed book, and the document that holds them and all pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.metadata import metadata
from typing import Any

from handan import address
from handan.book.pdf_pages import Printed, anchor, every_style
from handan.book.project import Project

Numbers = Mapping[str, int]


def settings(project: Project) -> dict[str, Any]:
    """Read title, authors and licence from the book's settings (``_config.yml``)."""
    import yaml

    return dict(yaml.safe_load(project.config.read_text(encoding="utf-8")))


def document(
    project: Project, parts: Sequence[Printed], numbers: Numbers, *, to_pages: str, to_root: str
) -> str:
    """Write the whole book as one HTML document.

    Parameters
    ----------
    project : Project
        Whose book it is.
    parts : list of Printed
        The pages in reading order.
    numbers : dict of str to int
        Page of the PDF on which an anchor lies; what is missing is left blank.
    to_pages, to_root : str
        Ways from the document's folder to that of the pages and to the project's.
    """
    about = settings(project)
    styles = [f"{to_pages}/{style}" for style in every_style(list(parts)) if not style.endswith("/print.css")]
    styles.append(f"{to_root}/book/static/theme/print.css")
    links = "".join(f'<link rel="stylesheet" href="{escape(style)}">\n' for style in styles)
    maths = {"ignoreHtmlClass": "book-print", "processHtmlClass": "math", "enableMenu": False}
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light">\n<head>\n'
        f'<meta charset="utf-8">\n<title>{escape(about["title"])}</title>\n{links}'
        f"<script>window.MathJax = {{options: {_script(maths)}}};</script>\n"
        f'<script src="{to_pages}/mathjax/tex-mml-chtml.js"></script>\n'
        f'</head>\n<body class="book-print">\n{cover(about)}\n{contents(project, parts, numbers)}\n'
        f"{''.join(part.html for part in parts)}\n</body>\n</html>\n"
    )


def cover(about: Mapping[str, Any], today: datetime | None = None) -> str:
    """Write the first page: title, authors, version, date, licence, and where the book is on the web.

    Parameters
    ----------
    about : dict
        The book's settings.
    today : datetime, optional
        Date of the build; now by default.
    """
    place = address.book()
    version = metadata("handan")["Version"]
    date = f"{today or datetime.now(UTC):%d %B %Y}".lstrip("0")
    licence = about.get("html", {}).get("extra_footer", "")
    return (
        f'<header class="book-cover"><p class="book-title">{escape(about["title"])}</p>'
        f'<p class="book-authors">{escape(about["author"])}</p>'
        f"<p>Version {escape(version)}, printed on {date}</p>"
        f'<p>On the web: <a href="{place}">{place}</a></p>'
        "<p>What is folded there is left out here: the code of most figures and tables, the "
        f"solutions of the exercises, and the worked answers to the questions.</p>{licence}</header>"
    )


def contents(project: Project, parts: Sequence[Printed], numbers: Numbers) -> str:
    """Write the table of contents.

    Parameters
    ----------
    project : Project
        Whose table of contents names the groups of pages.
    parts : list of Printed
        The pages.
    numbers : dict of str to int
        Page on which an anchor lies.
    """
    captions = dict(_captions(project))
    lines = []
    for part in parts:
        if part.page in captions:
            lines.append(f'<li class="book-part">{escape(captions[part.page])}</li>')
        lines.append(_line("book-page", anchor(part.page), part.title, numbers))
        lines += [_line("book-section", place, words, numbers) for place, words in part.sections]
    return (
        f'<nav class="book-contents" aria-label="Contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></nav>'
    )


def _line(kind: str, place: str, words: str, numbers: Numbers) -> str:
    number = f"<span>{numbers.get(place, '')}</span>"
    return f'<li class="{kind}"><a href="#{escape(place)}">{escape(words)}</a><i></i>{number}</li>'


def _captions(project: Project) -> Iterator[tuple[str, str]]:
    """Give the first page of each captioned group, and the caption."""
    import yaml

    toc = yaml.safe_load(project.toc.read_text(encoding="utf-8"))
    for group in toc.get("parts", []):
        if group.get("caption") and group.get("chapters"):
            yield group["chapters"][0]["file"], group["caption"]


def _script(value: Any) -> str:
    import json

    return json.dumps(value).replace("<", "\\u003c")
