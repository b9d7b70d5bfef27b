"""Level and power of the joint test of a multiverse, and coverage of its intervals, by simulation.

Run from the project's root; it takes about an hour on one core:

    python benchmarks/multiverse_level.py --out tests/findings/multiverse_level.json

A study is a teacher and its students on the same items, with people. Two schemes draw the null
distribution of the same specifications: random signs of what the items add to the estimates
(the package), and swapping the standardised log costs of the two models of each pair within
items (the same items for all pairs and specifications). Where the worlds make the null
hypothesis true, a test at the 5 % level may reject in 5 % of the studies. The last rows are
about `handan.findings.wrong_answers`: a wrong answer costs `TIMES` as much as a right one.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from handan.findings.join import join
from handan.findings.multiverse_tests import AGREEMENT, CLEAR, MEDIAN, joint_tests
from handan.findings.specification_data import Task
from handan.findings.specifications import Explored, explore_study
from handan.findings.verdict import COLLAPSE
from handan.findings.wrong_answers import WAYS, wrong_answers
from handan.inputs import Inputs
from handan.stats.simulate import proportion_interval
from handan.tables import check_costs, check_norms


@dataclass(frozen=True)
class World:
    """Where studies come from; by default all models are alike.

    Parameters
    ----------
    items, students : int
        Size of a study.
    teacher, student : float
        Correlation of the log cost with people.
    spread, times : float
        Standard deviation of the log cost of students beside that of the teacher (0.5), and
        their multiplier.
    own, shared : float
        Correlation of what models do beside people: of a student with the teacher, and of
        students with one another.
    loops : float
        Share of a student's traces that are far too long, whatever the item.
    wrong : float
        How strongly hard items bring wrong answers; 0 for no record of answers.
    raw : bool
        Whether specifications with raw costs and with ranks belong to the null hypothesis.
    """

    items: int = 46
    students: int = 3
    teacher: float = 0.5
    student: float = 0.5
    spread: float = 1.0
    times: float = 1.0
    own: float = 0.5
    shared: float = 0.5
    loops: float = 0.0
    wrong: float = 0.0
    raw: bool = False

    def draw(self, rng: np.random.Generator) -> Task:
        """One study, as a task of a teacher and its students."""
        n, m = self.items, self.students + 1
        human, among = rng.standard_normal(n), np.full((m, m), self.shared)
        among[0], among[:, 0] = self.own, self.own
        np.fill_diagonal(among, 1)
        beside = rng.multivariate_normal(np.zeros(m), among, size=n, method="eigh")
        looped = rng.random((n, m)) < self.loops * (np.arange(m) > 0)
        # Centred and scaled, so that the correlation with people is what it was.
        beside = (beside + 3 * looped - 3 * self.loops * (np.arange(m) > 0)) / np.sqrt(
            1 + 9 * self.loops * (1 - self.loops) * (np.arange(m) > 0)
        )
        r = np.array([self.teacher] + [self.student] * self.students)
        log = 6 + 0.5 * np.where(np.arange(m), self.spread, 1) * (
            r * human[:, None] + np.sqrt(1 - r**2) * beside
        )
        log += np.where(np.arange(m), np.log(self.times), 0)
        prompt = 5 + 0.3 * (0.5 * human + np.sqrt(0.75) * rng.standard_normal(n))
        right = np.full(n * m, np.nan)
        if self.wrong:
            right = (
                (rng.random((n, m)) < 1 / (1 + np.exp(self.wrong * human[:, None] - 1.5)))
                .astype(float)
                .ravel()
            )
        names = ["teacher"] + [f"student-{k}" for k in range(1, m)]
        nothing = np.full(n * m, np.nan)
        costs = {"reasoning_tokens": np.exp(log).ravel(), "output_tokens": nothing, "n_chars": nothing}
        return Task(
            "simulated", "t", [f"i{k}" for k in range(n)], names, {"as is": human},
            np.repeat(prompt[:, None], m, axis=1), np.arange(n * m), costs, right, nothing, nothing,
        )  # fmt: skip

    def pairs(self) -> pd.DataFrame:
        """Each student with the teacher."""
        students = [f"student-{k}" for k in range(1, self.students + 1)]
        return pd.DataFrame({"a": "teacher", "b": students, "relation": "own teacher"}, dtype="string")


def explored(world: World, task: Task) -> Explored:
    """All specifications whose null hypothesis the world makes true."""
    one = explore_study([task], world.pairs(), COLLAPSE, list(task.costs))
    run = one.table[one.table["run"].astype(bool)]
    keep = np.ones(len(run), dtype=bool)
    if not world.raw:
        keep &= (run["scale"] == "log").to_numpy()
    if world.loops:
        keep &= (run["correlation"] == "pearson").to_numpy()
    if world.wrong:
        # Each model on its own right answers is another set of items for each.
        keep &= (run["answers"] != "right only").to_numpy()
    return Explored(run[keep].reset_index(drop=True), one.deviations[:, keep], one.reach[keep])


def swapped(world: World, task: Task, n_draws: int, rng: np.random.Generator) -> float:
    """Two-sided p of the median difference when the two models of every pair are swapped within items."""
    log = task.matrix("reasoning_tokens", "log", "all", "kept")
    log = (log - log.mean(axis=0)) / log.std(axis=0)
    signs = np.vstack([np.zeros(len(log), dtype=bool), rng.random((n_draws, len(log))) < 0.5])
    human, prompt = task.human["as is"], task.log_prompt[:, 0]
    students = range(1, log.shape[1])
    differences = [
        np.mean([_difference(log[:, 0], log[:, k], signs, human, z, ranks) for k in students], axis=0)
        for ranks in ([False] if world.loops else [False, True])
        for z in (None, prompt)
    ]
    medians = np.median(differences, axis=0)
    return float(np.mean(np.abs(medians) >= abs(medians[0]) - 1e-12))


def _difference(a, b, signs, human, z, ranks):
    left, right = np.where(signs, b, a), np.where(signs, a, b)
    return _correlations(left, human, z, ranks) - _correlations(right, human, z, ranks)


def _correlations(x, y, z, ranks):
    if ranks:
        x, y, z = rankdata(x, axis=1), rankdata(y), None if z is None else rankdata(z)
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean()
    if z is not None:
        z = (z - z.mean()) / np.sqrt(((z - z.mean()) ** 2).sum())
        x, y = x - np.outer(x @ z, z), y - (y @ z) * z
    return x @ y / np.sqrt((x**2).sum(axis=1) * (y**2).sum())


WORLDS = {
    "alike": dict(raw=True),
    "one pair": dict(students=1, raw=True),
    "multiplier and spread": dict(times=2.44, spread=2.0),
    "students alike": dict(own=0.2, shared=0.8),
    "strangers": dict(own=0.0, shared=0.0),
    "near copies": dict(own=0.9, shared=0.9),
    "loops": dict(loops=0.1),
    "wrong answers": dict(wrong=1.0),
}


def rates(world: World, n_studies: int, n_draws: int, seed: int = 0) -> dict[str, float]:
    """Count, over studies, how often each test rejects and each interval misses the truth."""
    rng = np.random.default_rng([seed, world.items])
    truth = world.teacher - world.student
    hits = dict.fromkeys([MEDIAN, AGREEMENT, CLEAR, "swap", "interval misses"], 0.0)
    widths, n_specifications = 0.0, 0
    for study in range(n_studies):
        task = world.draw(rng)
        one = explored(world, task)
        tests = joint_tests(one, n_draws, study).set_index("statistic")["p"]
        for name in (MEDIAN, AGREEMENT, CLEAR):
            hits[name] += bool(tests[name] <= 0.05)
        hits["swap"] += swapped(world, task, n_draws, rng) <= 0.05
        # Only on this scale is the true difference known when it is not zero.
        plain = "scale == 'log' and correlation == 'pearson' and prompt == 'ignored' and answers == 'all'"
        row = one.table.query(plain).iloc[0]
        hits["interval misses"] += not bool(row["low"] <= truth <= row["high"])
        widths += row["high"] - row["low"]
        n_specifications = len(one.table)
    return {**hits, "width": widths / n_studies, "specifications": n_specifications}


TIMES = 1.5


def missed_ratios(n_items: int, n_studies: int, seed: int = 0) -> dict[str, int]:
    """Count the studies in which the interval of each way misses the true ratio."""
    rng = np.random.default_rng([seed, n_items])
    items, models = [f"i{k}" for k in range(n_items)], ["m0", "m1", "m2"]
    missed = dict.fromkeys(WAYS, 0)
    for _ in range(n_studies):
        hard = rng.standard_normal(n_items)
        rows = pd.MultiIndex.from_product(
            [["t"], items, models, [0, 1]], names=["task", "item", "model", "sample"]
        )
        costs = rows.to_frame(index=False)
        place = np.repeat(np.arange(n_items), 6)
        own = np.repeat(rng.standard_normal(n_items * 3), 2)
        costs["correct"] = (rng.random(len(costs)) < 1 / (1 + np.exp(hard[place] - 1))).astype(float)
        log = 6 + 0.4 * hard[place] + 0.3 * own + 0.3 * rng.standard_normal(len(costs))
        costs["reasoning_tokens"] = np.exp(log) * np.where(costs["correct"] == 1, 1, TIMES)
        norms = pd.DataFrame({"task": "t", "item": items, "log_rt": 1 + 0.3 * hard})
        told, people = check_costs(costs), check_norms(norms)
        inputs = Inputs(join(told, people), None, told, people)
        found = wrong_answers(inputs, pd.DataFrame({"model": models, "role": "student"}))
        for row in found[found["group"] == "student"].itertuples():
            missed[row.way] += not row.low <= TIMES <= row.high
    return missed


def simulate(n_studies: int, n_draws: int) -> pd.DataFrame:
    """A row per world, size, difference and quantity."""
    plan = [(name, n, 0.0, options) for name, options in WORLDS.items() for n in (30, 46, 136)]
    plan += [("alike", n, drop, {}) for n in (46, 136) for drop in (0.15, 0.3)]
    rows = []
    for name, n, drop, options in plan:
        world = World(**{"items": n, **options, "teacher": 0.5 + drop / 2, "student": 0.5 - drop / 2})
        counts = rates(world, n_studies, n_draws)
        about = dict(world=name, items=n, drop=drop, specifications=counts.pop("specifications"))
        width = counts.pop("width")
        rows += [{**about, "quantity": key, **_rate(count, n_studies)} for key, count in counts.items()]
        print(about, {key: count / n_studies for key, count in counts.items()}, f"{width:.3f}", flush=True)
    return pd.DataFrame(rows + ratios(n_studies))


def ratios(n_studies: int) -> list[dict[str, object]]:
    """Rows about the cost of wrong answers."""
    return [
        dict(world="wrong answers dearer", items=n, drop=0.0, specifications=0, quantity=f"misses {way}")
        | _rate(count, n_studies)
        for n in (46, 136)
        for way, count in missed_ratios(n, n_studies).items()
    ]


def _rate(count: float, n_studies: int) -> dict[str, float]:
    low, high = proportion_interval(int(count), n_studies)
    return dict(rate=count / n_studies, low=low, high=high, n_studies=n_studies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1_000)
    parser.add_argument("--draws", type=int, default=199)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    start = time.perf_counter()
    table = simulate(options.studies, options.draws)
    if options.out:
        rows = table.round(4).to_dict("records")
        options.out.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")
    wide = table.pivot_table(index=["world", "items", "drop"], columns="quantity", values="rate", sort=False)
    print(wide.round(3).to_string())
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
