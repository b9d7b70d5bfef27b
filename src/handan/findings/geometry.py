"""Geometry: the question whose difficulty fingerprint a student has.

Third parties report that the paper compares the fingerprints of models pairwise (see
`handan.findings.fingerprint`). Here every similarity has an interval, is corrected for noise
where samples repeat, and is drawn as a map whose stability is shown; permutation tests ask whom
students resemble.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from handan.findings.fingerprint import PEOPLE, fingerprints
from handan.findings.fingerprint_rows import item_rows, over_seeds, studies_of_families
from handan.findings.geometry_allocation import allocation_rows
from handan.findings.geometry_kin import Kin, kin
from handan.findings.geometry_map import NO_MAP, PLACES, Map, mapped, model_rows
from handan.findings.geometry_pairs import Similarity, pair_rows, similarity
from handan.findings.geometry_tests import resemblance_rows
from handan.findings.join import Joined

_TEXT, _WHOLE, _REAL, _FLAG = "string", "Int64", "float64", "boolean"
PAIRS = (
    dict.fromkeys(("study", "a", "b", "role_a", "role_b", "relation"), _TEXT)
    | dict.fromkeys(("n", "n_tasks"), _WHOLE)
    | dict.fromkeys(("r", "low", "high"), _REAL)
    | {"n_boot": _WHOLE, "partial": _REAL, "covariate": _TEXT}
    | dict.fromkeys(("reliability_a", "reliability_b", "corrected"), _REAL)
    | {"note": _TEXT}
)
MODELS = (
    {"study": _TEXT, "model": _TEXT, "role": _TEXT, "n_items": _WHOLE, "n_varying": _WHOLE}
    | dict.fromkeys(("n_samples", "truncated", "reliability", "mean_r"), _REAL)
    | {"nearest": _TEXT, "nearest_r": _REAL, "nearest_share": _REAL}
    | dict.fromkeys(PLACES, _REAL)
    | {"note": _TEXT}
)
TESTS = (
    dict.fromkeys(("study", "test", "question", "statistic"), _TEXT)
    | dict.fromkeys(("n_models", "n_pairs", "n_items"), _WHOLE)
    | dict.fromkeys(("r_own", "r_others", "effect", "low", "high", "p", "p_smallest"), _REAL)
    | {"n_perm": _WHOLE, "exact": _FLAG, "exchangeable": _TEXT, "note": _TEXT}
)
STUDENTS = (
    dict.fromkeys(("study", "relation", "student", "teacher", "base"), _TEXT)
    | {"n": _WHOLE}
    | dict.fromkeys(("r_teacher", "r_base", "difference", "low", "high", "corrected"), _REAL)
    | {"note": _TEXT}
)
ALLOCATION = (
    {"study": _TEXT, "relation": _TEXT, "n_pairs": _WHOLE, "n_items": _WHOLE}
    | dict.fromkeys(("r_teacher", "r_base", "difference", "low", "high", "corrected"), _REAL)
    | {"verdict": _TEXT, "on_edge": _FLAG, "sentence": _TEXT}
)
STUDIES = (
    {"study": _TEXT, "measure": _TEXT}
    | dict.fromkeys(("n_models", "n_tasks", "n_items", "n_boot", "n_mapped"), _WHOLE)
    | dict.fromkeys(("cophenetic", "share", "stress", "spread"), _REAL)
    | {"n_maps": _WHOLE, "note": _TEXT}
)
NO_ALLOCATION = "no student was measured together with its own teacher and a baseline of its own"


@dataclass(frozen=True)
class Geometry:
    """The fingerprints of every study, compared.

    All intervals are 95 % percentile intervals over items, resampled within tasks, once for
    all models. P values are one-sided and not corrected for their number.

    Attributes
    ----------
    pairs : DataFrame
        A row per pair of models, or of a model and people (``b``): ``role_a, role_b`` (people, or
        what stands for them, have the role ``norms``), ``relation`` (``own teacher``, ``true
        base``, ``instruct sibling``, ``both students``, ``norms`` or none), ``n`` common items in
        ``n_tasks`` tasks, ``r`` with ``low, high`` from ``n_boot`` resamples, ``partial`` (r given
        the log of the ``covariate``, z-scored within task), ``reliability_a, reliability_b``,
        ``corrected`` (r without noise; NaN where a reliability is unknown; can lie above 1, see
        ``note``).
    models : DataFrame
        A row per model and one for people: ``role``, ``n_items``, ``n_varying`` (items of tasks
        in which the cost varies), ``n_samples`` per item, share ``truncated``, ``reliability``,
        ``mean_r`` with the models, the ``nearest`` model with ``nearest_r`` and the share of
        resamples in which it is the nearest, ``leaf`` (place in the hierarchical order), place
        ``x, y`` on the map, ``spread`` (root mean square displacement over maps of resampled
        items, in units of the map's radius), and the 95 % ellipse of these maps (full axes and
        the angle of the first in degrees).
    tests : DataFrame
        A row per study × test: ``question``, ``statistic``, mean ``r_own`` and ``r_others``, the
        ``effect`` with ``low, high``, ``p``, ``p_smallest`` (the least p that the design could
        give), ``n_perm`` relabellings, ``exact`` (whether these are all), and what was taken to
        be ``exchangeable``.
    students : DataFrame
        A row per student × baseline, all on the items that student, teacher and baseline share:
        ``r_teacher, r_base``, their ``difference`` (base minus teacher) with ``low, high``, and
        that difference after correction for noise (``corrected``; NaN where a reliability is
        unknown or a corrected r would lie beyond 1).
    allocation : DataFrame
        The same pooled per study and kind of baseline, with ``verdict, on_edge, sentence``. The
        claim is that students keep the allocation of their base: a difference above 0.
    studies : DataFrame
        A row per study: ``measure`` (the name of the row of people), ``cophenetic``
        correlation of the tree, ``share`` of variance on the map, its ``stress`` and mean
        ``spread`` over ``n_maps`` maps, and a ``note`` on what is missing.
    """

    pairs: pd.DataFrame
    models: pd.DataFrame
    tests: pd.DataFrame
    students: pd.DataFrame
    allocation: pd.DataFrame
    studies: pd.DataFrame


def geometry(
    joined: Joined,
    lineage: pd.DataFrame,
    reliability: pd.DataFrame | None = None,
    costs: pd.DataFrame | None = None,
    *,
    cost: str = "reasoning_tokens",
    measure: str | Mapping[str, str] = PEOPLE,
    n_boot: int = 10_000,
    n_perm: int = 10_000,
    seed: int = 0,
) -> Geometry:
    """Compare the difficulty fingerprints of all models, and of people, within every study.

    Models that the lineage places in families (columns ``condition, repertoire, seed``) are
    averaged over seeds first.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    lineage : DataFrame
        Roles and kinship. A model that it does not name is compared but takes part in no test.
    reliability : DataFrame, optional
        Reliability of the norms; see `handan.tables`.
    costs : DataFrame, optional
        The costs that were joined: their repeated samples give the models' reliabilities.
    cost : str
        The cost column that was joined.
    measure : str or mapping of str to str
        What stands for human difficulty, for all studies or by study, as in
        `handan.inputs.Inputs`. It names the row of people where nobody was timed.
    n_boot : int
        Resamples of items; a large study takes fewer (``n_boot`` in the tables says how many).
    n_perm : int
        Relabellings of models that are drawn where there are more than these.
    seed : int
        Of all draws.

    Returns
    -------
    Geometry
        A study with too few models has rows without a map, and a note.

    Raises
    ------
    TableError
        When the lineage is inconsistent.
    LookupError
        When the costs have no column `cost`.
    """
    rows = item_rows(joined, costs, cost)
    averaged = studies_of_families(lineage, rows)
    if averaged:
        rows, lineage = over_seeds(rows, lineage)
    related = kin(lineage)
    parts = []
    for name, about in rows.groupby("study", sort=False):
        told = measure if isinstance(measure, str) else measure.get(str(name), PEOPLE)
        found = similarity(fingerprints(about, reliability, told), n_boot, seed)
        tables = _tables(found, related, about, joined.covariate, n_perm, seed)
        students, pooled = allocation_rows(found, related, n_boot, seed, str(name) in averaged)
        parts.append(tables | {"students": students, "allocation": pooled})
        parts[-1]["studies"] = [_study_row(found, parts[-1].pop("map"), pooled)]
    shapes = dict(
        pairs=PAIRS, models=MODELS, tests=TESTS, students=STUDENTS, allocation=ALLOCATION, studies=STUDIES
    )
    return Geometry(**{name: _typed([part[name] for part in parts], shape) for name, shape in shapes.items()})


def _tables(
    found: Similarity, related: Kin, about: pd.DataFrame, covariate: str | None, n_perm: int, seed: int
) -> dict[str, Any]:
    drawn = mapped(found)
    return {
        "pairs": pair_rows(found, related, covariate),
        "models": model_rows(found, related, drawn, about),
        "tests": resemblance_rows(found, related, n_perm, seed),
        "map": drawn,
    }


def _study_row(found: Similarity, drawn: Map | None, pooled: list[dict[str, Any]]) -> dict[str, Any]:
    prints = found.prints
    said = [] if drawn else [NO_MAP]
    if not pooled:
        said.append(NO_ALLOCATION)
    row: dict[str, Any] = dict(study=prints.study, measure=prints.names[-1], n_models=len(prints.names) - 1)
    row |= dict(n_tasks=len(prints.tasks), n_items=sum(len(task.matrix) for task in prints.tasks))
    row |= dict(n_boot=len(found.draws), n_mapped=0, n_maps=0)
    return row | (drawn.summary if drawn else {}) | {"note": "; ".join(said)}


def _typed(parts: list[Any], shape: dict[str, str]) -> pd.DataFrame:
    frames = [pd.DataFrame(part) for part in parts]
    filled = [one for one in frames if len(one)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    return table.reindex(columns=list(shape)).astype(shape)
