"""Prose of the book as Jupyter and Colab can show it: MyST's roles become links or plain text.

Jupyter knows Markdown only. A link to another page of the book leads nowhere from a notebook
that stands alone, so it becomes the address of the published page.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from handan import address
from handan.book.errors import ProjectError
from handan.book.glossary import terms
from handan.book.project import GLOSSARY

if TYPE_CHECKING:
    from handan.book.project import Project

_TOKEN = re.compile(
    r"^(?P<marks>`{3,}|:{3,})(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=marks)[ \t]*$"
    r"|(?P<label>^\([\w:.-]+\)=[ \t]*\n)"
    r"|\{(?P<role>[\w:.+-]+)\}`(?P<content>[^`]+)`"
    r"|(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<equation>\$\$.+?\$\$)(?P<named>[ \t]*\([\w:.-]+\))?"
    r"|\]\((?P<target>[^\s()]+(?:\([^\s()]*\))?)(?P<rest>(?:\s+\"[^\"\n]*\")?\))"
    r"|(?P<attribute>\bhref=\")(?P<href>[^\"]+)\"",
    re.M | re.S,
)
_TITLED = re.compile(r"(?P<text>.+?)\s*<(?P<target>[^<>]+)>\Z", re.S)
_BOXES = ("note", "tip", "hint", "warning", "important", "caution", "attention", "seealso", "admonition")
_NOWHERE = ("bibliography", "tableofcontents", "contents")


class Prose:
    """Turns Markdown of a page of the book into that of a notebook that stands alone.

    Parameters
    ----------
    project : Project
        The book.
    page : str
        Whose prose it is, ``notebooks/04_alignment``.
    """

    def __init__(self, project: Project, page: str) -> None:
        self.project = project
        self.page = page

    def plain(self, text: str) -> str:
        """Rewrite a Markdown cell.

        Raises
        ------
        ProjectError
            When it links to a page that the book doesn't have.
        """
        return _TOKEN.sub(self._token, text)

    def _token(self, found: re.Match[str]) -> str:
        if found["marks"]:
            return self._directive(found)
        if found["label"]:
            return ""
        if found["role"]:
            return self._role(found["role"], found["content"])
        if found["equation"]:
            return found["equation"]
        if found["target"]:
            return f"]({self._address(found['target'])}{found['rest']}"
        if found["href"]:
            return f'{found["attribute"]}{self._address(found["href"])}"'
        return found[0]

    def _directive(self, found: re.Match[str]) -> str:
        named = re.fullmatch(r"\{([\w:-]+)\}[ \t]*(.*)", found["info"].strip())
        if not named:
            return found[0]
        name, title = named[1], named[2].strip()
        body = re.sub(r"\A(?:[ \t]*:[\w-]+:[^\n]*\n)+", "", found["body"]).strip("\n")
        if name in _NOWHERE:
            return ""
        if name == "math":
            return f"$$\n{body}\n$$"
        if name in ("code", "code-block", "code-cell"):
            return f"```{title}\n{body}\n```"
        if name in _BOXES or name == "dropdown":
            head = title or name.capitalize()
            return "\n".join(
                f"> {line}".rstrip() for line in (f"**{head}**", "", *self.plain(body).splitlines())
            )
        return f"*[Shown in the book.]({address.book(self.page)})*"

    def _role(self, role: str, content: str) -> str:
        titled = _TITLED.match(content)
        text, target = (titled["text"], titled["target"]) if titled else ("", content.strip())
        kind = role.split(":")[0]
        if kind == "cite":
            return ", ".join(_citation(self.project, one.strip()) for one in target.split(","))
        special: dict[str, Callable[[str, str], str]] = {"doc": self._doc, "term": self._term}
        if kind in special:
            return special[kind](text, target)
        if kind == "math":
            return f"${content}$"
        if kind in ("ref", "numref", "eq"):
            return f"[{text or target}]({address.book(self.page)}#{target})"
        return text or content

    def _doc(self, text: str, target: str) -> str:
        page = self._page(target)
        return f"[{text or _title(self.project, page)}]({address.book(page)})"

    def _term(self, text: str, target: str) -> str:
        if GLOSSARY not in self.project.pages:
            return text or target
        anchor = re.sub(r"[^\w.]+", "-", _spelled(self.project, GLOSSARY, target)).strip("-")
        return f"[{text or target}]({address.book(GLOSSARY)}#term-{anchor})"

    def _address(self, target: str) -> str:
        """Turn an address relative to the page into one that works from anywhere."""
        path, mark, anchor = target.partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.I):
            return target
        return address.book(self._page(path) if path else self.page) + mark + anchor

    def _page(self, path: str) -> str:
        base = "" if path.startswith("/") else posixpath.dirname(self.page)
        page = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
        page = re.sub(r"\.(md|py|ipynb|html)\Z", "", page)
        if page not in self.project.pages:
            raise ProjectError(f"{self.page} links to {path!r}, which is no page of the book")
        return page


def _title(project: Project, page: str) -> str:
    """Title of a page, from the first heading of its source; its name where there is none yet."""
    suffix = ".py" if page.startswith("notebooks/") else ".md"
    source = project.root / f"{page}{suffix}"
    text = source.read_text(encoding="utf-8") if source.exists() else ""
    found = re.search(r"^(?:# )?# +(.+?)\s*$", text, re.M)
    return found[1] if found else posixpath.basename(page).replace("_", " ")


def _spelled(project: Project, glossary: str, term: str) -> str:
    """Spell a term as the glossary does, because its anchor is made from that."""
    text = (project.root / f"{glossary}.md").read_text(encoding="utf-8")
    spelled = {one.casefold(): one for one in terms(text)}
    return spelled.get(" ".join(term.split()).casefold(), term)


def _citation(project: Project, key: str) -> str:
    """Write authors and year of an entry of the book's bibliography; its key where it has none."""
    from pybtex.database import parse_file

    for path in sorted(project.root.glob("book/*.bib")):
        if entry := parse_file(str(path)).entries.get(key):
            names = [" ".join(one.prelast_names + one.last_names) for one in entry.persons.get("author", [])]
            who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
            return f"{who or key} ({entry.fields.get('year', 'no year')})"
    return key
