"""The sections of a report, and the tables that each of them shows.

A table of the battery belongs to the first section that names it or the beginning of its
name. One that no section knows is shown in the appendix, so that nothing is left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from handan.report.compose import MOST_ROWS


@dataclass(frozen=True)
class Shown:
    """How a table is shown.

    Attributes
    ----------
    caption : str
        What one row is, and what the columns mean.
    columns : tuple of str
        Columns to show, in order; empty for all.
    most : int
        Rows on the page.
    sentences : bool
        Whether verdicts are told in sentences as well.
    """

    caption: str
    columns: tuple[str, ...] = ()
    most: int = MOST_ROWS
    sentences: bool = True


@dataclass(frozen=True)
class Part:
    """A section of findings.

    Attributes
    ----------
    title, about : str
        Heading, and what is asked here.
    starts : tuple of str
        Beginnings of the names of tables that belong here.
    tables : dict of str to Shown
        Known tables, in order; others that belong here follow.
    """

    title: str
    about: str
    starts: tuple[str, ...]
    tables: dict[str, Shown] = field(default_factory=dict)

    def shown(self, name: str) -> Shown:
        """Look up how a table is shown; one that is not known is shown whole."""
        return self.tables.get(name, Shown(f"{name.replace('_', ' ').capitalize()}."))


OTHER = Part("Appendix: further tables", "Findings that no section above speaks of.", ("",))


@cache
def parts() -> tuple[Part, ...]:
    """Read the sections, in order."""
    raw = tomllib.loads(files("handan.report").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return tuple(
        Part(
            one["title"],
            one["about"],
            tuple(one["starts"]),
            {
                name: Shown(**(told | {"columns": tuple(told.get("columns", ()))}))
                for name, told in one["tables"].items()
            },
        )
        for one in raw["section"]
    )


def placed(names: Iterable[str]) -> list[tuple[Part, list[str]]]:
    """Give every table its section.

    Parameters
    ----------
    names : iterable of str
        Names of tables.

    Returns
    -------
    list of (Part, list of str)
        All sections in order, `OTHER` last, each with its tables: known ones first.
    """
    left = list(names)
    found = []
    for part in (*parts(), OTHER):
        mine = [name for name in left if name in part.tables or name.startswith(part.starts)]
        left = [name for name in left if name not in mine]
        known = [name for name in part.tables if name in mine]
        found.append((part, known + [name for name in mine if name not in known]))
    return found
