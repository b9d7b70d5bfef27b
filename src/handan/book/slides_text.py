"""A chapter's Markdown for slides: blocks, sentences, and HTML that lets no markup through."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from html import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "text",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "math_block": "math",
    "math_block_label": "math",
    "amsmath": "math",
}
# A full stop inside of these ends no sentence.
_WHOLE = re.compile(r"(`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)|\([^()]*\))")
_END = re.compile(r"(?<=[.!?])([\"'”*_]*)\s+(?=[\"'“*_`$\[(]*[A-Z0-9])")
_SHORT_FORM = re.compile(r"\b(e\.g|i\.e|cf|vs|al|Fig|Eq|No|Dr|[A-Z])\.$")
_NUMBERS = r"(?:two|three|four|five|six|seven|eight|nine|ten|\d+)"
_COUNT = re.compile(rf"\b{_NUMBERS}\b", re.I)
_ANNOUNCES = re.compile(rf"(?:There|Here) are {_NUMBERS}\b[^.]{{0,40}}\.$")
_MARK = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_FOLD = re.compile(r"<details[^>]*>(.*?)</details>", re.S)
_SUMMARY = re.compile(r"<summary[^>]*>(.*?)</summary>", re.S)
_EXPLICIT = re.compile(r"^(.*?)\s*<[^<>]*>$", re.S)


class Block(NamedTuple):
    """A block of Markdown: its kind (heading, text, list, math or other), its text, a heading's level."""

    kind: str
    source: str
    level: int = 0


def blocks(markdown: str) -> list[Block]:
    """Cut Markdown into its outermost blocks; a heading's text comes without its marks."""
    lines = markdown.splitlines()
    tokens = _parser().parse(markdown)
    out = []
    for i, token in enumerate(tokens):
        if token.level or token.nesting < 0 or token.map is None:
            continue
        kind = _KINDS.get(token.type, "other")
        if kind == "heading":
            out.append(Block(kind, tokens[i + 1].content, int(token.tag[1:])))
        else:
            out.append(Block(kind, "\n".join(lines[token.map[0] : token.map[1]]).rstrip()))
    return out


def unfold(markdown: str) -> tuple[str, list[str]]:
    """Take ``details`` elements out of Markdown.

    Returns
    -------
    tuple of (str, list of str)
        What is seen at once, and the Markdown of each fold, its summary in bold.
    """
    folds = [_SUMMARY.sub(r"**\1**\n", fold).strip() for fold in _FOLD.findall(markdown)]
    return _FOLD.sub("", markdown), folds


def sentences(text: str) -> list[str]:
    """Cut a paragraph into sentences; code, maths, links and what stands in brackets stay whole."""
    kept: list[str] = []

    def _hide(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    plain = _WHOLE.sub(_hide, " ".join(text.split()))
    parts: list[str] = []
    start = 0
    for found in _END.finditer(plain.replace("\x00", "`")):
        if _SHORT_FORM.search(plain[start : found.start()]):
            continue
        parts.append(plain[start : found.end()])
        start = found.end()
    parts.append(plain[start:])
    whole = [re.sub("\x00(\\d+)\x00", lambda m: kept[int(m[1])], part).strip() for part in parts]
    return [part for part in whole if part]


def key(text: str, most: int = 200) -> tuple[str, str]:
    """Split a paragraph into its key sentence and the rest.

    Parameters
    ----------
    text : str
        Markdown of one paragraph.
    most : int
        The second sentence belongs to the key as long as both have no more characters.

    Returns
    -------
    tuple of (str, str)
        The key ends on a sentence that says something, where there is one; the rest may be empty.
    """
    parts = sentences(text)
    count = 2 if len(" ".join(parts[:2])) <= most else 1
    while count < len(parts) and hangs(parts[count - 1]):
        count += 1
    return " ".join(parts[:count]), " ".join(parts[count:])


def hangs(sentence: str) -> bool:
    """Whether a sentence only points to what comes next: a question, or the announcement of a list."""
    return sentence.rstrip('*_ "').endswith(("?", ":")) or bool(_ANNOUNCES.match(sentence))


def lead(text: str, most: int = 3) -> str:
    """Give the last sentences of a paragraph, from the one on that announces what follows the paragraph."""
    parts = sentences(text)[-most:]
    start = max((i for i, part in enumerate(parts) if hangs(part) or _COUNT.search(part)), default=-1)
    return " ".join(parts[start:])


def items(markdown: str) -> list[str]:
    """Give the text of each item of a list, without its mark; what is nested in an item stays in it."""
    lines = markdown.splitlines()
    found = [one for one in _parser().parse(markdown) if one.type == "list_item_open" and one.level == 1]
    spans = [one.map or (0, 0) for one in found]
    return [_MARK.sub("", "\n".join(lines[start:end])).strip() for start, end in spans]


def head(item: str) -> str:
    """Give the first sentence of a list's item."""
    first = blocks(item)
    return sentences(first[0].source)[0] if first and first[0].kind == "text" else ""


def to_html(markdown: str, chapter: str) -> str:
    """Turn Markdown into HTML.

    Raw HTML is shown as text, images are replaced by their alternative text, links to pages
    of the book point from a deck to the page, and MyST roles keep their words.

    Parameters
    ----------
    markdown : str
        From a chapter; may hold computed text that `handan.formats.plain` made harmless.
    chapter : str
        Name of the chapter, to which its own relative links refer.
    """
    return str(_parser().render(markdown, {"chapter": chapter}))


def page_address(target: str, chapter: str) -> str:
    """Find a link's target from a deck's place; addresses on the web stay as they are."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return target
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    if not parts.path:
        return f"../notebooks/{chapter}.html{fragment}"
    page = posixpath.normpath(posixpath.join("notebooks", parts.path)).lstrip("/")
    known = PurePosixPath(page).suffix in (".ipynb", ".md", ".py", ".html")
    return f"../{PurePosixPath(page).with_suffix('') if known else page}.html{fragment}"


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.myst_role import myst_role_plugin

    # the book reads Markdown with the same parser; raw HTML is off, so that it can only be shown
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.use(dollarmath_plugin, renderer=_maths, allow_labels=True)
    parser.use(amsmath_plugin, renderer=lambda source: _maths(source, {"display_mode": True}))
    parser.use(myst_role_plugin)
    parser.add_render_rule("myst_role", _role)
    parser.add_render_rule("link_open", _link)
    parser.add_render_rule("image", _image)
    return parser


def _maths(source: str, options: dict[str, Any]) -> str:
    left, right = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return f"{left}{escape(source)}{right}"


def _role(_renderer: Any, tokens: list[Any], i: int, _options: Any, _env: Any) -> str:
    if tokens[i].meta["name"].startswith("cite"):
        return ""
    explicit = _EXPLICIT.match(tokens[i].content)
    return escape(explicit[1] if explicit else tokens[i].content)


def _link(renderer: Any, tokens: list[Any], i: int, options: Any, env: Any) -> str:
    tokens[i].attrSet("href", page_address(str(tokens[i].attrGet("href") or ""), env["chapter"]))
    return str(renderer.renderToken(tokens, i, options, env))


def _image(_renderer: Any, tokens: list[Any], i: int, _options: Any, _env: Any) -> str:
    return escape(tokens[i].content)
