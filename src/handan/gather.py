"""What the battery works on: recorded studies by name, families included, or a user's own tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from handan.findings.families import Families
    from handan.inputs import Inputs


@dataclass(frozen=True)
class Gathered:
    """Everything that the battery needs.

    Attributes
    ----------
    inputs : list of Inputs
        Studies of given models.
    lineage : DataFrame
        Who taught whom.
    families : Families or None
        Findings on families of tiny models, where that study was asked for.
    """

    inputs: list[Inputs]
    lineage: pd.DataFrame
    families: Families | None


def gather(
    costs: Path | None = None,
    norms: Path | None = None,
    lineage: Path | None = None,
    reliability: Path | None = None,
    study: Sequence[str] | None = None,
    cost: str = "reasoning_tokens",
    *,
    n_boot: int = 2_000,
    seed: int = 0,
) -> Gathered:
    """Load what was asked for, by default all recorded studies and the organism.

    Parameters
    ----------
    costs, norms, lineage, reliability : Path, optional
        A user's own tables. Without `costs`, recorded studies.
    study : sequence of str, optional
        Names of recorded studies.
    cost : str
        The cost column. The organism keeps its own, all tokens written.
    n_boot, seed : int
        Item bootstrap of the families.

    Raises
    ------
    LookupError
        When options contradict each other, a study is unknown, or a column is missing.
    TableError, NoOverlap
        When a table is bad, or costs and norms share no item.
    """
    from handan.costs import ORGANISM, studies
    from handan.inputs import in_families, own, recorded
    from handan.lineage import load_lineage

    if costs is None and (norms or reliability):
        raise LookupError("norms and reliability go with a costs table of your own: give that too")
    if costs is not None and study:
        raise LookupError("give either a costs table or names of recorded studies, not both")
    kin = load_lineage(lineage)
    if costs is not None:
        return Gathered([own(costs, norms, reliability, cost)], kin, None)
    names = list(dict.fromkeys(study or [*studies(), ORGANISM]))
    large = [name for name in names if name != ORGANISM]
    inputs = recorded(large, cost) if large else []
    return Gathered(inputs, kin, in_families(None, n_boot=n_boot, seed=seed) if ORGANISM in names else None)
