"""Order and map of the fingerprints of one study, and how stable they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.fingerprint import Fingerprints
from handan.findings.geometry_kin import NORMS_ROLE, Kin
from handan.findings.geometry_pairs import Similarity, comparable
from handan.lineage import NOT_PLACED, OTHER_SETTINGS
from handan.stats._common import FloatArray
from handan.stats.similarity import (
    chord,
    classical_layout,
    covering_ellipse,
    hierarchical_order,
    superimposed,
)

MOST_MAPS = 500
FEWEST_MODELS = 3
NO_MAP = f"fewer than {FEWEST_MODELS} fingerprints can be compared with each other: no order and no map"


@dataclass(frozen=True)
class Map:
    """Hierarchical order and two-dimensional map.

    Attributes
    ----------
    places : DataFrame
        Indexed by name: ``leaf`` (place in the order), ``x, y``, ``spread`` and the
        ``ellipse_width, ellipse_height, ellipse_angle``.
    summary : dict
        ``n_mapped, cophenetic, share, stress, spread, n_maps``.
    """

    places: pd.DataFrame
    summary: dict[str, Any]


def mapped(found: Similarity) -> Map | None:
    """Order the fingerprints, lay them out, and do it again on resampled items.

    Parameters
    ----------
    found : Similarity
        Of one study.

    Returns
    -------
    Map or None
        None where fewer than `FEWEST_MODELS` fingerprints can be compared with each other. Every
        map of resampled items is turned and mirrored to fit the first. ``spread`` is the root
        mean square distance of a model from its place over these maps, in units of the root
        mean square distance of all places from their centre.
    """
    matrix = found.matrix()
    chosen = comparable(matrix, range(len(matrix)))
    if len(chosen) < FEWEST_MODELS:
        return None
    cut = np.ix_(chosen, chosen)
    order, layout = hierarchical_order(matrix[cut]), classical_layout(chord(matrix[cut]))
    clouds = _resampled(found, cut, layout.points)
    radius = float(np.sqrt((layout.points**2).sum(axis=1).mean()))
    places = pd.DataFrame(layout.points, columns=["x", "y"], index=[found.prints.names[k] for k in chosen])
    places["leaf"] = np.argsort(order.leaves)
    places = places.join(_stability(clouds, layout.points, radius, places.index))
    summary = dict(n_mapped=len(chosen), cophenetic=order.cophenetic, share=layout.share)
    summary |= dict(stress=layout.stress, spread=places["spread"].mean(), n_maps=len(clouds))
    return Map(places, summary)


def model_rows(found: Similarity, kin: Kin, drawn: Map | None, about: pd.DataFrame) -> pd.DataFrame:
    """Tidy table of all fingerprints of one study; see `handan.findings.geometry.Geometry`.

    Parameters
    ----------
    found : Similarity
        Of the study.
    kin : Kin
        Roles.
    drawn : Map or None
        A result of `mapped`.
    about : DataFrame
        Rows of the study from `handan.findings.fingerprint_rows.item_rows`.
    """
    names = found.prints.names
    table = pd.DataFrame({"study": found.prints.study, "model": names})
    table["role"] = [*(kin.role(name) for name in names[:-1]), NORMS_ROLE]
    table = table.join(_sizes(found.prints))
    groups = about.groupby("model")
    told = groups[["n_samples", "truncated"]].mean().assign(n_repeated=groups["n_repeated"].sum())
    table = table.join(told, on="model").join(_neighbours(found))
    places = pd.DataFrame(index=[], columns=PLACES, dtype=float) if drawn is None else drawn.places
    table = table.join(places, on="model")
    table["note"] = [_note(row, drawn is not None) for row in table.to_dict("records")]
    return table


PLACES = ["leaf", "x", "y", "spread", "ellipse_width", "ellipse_height", "ellipse_angle"]


def _resampled(found: Similarity, cut: Any, target: FloatArray) -> FloatArray:
    matrices = found.matrix(found.draws[:MOST_MAPS])[:, *cut]
    usable = matrices[~np.isnan(matrices).any(axis=(1, 2))]
    maps = [superimposed(classical_layout(chord(one)).points, target) for one in usable]
    return np.array(maps).reshape(-1, *target.shape)


def _stability(clouds: FloatArray, points: FloatArray, radius: float, names: pd.Index) -> pd.DataFrame:
    rows = []
    for k in range(len(points)):
        if len(clouds) < 2 or radius == 0:
            rows.append(dict.fromkeys(PLACES[3:], np.nan))
            continue
        away = np.sqrt(((clouds[:, k] - points[k]) ** 2).sum(axis=1).mean())
        around = covering_ellipse(clouds[:, k])
        sizes = dict(ellipse_width=around.width, ellipse_height=around.height, ellipse_angle=around.angle)
        rows.append(dict(spread=float(away) / radius, **sizes))
    return pd.DataFrame(rows, index=names)


def _sizes(prints: Fingerprints) -> pd.DataFrame:
    """Items and reliability of each fingerprint, over the tasks in which it varies."""
    n, total = np.zeros((2, len(prints.names)))
    noise = np.zeros(len(prints.names))
    for task in prints.tasks:
        known = ~np.isnan(task.matrix)
        n += known.sum(axis=0)
        top, bottom = (np.where(known, task.matrix, fill) for fill in (-np.inf, np.inf))
        varies = known.any(axis=0) & (top.max(axis=0) > bottom.min(axis=0))
        weight = np.where(varies, known.sum(axis=0), 0)
        total += weight
        noise += np.where(varies, weight * task.reliability, 0.0)
    reliability = np.where(total > 0, noise / np.maximum(total, 1), np.nan)
    return pd.DataFrame(
        {"n_items": n.astype(int), "n_varying": total.astype(int), "reliability": reliability}
    )


def _neighbours(found: Similarity) -> pd.DataFrame:
    """Find the most similar model of each fingerprint; people are nobody's neighbour."""
    names = np.array(found.prints.names)
    matrix = _without_self(found.matrix())
    draws = _without_self(found.matrix(found.draws[:MOST_MAPS]))
    nearest, top = matrix.argmax(axis=-1), matrix.max(axis=-1)
    exists = np.isfinite(top)
    counts = np.isfinite(matrix).sum(axis=1)
    sums = np.where(np.isfinite(matrix), matrix, 0.0).sum(axis=1)
    return pd.DataFrame(
        dict(mean_r=np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
        | dict(nearest=np.where(exists, names[nearest], ""), nearest_r=np.where(exists, top, np.nan))
        | dict(nearest_share=np.where(exists, (draws.argmax(axis=-1) == nearest).mean(axis=0), np.nan))
    )


def _without_self(matrices: FloatArray) -> FloatArray:
    cleared = np.where(np.isnan(matrices), -np.inf, matrices)
    k = matrices.shape[-1]
    cleared[..., np.arange(k), np.arange(k)] = -np.inf
    cleared[..., :, k - 1] = -np.inf
    return cleared


def _note(row: dict[str, Any], is_drawn: bool) -> str:
    said = [f"{row['role']}, so in no test"] if row["role"] in (NOT_PLACED, OTHER_SETTINGS) else []
    if row["n_varying"] == 0:
        said.append("does not vary over the items of any task: no fingerprint")
    elif is_drawn and np.isnan(row["x"]):
        said.append("shares too few items with others: not on the map")
    if np.isnan(row["reliability"]) and row["n_varying"]:
        said.append(_why_unreliable(row))
    return "; ".join(said)


def _why_unreliable(row: dict[str, Any]) -> str:
    if row["role"] == NORMS_ROLE:
        return "the norms' reliability is not known"
    if row["n_samples"] == 1:
        return "one sample per item: its noise is not known"
    return f"its noise is not known: {row['n_repeated']:.0f} items with several samples that could be used"
