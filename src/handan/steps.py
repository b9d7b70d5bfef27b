"""The steps of the battery: which finding gives which tables, at which size.

Each takes one study, the lineage and the sizes, and returns its tables by name. A step that a
study does not support raises ``LookupError`` or ``ValueError`` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from handan.battery import Sizes, Tables
    from handan.findings.contrast import Contrast
    from handan.inputs import Inputs

_Step = Callable[["Inputs", pd.DataFrame, "Sizes"], "Tables"]


def _alignment(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.alignment import align, mean_alignment

    n_boot, seed = sizes.n_boot, sizes.seed
    roles = lineage.set_index("model")["role"].to_dict()
    tables = {
        "alignment": align(one.joined, one.reliability, n_boot=n_boot, seed=seed),
        "means": mean_alignment(one.joined, roles, n_boot=n_boot, seed=seed),
    }
    if one.norms["log_rt"].notna().any():
        timed = mean_alignment(one.joined, n_boot=n_boot, seed=seed)
        tables["timed"] = timed.rename(columns={"group": "model"})
    return tables


def _across(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.across import across

    if one.joined.rows["task"].nunique() < 2:
        raise LookupError("one task only: nothing to pool")
    return {"across": across(one.joined, n_boot=sizes.n_boot, seed=sizes.seed)}


def _collapse(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.collapse import collapse

    found = collapse(one.joined, lineage, one.reliability, n_boot=sizes.n_pooled, seed=sizes.seed)
    return _contrast(found, "collapse", "a teacher and a student on the same items")


def _transfer(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.transfer import transfer

    found = transfer(one.joined, lineage, one.reliability, n_boot=sizes.n_pooled, seed=sizes.seed)
    return _contrast(found, "transfer", "a student and a baseline of its own on the same items")


def _advantage(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.transfer import teachers_against_baselines

    found = teachers_against_baselines(
        one.joined, lineage, one.reliability, n_boot=sizes.n_pooled, seed=sizes.seed
    )
    return _contrast(found, "advantage", "a teacher and a baseline of a student on the same items")


def _contrast(found: Contrast, name: str, needs: str) -> Tables:
    if found.pairs.empty:
        raise LookupError(f"it needs {needs}")
    return {f"{name}_pairs": found.pairs, name: found.pooled}


STEPS: dict[str, _Step] = {
    "collapse": _collapse,
    "transfer": _transfer,
    "advantage": _advantage,
    "alignment": _alignment,
    "across": _across,
}
