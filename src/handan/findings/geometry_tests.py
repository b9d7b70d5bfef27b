"""Whom do students resemble? Permutation tests on the similarities of one study.

Each test says what it takes to be exchangeable, that is, what could just as well have been
otherwise if the thing asked about made no difference. Models of one family, or of one size,
are alike for other reasons too, so exchangeability is an assumption here and not a fact. A test
speaks about these models on these items; the interval says how far the effect depends on the
items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from handan.findings.geometry_kin import Kin
from handan.findings.geometry_map import FEWEST_MODELS
from handan.findings.geometry_pairs import Similarity, comparable
from handan.findings.join import task_rng
from handan.stats._common import FloatArray
from handan.stats.percentile import percentile_interval
from handan.stats.permutation import Permuted, cohesion, mantel, own_reference

TESTED_ROLES = ("teacher", "student", "baseline")
QUESTIONS = {
    "students together": "Do students resemble one another more than they resemble teachers and baselines?",
    "own teacher": "Do students resemble their own teacher more than other teachers?",
    "own baseline": "Do students resemble their own baseline more than other baselines?",
    "same role": "Are models of the same role more similar than models of different roles?",
    "similar size": "Are models of similar size more similar?",
}


@dataclass(frozen=True)
class Setting:
    """What a test has to do with.

    Attributes
    ----------
    found : Similarity
        Similarities of the study.
    kin : Kin
        Roles and relations.
    chosen : list of int
        Teachers, students and baselines of which every similarity exists.
    n_perm, seed : int
        Relabellings to draw where there are too many to try all.
    """

    found: Similarity
    kin: Kin
    chosen: list[int]
    n_perm: int
    seed: int

    def names(self) -> list[str]:
        """Give the names of the chosen models."""
        return [self.found.prints.names[k] for k in self.chosen]

    def roles(self) -> np.ndarray:
        """Give the roles of the chosen models."""
        return np.array([self.kin.role(name) for name in self.names()])

    def rng(self, test: str) -> np.random.Generator:
        """Make the generator of one test."""
        return task_rng(self.seed, self.found.prints.study, f"permutations/{test}")


def resemblance_rows(found: Similarity, kin: Kin, n_perm: int, seed: int) -> list[dict[str, Any]]:
    """Run every test of one study; see `handan.findings.geometry.Geometry` for the columns.

    Parameters
    ----------
    found : Similarity
        Of the study.
    kin : Kin
        Roles and relations.
    n_perm, seed : int
        As in `handan.stats.permutation`.

    Returns
    -------
    list of dict
        A row per question; one that can't be asked has a note instead of numbers.
    """
    models = found.prints.names[:-1]
    tested = [k for k, name in enumerate(models) if kin.role(name) in TESTED_ROLES]
    setting = Setting(found, kin, comparable(found.matrix(), tested), n_perm, seed)
    tests: dict[str, Callable[[Setting], dict[str, Any]]] = {
        "students together": _together,
        "own teacher": _own_teacher,
        "own baseline": _own_baseline,
        "same role": _same_role,
        "similar size": _similar_size,
    }
    rows = []
    for name, test in tests.items():
        row = dict(
            study=found.prints.study, test=name, question=QUESTIONS[name], n_models=len(setting.chosen)
        )
        few = len(setting.chosen) < FEWEST_MODELS
        rows.append(
            row | (_silent(f"fewer than {FEWEST_MODELS} models to compare") if few else test(setting))
        )
    return rows


def _together(setting: Setting) -> dict[str, Any]:
    students = setting.roles() == "student"
    if not 2 <= students.sum() < len(students):
        return _silent("needs two students, and somebody else")
    matrix, columns = setting.found.among(setting.chosen)
    done = cohesion(matrix, students, setting.n_perm, setting.rng("students together"))
    i, j = np.triu_indices(len(students), 1)
    within = columns[i, j][students[i] & students[j]]
    between = columns[i, j][students[i] != students[j]]
    text = f"which {students.sum()} of the {len(students)} models are the students"
    return _difference(setting.found, within, between, done, text)


def _own_teacher(setting: Setting) -> dict[str, Any]:
    own = {name: setting.kin.own(name, "teacher") for name in setting.names()}
    return _own(setting, own, "teacher")


def _own_baseline(setting: Setting) -> dict[str, Any]:
    measured = tuple(setting.names())
    found = {name: setting.kin.baselines(name, measured) for name in measured}
    return _own(setting, {name: one[0][1] if one else None for name, one in found.items()}, "baseline")


def _own(setting: Setting, own: dict[str, str | None], role: str) -> dict[str, Any]:
    names, roles = setting.names(), setting.roles()
    students = [k for k, name in enumerate(names) if roles[k] == "student" and own[name] in names]
    if not students:
        return _silent(f"no student was measured together with its own {role}")
    mine = [names.index(str(own[names[k]])) for k in students]
    # Where students differ in their reference, the others' references are the best comparison:
    # the exchange then leaves alone how central a reference is. One reference needs further ones.
    references = sorted(set(mine))
    if len(references) == 1:
        references = sorted({*references, *(k for k, name in enumerate(roles) if name == role)})
    if len(references) == 1:
        return _silent(f"the study has no other {role}")
    matrix, columns = setting.found.among(setting.chosen)
    cut = np.ix_(students, references)
    place = np.array([references.index(k) for k in mine])
    done = own_reference(matrix[cut], place, setting.n_perm, setting.rng(f"own {role}"))
    is_own = np.zeros(columns[cut].shape, dtype=bool)
    is_own[np.arange(len(students)), place] = True
    text = f"which of the {len(references)} {role}s is whose"
    return _difference(setting.found, columns[cut][is_own], columns[cut][~is_own], done, text)


def _same_role(setting: Setting) -> dict[str, Any]:
    roles = setting.roles()
    return _mantel(setting, setting.chosen, (roles[:, None] == roles).astype(float), "same role", "roles")


def _similar_size(setting: Setting) -> dict[str, Any]:
    sizes = np.array([setting.kin.size(name) for name in setting.names()])
    known = sizes > 0
    if known.sum() < FEWEST_MODELS:
        return _silent(f"the size of fewer than {FEWEST_MODELS} models is known")
    chosen = [k for k, usable in zip(setting.chosen, known, strict=True) if usable]
    logs = np.log(sizes[known])
    return _mantel(setting, chosen, -np.abs(logs[:, None] - logs), "similar size", "sizes")


def _mantel(setting: Setting, chosen: list[int], design: FloatArray, test: str, what: str) -> dict[str, Any]:
    matrix, columns = setting.found.among(chosen)
    done = mantel(matrix, design, setting.n_perm, setting.rng(test))
    if np.isnan(done.statistic):
        return _silent(f"the {what} do not differ between the models, or r does not")
    i, j = np.triu_indices(len(chosen), 1)
    draws = _row_correlations(setting.found.draws[:, columns[i, j]], design[i, j])
    row = dict(n_models=len(chosen), n_pairs=len(i), statistic="Mantel r", r_own=np.nan, r_others=np.nan)
    return row | _result(setting.found, done, draws, columns[i, j], f"{what} among the {len(chosen)} models")


def _difference(
    found: Similarity, mine: np.ndarray, others: np.ndarray, done: Permuted, exchangeable: str
) -> dict[str, Any]:
    r = found.found["r"].to_numpy()
    draws = found.draws[:, mine].mean(axis=1) - found.draws[:, others].mean(axis=1)
    columns = np.concatenate([mine, others])
    row = dict(n_pairs=len(columns), statistic="difference of mean r")
    row |= dict(r_own=r[mine].mean(), r_others=r[others].mean())
    return row | _result(found, done, draws, columns, exchangeable)


def _result(
    found: Similarity, done: Permuted, draws: FloatArray, columns: np.ndarray, exchangeable: str
) -> dict[str, Any]:
    most = found.found.iloc[columns].sort_values("n").iloc[-1]
    n = int(most["n"])
    interval = percentile_interval(draws, n_items=n, n_tasks=most["n_tasks"])
    few = "no p below .05 is possible with so few models" if done.p_smallest >= 0.05 else ""
    return (
        dict(effect=done.statistic, low=float(interval.low), high=float(interval.high))
        | dict(p=done.p, p_smallest=done.p_smallest, n_items=n)
        | dict(n_perm=done.n, exact=done.exact, exchangeable=exchangeable, note=few)
    )


def _silent(note: str) -> dict[str, Any]:
    return {"note": note}


def _row_correlations(draws: FloatArray, design: FloatArray) -> FloatArray:
    """Pearson r of each row with the design; NaN where a row holds NaN or does not vary."""
    y = design - design.mean()
    x = draws - draws.mean(axis=1, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return (x @ y) / np.where(scale > 1e-12, scale, np.nan)
