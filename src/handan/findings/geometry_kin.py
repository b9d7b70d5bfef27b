"""Roles and kinship of the models that a study compares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from handan.lineage import role_of
from handan.tables import check_lineage

NORMS_ROLE = "norms"
BASELINES = {"true base": "base", "instruct sibling": "sibling"}


@dataclass(frozen=True)
class Kin:
    """Who is what, and who descends from whom.

    Attributes
    ----------
    table : DataFrame
        A checked lineage, indexed by model.
    """

    table: pd.DataFrame

    def role(self, name: str) -> str:
        """Give the role of a model, or what is said in its place; see `handan.lineage.roles_of`."""
        return role_of(name, self._roles)

    @cached_property
    def _roles(self) -> dict[str, str]:
        return self.table["role"].astype(str).to_dict()

    def own(self, name: str, link: str) -> str | None:
        """Give the teacher, base or sibling of a model; None where there is none."""
        if name not in self.table.index or pd.isna(self.table.at[name, link]):
            return None
        return str(self.table.at[name, link])

    def size(self, name: str) -> float:
        """Give the number of parameters; NaN where unknown."""
        known = name in self.table.index and pd.notna(self.table.at[name, "params"])
        return float(self.table.at[name, "params"]) if known else np.nan

    def relation(self, a: str, b: str) -> str:
        """Say how two models are related, whichever comes first; empty where they are not."""
        for student, other in ((a, b), (b, a)):
            for relation, link in {"own teacher": "teacher", **BASELINES}.items():
                if self.own(student, link) == other:
                    return relation
        return "both students" if self.role(a) == self.role(b) == "student" else ""

    def baselines(self, student: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
        """Relation and name of the baselines of a student that were measured, its true base first."""
        found = [(relation, self.own(student, link)) for relation, link in BASELINES.items()]
        return [(relation, name) for relation, name in found if name is not None and name in names]


def kin(lineage: pd.DataFrame) -> Kin:
    """Check a lineage and index it.

    Raises
    ------
    TableError
        Naming every offending row.
    """
    return Kin(check_lineage(lineage).set_index("model"))
