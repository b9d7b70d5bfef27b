"""The figure that a student should arrive at, taken from the executed chapter."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from html import unescape
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from handan.course.answers import judge

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from PIL.Image import Image

WIDEST = 640
_HEAD = "#### What your figure should look like"
_PICTURE = re.compile(r'<img src="data:image/png;base64,(?P<png>[^"]+)" alt="(?P<alt>[^"]*)"')
_CAPTION = re.compile(r"<figcaption>(?:<strong>.*?</strong>)?(?P<caption>.*?)</figcaption>", re.S)
_INSIDE = re.compile(r"\(data:image/png;base64,(?P<png>[^)]+)\)")
_NUMBER = re.compile(r"([-−+]?\d+(?:[.,]\d+)*)(\s?%)?")
# Two renderings of one figure differ by the edges of letters; another line differs by more.
_ALIKE = 0.01


class Picture(NamedTuple):
    """A figure: its PNG, what it shows in words, and its caption (either text may be empty)."""

    png: bytes
    alt: str
    caption: str


def picture(cell: NotebookNode) -> Picture | None:
    """Find the last figure among the outputs of an executed cell; None where it drew none."""
    found = None
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        html = "".join(data.get("text/html", ""))
        if shown := _PICTURE.search(html):
            caption = _CAPTION.search(html)
            text = unescape(re.sub(r"<[^>]+>", "", caption["caption"])) if caption else ""
            found = Picture(base64.b64decode(shown["png"]), unescape(shown["alt"]), text.strip())
        elif "image/png" in data:
            found = Picture(base64.b64decode("".join(data["image/png"])), "", "")
    return found


def markdown(shown: Picture, exercise: str, record: Mapping[str, Any] | None) -> str:
    """Write a Markdown cell with the figure in it, at most `WIDEST` pixels wide.

    Parameters
    ----------
    shown : Picture
        The figure.
    exercise : str
        Its exercise, ``"4.1"``.
    record : dict, optional
        The record of the exercise's answer. A caption or alternative text in which the
        answer stands is left out.
    """
    known = {exercise: record} if record else {}
    alt = "" if _tells(shown.alt, exercise, known) else shown.alt
    caption = "" if _tells(shown.caption, exercise, known) else shown.caption
    words = re.sub(r"([\\\[\]`*_<>$])", r"\\\1", " ".join((alt or f"Figure of exercise {exercise}").split()))
    source = base64.b64encode(_small(shown.png)).decode()
    below = [re.sub(r"([\\`*_<>$\[\]])", r"\\\1", caption)] if caption else []
    return "\n\n".join([_HEAD, f"![{words}](data:image/png;base64,{source})", *below])


def steady(new: str, old: str) -> str:
    """Keep the old figure where the new one looks the same, so that files change only when they must."""
    first, second = _INSIDE.search(new), _INSIDE.search(old)
    if not first or not second or _INSIDE.sub("", new) != _INSIDE.sub("", old):
        return new
    return old if _look_alike(first["png"], second["png"]) else new


def _tells(text: str, exercise: str, known: Mapping[str, Any]) -> bool:
    """Whether the answer can be read in a text."""
    if not known or not text:
        return False
    kind = known[exercise]["kind"]
    if kind == "text":
        words = text.split()
        spans = [words[i : i + n] for n in range(1, 5) for i in range(len(words))]
        return any(judge(exercise, " ".join(span).strip(".,;:()"), known).right for span in spans)
    if kind not in ("number", "whole number"):
        return False
    return any(judge(exercise, value, known).right for value in _numbers(text))


def _numbers(text: str) -> set[float]:
    """All that the figures in a text can mean."""
    found: set[float] = set()
    for written, percent in _NUMBER.findall(text.replace("−", "-")):
        # a comma separates thousands, or the numbers of a list
        for part in (written.replace(",", ""), *written.split(",")):
            with suppress(ValueError):
                found |= {float(part), float(part) / 100} if percent else {float(part)}
    return found


def _small(png: bytes) -> bytes:
    from PIL.Image import Resampling

    image = _open(png)
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Resampling.LANCZOS)
    out = BytesIO()
    # 256 colours are enough for a plot, and make the notebook a third of the size
    image.quantize(256).save(out, format="PNG", optimize=True)
    return out.getvalue()


def _look_alike(first: str, second: str) -> bool:
    import numpy as np

    one, other = (_open(base64.b64decode(part)) for part in (first, second))
    if one.size != other.size:
        return False
    difference = np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float))
    return bool(difference.mean() / 255 < _ALIKE)


def _open(png: bytes) -> Image:
    """Open a picture as it looks on white paper."""
    from PIL import Image as images

    image = images.open(BytesIO(png)).convert("RGBA")
    paper = images.new("RGBA", image.size, "white")
    return images.alpha_composite(paper, image).convert("RGB")
