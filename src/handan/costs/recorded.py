"""Recorded studies: what models spent, as others published it, with their own norms."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from handan.tables import check_costs, check_norms, check_reliability, packaged, read_table

ORGANISM = "organism"


@dataclass(frozen=True)
class Study:
    """A recorded study, as tables that have passed their checks.

    Attributes
    ----------
    name, title : str
        Identifier and full title.
    measure : str
        What stands for human difficulty: ``human response time``, or something weaker.
    measure_label : str
        Axis label of that measure, with its unit.
    norms, costs, reliability : DataFrame
        See `handan.tables`.
    task_rows : mapping of str to int
        Length of each task's original table, where items are row numbers of it.
    lineage : DataFrame or None
        Who taught whom, where the models are not those of the packaged lineage.
    """

    name: str
    title: str
    measure: str
    measure_label: str
    norms: pd.DataFrame
    costs: pd.DataFrame
    reliability: pd.DataFrame
    task_rows: Mapping[str, int] = field(default_factory=dict)
    lineage: pd.DataFrame | None = None

    @property
    def is_timed(self) -> bool:
        """Whether the measure is a time of people, measured or reported by themselves."""
        return bool(self.norms["log_rt"].notna().any())


def studies() -> list[str]:
    """Names of the studies of large models, in the order in which the book tells them.

    `ORGANISM`, whose tiny models this project trained, is not among them.
    """
    return [name for name in _sources() if name != ORGANISM]


def load_study(name: str) -> Study:
    """Load one recorded study.

    Parameters
    ----------
    name : str
        One of `studies`, or `ORGANISM`.

    Raises
    ------
    LookupError
        When there is no such study; the message lists those there are.
    """
    source = _source(name)
    folder, costs, norms = (
        (ORGANISM, "costs.csv.gz", "norms.csv")
        if name == ORGANISM
        else ("costs", f"{name}.csv", f"{name}-norms.csv")
    )
    return Study(
        name=name,
        title=source["title"],
        measure=source["measure"],
        measure_label=source["measure_label"],
        norms=check_norms(read_table(packaged(f"{folder}/{norms}"))),
        costs=check_costs(read_table(packaged(f"{folder}/{costs}"))),
        reliability=_reliability(name),
        task_rows=source.get("task_rows", {}),
        lineage=read_table(packaged("organism/lineage.csv")) if name == ORGANISM else None,
    )


def card(name: str) -> dict[str, Any]:
    """Provenance of a study: source, commit, licence, counts, caveats.

    Raises
    ------
    LookupError
        When there is no such study.
    """
    about = _source(name)
    file = "organism/derived.json" if name == ORGANISM else "costs/derived.json"
    derived = json.loads(packaged(file).read_text(encoding="utf-8"))
    return {"name": name, **about, **derived[name]}


def _reliability(name: str) -> pd.DataFrame:
    if name == ORGANISM:  # its people are those of the bank
        bank = check_reliability(read_table(packaged("norms/bank-reliability.csv")))
        return bank.assign(study=ORGANISM)
    table = check_reliability(read_table(packaged("costs/reliability.csv")))
    return table[table["study"] == name].reset_index(drop=True)


def _sources() -> dict[str, dict[str, Any]]:
    return tomllib.loads(packaged("costs/sources.toml").read_text(encoding="utf-8"))


def _source(name: str) -> dict[str, Any]:
    sources = _sources()
    if name not in sources:
        raise LookupError(f"no study {name!r}; there are: {', '.join(sources)}")
    return sources[name]
