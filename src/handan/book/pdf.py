"""The book as one PDF: all pages in reading order, printed by a Chromium that is installed.

The pages are put together first and printed as one document. So the browser itself makes
the bookmarks, the links between chapters and the tags for screen readers.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan.book.errors import BookError, CheckError
from handan.book.pdf_front import Numbers, document, settings
from handan.book.pdf_pages import Printed, printed
from handan.book.project import Project
from handan.book.sphinx_ext import PDF_NAME

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pypdf import PdfReader, PdfWriter

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# From this version on Chromium writes page numbers into the margin.
_OLDEST = 131
# A4 less the margins of print.css (18 mm at each side), in pixels of 1/96 inch.
_COLUMN = int((210 - 2 * 18) / 25.4 * 96)
_MOST_PASSES = 4


def write(project: Project, *, say: Callable[[str], None]) -> Path:
    """Print the rendered book.

    Parameters
    ----------
    project : Project
        Whose pages have been rendered.
    say : callable
        Receives progress, a line at a time.

    Returns
    -------
    Path
        ``_build/html/handan.pdf``.

    Raises
    ------
    BookError
        When there is no Chromium or no package to drive it, or a page is missing.
    CheckError
        When a page can't be printed as it is; names each.
    """
    _require()
    executable = chromium()
    began = time.monotonic()
    parts = _parts(project, say)
    source = project.build / "pdf" / "book.html"
    source.parent.mkdir(parents=True, exist_ok=True)
    target = project.html / PDF_NAME
    with _browser(executable) as page:
        reader = _printed(project, parts, source, page, say)
        _save(reader, project, parts, target)
    say(f"pdf: {len(reader.pages)} pages in {target}, {time.monotonic() - began:.0f} s")
    return target


def chromium() -> str:
    """Find an installed Chromium: the one that ``CHROMIUM`` names, or the first on the path.

    Raises
    ------
    BookError
        When there is none.
    """
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise BookError(f"CHROMIUM names {named}, but there is no such program")
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise BookError(
            f"no browser to print with: none of {', '.join(_BROWSERS)} is installed. Install Chromium "
            "(`apt install chromium`, `brew install --cask chromium`), or name one: CHROMIUM=/path/to/it"
        )
    return found


def _require() -> None:
    if missing := [name for name in ("playwright", "pypdf") if find_spec(name) is None]:
        raise BookError(
            f"printing needs {' and '.join(missing)}: install the package with its extra, 'handan[pdf]' "
            "(in a checkout: pip install -e '.[book,pdf]')"
        )


def _parts(project: Project, say: Callable[[str], None]) -> list[Printed]:
    parts = []
    began = time.monotonic()
    for number, page in enumerate(project.pages, 1):
        parts.append(printed(project, page, "../html"))
        left = (time.monotonic() - began) / number * (len(project.pages) - number)
        say(f"pdf: {number} of {len(project.pages)} {page}, {left:.0f} s left")
    return parts


@contextmanager
def _browser(executable: str) -> Iterator[Page]:
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as driver:
        try:
            # a container has no sandbox to offer, and the pages are our own
            browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except Error as error:
            raise BookError(f"{executable} does not start: {error.message.splitlines()[0]}") from None
        try:
            if int(browser.version.split(".")[0]) < _OLDEST:
                raise BookError(
                    f"{executable} is version {browser.version}; printing needs {_OLDEST} or newer"
                )
            page = browser.new_page(viewport={"width": _COLUMN, "height": 1000})
            page.set_default_timeout(0)
            page.emulate_media(media="print")
            yield page
        finally:
            browser.close()


def _printed(
    project: Project, parts: list[Printed], source: Path, page: Page, say: Callable[[str], None]
) -> PdfReader:
    """Print until the numbers in the table of contents are those of the pages, as a rule twice."""
    from pypdf import PdfReader

    numbers: Numbers = {}
    took = 0.0
    for once in range(_MOST_PASSES):
        say("pdf: printing once to number the pages" if not once else f"pdf: printing, {took:.0f} s left")
        began = time.monotonic()
        source.write_text(
            document(project, parts, numbers, to_pages="../html", to_root="../.."), encoding="utf-8"
        )
        reader = PdfReader(BytesIO(_print(source, page)))
        before, numbers = numbers, _numbers(reader)
        took = time.monotonic() - began
        if numbers == before:
            return reader
    raise BookError("the numbers in the table of contents don't settle; report this, with the book's pages")


def _print(source: Path, page: Page) -> bytes:
    page.goto(source.as_uri(), wait_until="load")
    fit = Path(__file__).with_name("pdf_fit.js").read_text(encoding="utf-8")
    if problems := page.evaluate(fit):
        raise CheckError("the book can't be printed as it is", problems)
    return page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)


def _numbers(reader: PdfReader) -> dict[str, int]:
    """Page, from 1, of every anchor that something in the document points to."""
    places: Any = reader.named_destinations
    numbers = {name: reader.get_destination_page_number(place) for name, place in places.items()}
    return {name.removeprefix("/"): number + 1 for name, number in numbers.items() if number is not None}


def _save(reader: PdfReader, project: Project, parts: list[Printed], target: Path) -> None:
    from importlib.metadata import version

    from pypdf import PdfWriter

    about = settings(project)
    # pypdf remarks on an object count of its own making
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    # a clone keeps bookmarks, links and tags, which copying pages would lose
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    writer.add_metadata(
        {
            "/Title": about["title"],
            "/Author": about["author"],
            "/Creator": f"handan {version('handan')}",
        }
    )
    _mend_bookmarks(writer, parts)
    with target.open("wb") as file:
        writer.write(file)


def _mend_bookmarks(writer: PdfWriter, parts: list[Printed]) -> None:
    """Put back the spaces that Chromium drops in a bookmark where its heading is broken into lines."""
    from pypdf.generic import NameObject, TextStringObject

    headings = [heading for part in parts for heading in (part.title, *(words for _, words in part.sections))]
    right = {"".join(heading.split()): " ".join(heading.split()) for heading in headings}
    waiting: list[Any] = [writer.root_object.get("/Outlines")]
    while waiting:
        if (entry := waiting.pop()) is None:
            continue
        entry = entry.get_object()
        title = right.get("".join(str(entry.get("/Title", "")).split()))
        if title is not None:
            entry[NameObject("/Title")] = TextStringObject(title)
        waiting += [entry.get("/First"), entry.get("/Next")]
