"""Links from a chapter's first mention of a term to the glossary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_BLOCK = re.compile(r"^```\{glossary\}\n(.*?)^```", re.S | re.M)
_FENCE = re.compile(r"^(```|~~~|\$\$|:::)")
# Headings, tables, raw HTML and indented code hold no links.
_LEFT_ALONE = re.compile(r"^(#|\||\s*<|    )")
# Code, maths, links, roles and tags inside of a line hold none either.
_PROTECTED = re.compile(r"(\{[\w:-]+\}`[^`]*`|`[^`]*`|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)|<[^>]*>)")
_ASIDE = re.compile(r"\s*\([^)]*\)$")


def terms(text: str) -> list[str]:
    """List the terms of a page with a ``{glossary}`` block, in its order.

    Parameters
    ----------
    text : str
        The page's Markdown.
    """
    lines = "\n".join(_BLOCK.findall(text)).splitlines()
    return [line.strip() for line in lines if line.strip() and not line[0].isspace()]


def role(term: str, shown: str) -> str:
    """Write a link in MyST; Sphinx looks the term up and warns when there is none."""
    return f"{{term}}`{shown}`" if shown == term else f"{{term}}`{shown}<{term}>`"


@dataclass
class Linker:
    """Links terms at their first mention; one serves one chapter.

    Parameters
    ----------
    terms : list of str
        As the glossary writes them; what stands in brackets at the end is not looked for.
    write : callable
        Gets the term and the words on the page, gives the link.
    """

    terms: Iterable[str]
    write: Callable[[str, str], str] = role
    _waiting: dict[str, str] = field(init=False)
    _pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self._waiting = {_ASIDE.sub("", term).casefold(): term for term in self.terms}
        # The longest first: "noise ceiling" before "ceiling". Words that follow may make it a plural.
        longest = "|".join(map(re.escape, sorted(self._waiting, key=len, reverse=True)))
        self._pattern = re.compile(rf"(?<![\w-])({longest})s?(?![\w-])", re.I)

    def link(self, text: str) -> str:
        """Link the terms of a Markdown cell that no earlier cell mentioned.

        Parameters
        ----------
        text : str
            Markdown; headings, tables, code, maths, links and HTML are left as they are.
        """
        out, prose, fence = [], list[str](), ""
        for line in text.splitlines():
            opening = _FENCE.match(line)
            # a formula may open and close in one line
            alone = opening is not None and opening[1] == "$$" and line.count("$$") > 1
            if not fence and not opening and not _LEFT_ALONE.match(line):
                prose.append(line)
                continue
            out += self._lines(prose)
            prose = []
            out.append(line)
            if fence:
                fence = "" if line.startswith(fence) else fence
            elif opening and not alone:
                fence = opening[1]
        return "\n".join(out + self._lines(prose))

    def _lines(self, prose: list[str]) -> list[str]:
        """Link within lines that belong together: a link or code may go on in the next one."""
        if not prose:
            return []
        parts = _PROTECTED.split("\n".join(prose))
        return "".join(part if k % 2 else self._plain(part) for k, part in enumerate(parts)).split("\n")

    def _plain(self, text: str) -> str:
        return self._pattern.sub(self._replace, text) if self._waiting else text

    def _replace(self, found: re.Match[str]) -> str:
        term = self._waiting.pop(found[1].casefold(), None)
        return found[0] if term is None else self.write(term, found[0])
