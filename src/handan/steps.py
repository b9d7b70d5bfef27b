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
    aligned = align(one.joined, one.reliability, n_boot=n_boot, seed=seed)
    means = mean_alignment(one.joined, roles, n_boot=n_boot, seed=seed)
    tables = {"alignment": aligned, "means": _with_ceiling(means, aligned, aligned["model"].map(roles))}
    if one.norms["log_rt"].notna().any():
        timed = mean_alignment(one.joined, n_boot=n_boot, seed=seed)
        tables["timed"] = _with_ceiling(timed, aligned, aligned["model"]).rename(columns={"group": "model"})
    return tables


def _with_ceiling(means: pd.DataFrame, aligned: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Add the mean ceiling over the tasks of each group."""
    known = aligned.groupby(["study", group.rename("group")])["ceiling"].mean()
    return means.join(known, on=["study", "group"])


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
    _require(found.pairs, needs)
    inside = found.pairs[found.pairs["pooled"]]
    shares = ["ceiling", "truncated_a", "truncated_b"]
    parts = [inside.groupby(["study", "relation"])[shares].mean()]
    parts.append(inside.assign(relation="all").groupby(["study", "relation"])[shares].mean())
    pooled = (
        found.pooled.join(pd.concat(parts), on=["study", "relation"]) if len(found.pooled) else found.pooled
    )
    return {f"{name}_pairs": found.pairs, name: pooled}


def _inflation(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.inflation import measure

    found = measure(
        one.joined, one.costs, lineage, one.reliability, cost=one.cost, n_boot=sizes.n_boot, seed=sizes.seed
    )
    _require(found.pairs, "a student beside its own teacher or a baseline of its own")
    return {"inflation": found.pairs, "inflation_pooled": found.pooled}


def _effort(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.effort import effort

    n_boot = max(sizes.n_boot // 5, 100)
    found = effort(one.joined, one.costs, lineage, cost=one.cost, n_boot=n_boot, seed=sizes.seed)
    _require(found.distances, "a teacher and a student on the same items")
    return {"effort_distances": found.distances, "effort_form": found.form, "effort": found.pooled}


def _efficiency(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.efficiency import efficiency

    n_boot = max(sizes.n_boot // 5, 100)
    found = efficiency(one.joined, one.costs, lineage, cost=one.cost, n_boot=n_boot, seed=sizes.seed)
    tables = {"efficiency": found.models}
    # What is drawn again are points, so points are what there must be enough of.
    law = found.law.assign(n_items=found.law["n_points"])
    return tables | {"efficiency_points": found.points, "efficiency_law": law}


def _influence(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.influence import influence

    found = influence(one.joined, one.costs, lineage, cost=one.cost)
    _require(found.items, "a student beside its own teacher or a baseline of its own")
    return {"influence_items": found.items, "influence": found.pooled}


def _geometry(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.geometry import geometry

    found = geometry(
        one.joined, lineage, one.reliability, one.costs, cost=one.cost, measure=one.measure,
        n_boot=sizes.n_boot, n_perm=sizes.n_perm, seed=sizes.seed,
    )  # fmt: skip
    names = ("pairs", "models", "tests", "students", "studies")
    return {f"geometry_{name}": getattr(found, name) for name in names} | {"allocation": found.allocation}


def _mixed(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.mixed import mixed

    found = mixed(one.joined, lineage, one.reliability)
    return {"mixed": found.fixed, "mixed_components": found.components, "mixed_law": found.law}


def _confounds(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.confounds import confounds

    return {"confounds": confounds(one, lineage)}


def _multiverse(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.multiverse import multiverse

    found = multiverse(one, lineage, n_perm=sizes.n_perm, seed=sizes.seed)
    _require(found.curve, "a teacher and a student, or a student and a baseline, on the same items")
    names = ("summary", "choices", "tests", "curve")
    return {f"multiverse_{name}": getattr(found, name) for name in names}


def _power(one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables:
    from handan.findings.detectable import detectable

    found = detectable(one.joined, lineage, one.reliability)
    _require(found, "a teacher and a student, or a student and a baseline, on the same items")
    return {"detectable": found}


def _require(table: pd.DataFrame, needs: str) -> None:
    if table.empty:
        raise LookupError(f"it needs {needs}")


# The slow ones come first, so that two processes end together.
STEPS: dict[str, _Step] = {
    "multiverse": _multiverse,
    "collapse": _collapse,
    "transfer": _transfer,
    "advantage": _advantage,
    "mixed": _mixed,
    "geometry": _geometry,
    "inflation": _inflation,
    "effort": _effort,
    "alignment": _alignment,
    "confounds": _confounds,
    "efficiency": _efficiency,
    "influence": _influence,
    "across": _across,
    "power": _power,
}
