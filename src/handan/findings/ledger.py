"""The ledger of claims: what is claimed, where it was said, and which rule decides.

The ledger is a file of the package, ``data/claims.toml``. It holds no result of ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handan.tables import packaged

RULES = ("direction", "near", "factor", "constant", "found")


@dataclass(frozen=True)
class Source:
    """Where the number of a claim is found.

    Attributes
    ----------
    table : str
        Name of a table of the battery.
    select : mapping of str to list of str
        Values that a row may have, the first that occurs being taken.
    columns : tuple of (str, str, str)
        Columns of the estimate and of the ends of its interval.
    least : mapping of str to float
        Columns in which a row must have at least so much.
    units : str
        What ``n_items`` of the table counts: ``items``, or the points of a line.
    """

    table: str
    select: Mapping[str, list[str]]
    columns: tuple[str, str, str]
    least: Mapping[str, float]
    units: str


@dataclass(frozen=True)
class Entry:
    """One claim of the ledger.

    Attributes
    ----------
    name, title, said, where, certainty, needs : str
        See ``data/claims.toml``.
    paper : float or str
        The published number, or its direction in words where no number is known.
    rule : str
        One of `RULES`.
    timed : bool
        Whether only measured or reported times of people can speak to it.
    source : Source
        Where the number is found in a study of given models.
    families : Source or None
        Where it is found in a study of families of tiny models.
    """

    name: str
    title: str
    said: str
    where: str
    certainty: str
    needs: str
    paper: float | str
    rule: str
    timed: bool
    source: Source
    families: Source | None


def ledger() -> list[Entry]:
    """Read the ledger, in its order.

    Raises
    ------
    ValueError
        When an entry names an unknown rule, or one that needs a published number without it.
    """
    raw = tomllib.loads(packaged("claims.toml").read_text(encoding="utf-8"))
    return [_entry(name, told) for name, told in raw.items()]


def _entry(name: str, told: Mapping[str, Any]) -> Entry:
    if told["rule"] not in RULES:
        raise ValueError(f"claim {name}: no rule {told['rule']!r}; there are: {', '.join(RULES)}")
    if told["rule"] in ("near", "factor") and not isinstance(told["paper"], float):
        raise ValueError(f"claim {name}: the rule {told['rule']} needs a published number")
    texts = {key: told[key] for key in ("title", "said", "where", "certainty", "needs", "paper", "rule")}
    texts["timed"] = told.get("timed", False)
    families = _source(told["organism"]) if "organism" in told else None
    return Entry(name, **texts, source=_source(told), families=families)


def _source(told: Mapping[str, Any]) -> Source:
    select = {key: [value] if isinstance(value, str) else value for key, value in told["select"].items()}
    estimate, low, high = told["columns"]
    return Source(
        told["table"], select, (estimate, low, high), told.get("least", {}), told.get("units", "items")
    )
