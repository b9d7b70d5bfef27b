"""One row per condition and group of tasks: the mean over seeds, its interval, its verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.constancy import law
from handan.findings.family_cells import complete, n_items, over_seeds
from handan.findings.family_members import claim
from handan.findings.verdict import CANNOT_TELL, judge, no_data
from handan.formats import listing, number

Seeds = dict[int, pd.DataFrame]
_NO_SEED = "no seed was measured on all of these tasks"
_FLAT = "all seeds and items agree exactly, so that there is no variance to judge by"


def rows_by_group(
    cells: pd.DataFrame,
    keys: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    make: Callable[[Mapping[str, str], Seeds], dict[str, Any]],
    study: str,
) -> pd.DataFrame:
    """Make a row per combination of `keys` and group of tasks.

    Parameters
    ----------
    cells : DataFrame
        Estimates from `handan.findings.family_cells`, a row per seed × task.
    keys : sequence of str
        Columns that name a row; all but ``seed`` and ``task``.
    groups : mapping of str to sequence of str
        Tasks of each group.
    make : callable
        Takes what names the row and the cells by seed; gives the rest of the row.
    study : str
        Name of the study.

    Returns
    -------
    DataFrame
        ``study``, `keys`, ``task`` (the group), what `make` gives, and ``note``, which also
        names the seeds that were left out because they lack a task. Only the columns that
        name a row where there are no cells, as in a family without students.
    """
    if cells.empty:
        return pd.DataFrame(columns=["study", *keys, "task"])
    rows = []
    for key, part in cells.groupby(list(keys), sort=False):
        for group, tasks in groups.items():
            seeds, lacking = complete(part, tasks)
            name = {"study": study, **dict(zip(keys, key, strict=True)), "task": group}
            row = make(name, seeds)
            without = f"left out, as a task is missing: seed {listing(lacking)}" if lacking and seeds else ""
            note = "; ".join(filter(None, [*row.pop("notes"), _few(len(seeds)), without]))
            rows.append(name | row | {"note": note})
    return pd.DataFrame(rows)


def condition_row(name: Mapping[str, str], seeds: Seeds) -> dict[str, Any]:
    """Summarise the models of a condition.

    Parameters
    ----------
    name : mapping of str to str
        What names the row.
    seeds : dict of int to DataFrame
        Cells by seed: ``role, task, n, r, r_or_zero, draws, ceiling, accuracy, tokens, truncated,
        excluded``.

    Returns
    -------
    dict
        Columns of ``conditions`` in `handan.findings.families.Families`, and ``notes``.
    """
    informed = {seed: rows for seed, rows in seeds.items() if rows["r"].notna().all()}
    every = pd.concat(list(seeds.values())) if seeds else pd.DataFrame()
    undefined = len(seeds) - len(informed)
    means = [rows["r"].mean() for rows in informed.values()]
    row: dict[str, Any] = {"role": every["role"].iloc[0] if seeds else None}
    row |= {"n_seeds": len(seeds), "n_items": n_items(seeds), "n_undefined": undefined}
    row |= dict(zip(("r", "low", "high"), _correlation(informed, "r"), strict=True))
    row |= {"r_min": min(means, default=np.nan), "r_max": max(means, default=np.nan)}
    row |= dict(zip(("r_or_zero", "zero_low", "zero_high"), _correlation(seeds, "r_or_zero"), strict=True))
    row |= {"ceiling": next(iter(seeds.values()))["ceiling"].mean(skipna=False) if seeds else np.nan}
    shares = ("accuracy", "tokens", "truncated")
    row |= {share: every[share].mean() if seeds else np.nan for share in shares}
    row |= {"excluded": int(every["excluded"].sum()) if seeds else 0}
    constant = f"in {undefined} of {len(seeds)} seeds the cost does not vary, so that r does not exist"
    return row | {"notes": [constant if undefined else "", "" if seeds else _NO_SEED]}


def effect_row(name: Mapping[str, str], seeds: Seeds) -> dict[str, Any]:
    """Average a comparison over seeds and judge its claim.

    Parameters
    ----------
    name : mapping of str to str
        What names the row, with ``comparison``.
    seeds : dict of int to DataFrame
        Cells by seed: ``task, n, r_a, r_b, difference, draws, undefined``.

    Returns
    -------
    dict
        Columns of ``effects`` in `handan.findings.families.Families`, and ``notes``.
    """
    stated = claim(name["comparison"], name["condition"], name["repertoire"])
    columns = ("r_a", "r_b", "difference", "low", "high", "sd")
    row: dict[str, Any] = {"n_seeds": len(seeds), "n_items": n_items(seeds), "n_undefined": 0}
    verdict = {"verdict": CANNOT_TELL, "on_edge": False}
    if not seeds:
        verdict["sentence"] = no_data(stated, name["study"], _NO_SEED)
        return row | dict.fromkeys(columns, np.nan) | verdict | {"notes": [_NO_SEED]}
    found = over_seeds(seeds, "difference")
    undefined = sum(bool((rows["undefined"] > 0).any()) for rows in seeds.values())
    sides = {side: float(np.mean([rows[side].mean() for rows in seeds.values()])) for side in ("r_a", "r_b")}
    row |= {"n_undefined": undefined} | sides
    row |= {"difference": found.mean, "low": found.low, "high": found.high, "sd": found.sd}
    constant = f"in {undefined} of {len(seeds)} seeds a model's cost does not vary, and its r stands as 0"
    notes = [constant if undefined else ""]
    if np.isnan(found.low):
        verdict["sentence"] = no_data(stated, name["study"], _FLAT)
        return row | verdict | {"notes": [*notes, _FLAT]}
    asked = row | {"study": name["study"], "relation": f"tasks: {name['task']}", "n_pairs": len(seeds)}
    judged = judge(stated, asked, (found.monte_carlo, found.monte_carlo))
    judged["sentence"] += f" ({constant[0].upper()}{constant[1:]}.)" if undefined else ""
    return row | {key: judged[key] for key in ("verdict", "on_edge", "sentence")} | {"notes": notes}


def inflation_row(name: Mapping[str, str], seeds: Seeds) -> dict[str, Any]:
    """Average a multiplier over seeds and judge whether it is constant.

    Parameters
    ----------
    name : mapping of str to str
        What names the row, with ``relation``.
    seeds : dict of int to DataFrame
        Cells by seed: ``task, n, log_multiplier, log_change`` and their draws.

    Returns
    -------
    dict
        Columns of ``inflation`` in `handan.findings.families.Families`, and ``notes``.
    """
    known = {seed: rows for seed, rows in seeds.items() if rows["log_change"].notna().all()}
    undefined = len(seeds) - len(known)
    row: dict[str, Any] = {"n_seeds": len(known), "n_items": n_items(known), "n_undefined": undefined}
    for value in ("multiplier", "change"):
        found = over_seeds(known, f"log_{value}", f"log_{value}_draws") if known else None
        ends = (found.mean, found.low, found.high) if found else (np.nan,) * 3
        row |= dict(zip((value, f"{value}_low", f"{value}_high"), map(float, np.exp(ends)), strict=True))
    judged = law(row["change_low"], row["change_high"], row["n_items"], found.monte_carlo if found else 0.0)
    row |= {"verdict": judged["verdict"], "on_edge": judged["on_edge"]}
    row |= {"sentence": _multiple(name, row) + judged["ending"]}
    lost = (
        f"in {undefined} of {len(seeds)} seeds there is no ratio of costs above zero, or people do not vary"
    )
    flat = _FLAT if known and np.isnan(row["change_low"]) else ""
    return row | {"notes": [lost if undefined else "", flat, "" if seeds else _NO_SEED]}


def _correlation(seeds: Seeds, value: str) -> tuple[float, float, float]:
    if not seeds:
        return np.nan, np.nan, np.nan
    found = over_seeds(seeds, value)
    return found.mean, float(np.clip(found.low, -1, 1)), float(np.clip(found.high, -1, 1))


def _multiple(name: Mapping[str, str], row: Mapping[str, Any]) -> str:
    return (
        f"In {name['study']} (tasks: {name['task']}, {row['n_seeds']} seeds, {row['n_items']} items) "
        f"{name['condition']} with the repertoire {name['repertoire']} spends "
        f"{number(row['multiplier'])} times as much as its {name['relation'].split()[-1]}; with every "
        f"standard deviation of difficulty the multiplier changes by a factor of "
        f"{number(row['change'], 3)}, 95 % interval {number(row['change_low'], 3)} to "
        f"{number(row['change_high'], 3)}. "
    )


def _few(n_seeds: int) -> str:
    few = {
        1: "one seed: the interval is over items alone",
        2: "two seeds: where they differ much, the interval is too short",
    }
    return few.get(n_seeds, "")
