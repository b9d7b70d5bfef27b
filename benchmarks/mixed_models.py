"""Mixed models on simulated studies whose truth is known: level, coverage, bias, and the search.

Run from the project's root; every cell of simulated studies takes about two minutes of one core.
The first three are those where roles differ; `--cells 12` runs all.

    python benchmarks/mixed_models.py [--studies 1000] [--cells 3] \\
        [--out tests/stats/reference_mixed_simulated.json]

- *level*: all roles have the same slope of difficulty; how often does a 95 % interval of their
  difference miss it, where models of all roles differ alike, and where they don't?
- *bias*: which way of telling statsmodels about two crossed factors finds their variances?
- *search*: how often does MixedLM's own search end below the maximum?
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from handan.stats import _restricted, _rotated
from handan.stats.mixed_model import MixedFit, crossed
from handan.stats.simulate import proportion_interval

ROLES = ("teacher", "student", "baseline")
SLOPES = {"slope: teacher": 1, "slope: student": -1}
LEVELS = {"level: student": 1, "level: teacher": -1}
BASELINES = {"slope: student": 1, "slope: baseline": -1}
# Teachers, students and baselines of our studies' sizes, and items.
SHAPES = {
    "5 models x 52 items": (2, 3, 0, 52),
    "12 models x 136 items": (2, 5, 5, 136),
    "17 models x 60 items": (2, 6, 9, 60),
    "22 models x 46 items": (5, 6, 11, 46),
}


@dataclass(frozen=True)
class World:
    """Standard deviations of the log cost; of roles: teachers, students, baselines.

    Parameters
    ----------
    slopes : tuple of float
        Of the models' slopes within each role.
    item_role : tuple of float
        Of what an item does to all models of each role.
    noise : tuple of float
        Of each role's models.
    models, items : float
        Of models' levels and of items.
    """

    slopes: tuple[float, float, float] = (0.08, 0.08, 0.08)
    item_role: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: tuple[float, float, float] = (0.4, 0.4, 0.4)
    models: float = 0.3
    items: float = 0.4


WORLDS = {
    "slopes vary": World(),
    "slopes equal": World(slopes=(0.0, 0.0, 0.0)),
    "items differ by role": World(item_role=(0.3, 0.3, 0.3)),
    "baselines differ": World(item_role=(0.0, 0.1, 0.6), noise=(0.5, 0.4, 0.3)),
    "teachers vary more": World(slopes=(0.2, 0.1, 0.1)),
    "teachers vary much more": World(slopes=(0.3, 0.1, 0.1)),
    "baselines vary less": World(slopes=(0.16, 0.16, 0.04)),
}


CELLS = [
    ("17 models x 60 items", "teachers vary more"),
    ("17 models x 60 items", "teachers vary much more"),
    ("22 models x 46 items", "baselines vary less"),
    ("17 models x 60 items", "slopes vary"),
    ("5 models x 52 items", "teachers vary more"),
    ("5 models x 52 items", "slopes vary"),
    ("22 models x 46 items", "slopes vary"),
    ("22 models x 46 items", "items differ by role"),
    ("22 models x 46 items", "baselines differ"),
    ("5 models x 52 items", "slopes equal"),
    ("5 models x 52 items", "items differ by role"),
    ("12 models x 136 items", "slopes vary"),
]


def study(
    shape: tuple[int, int, int, int], world: World, rng: np.random.Generator, change=0.0
) -> pd.DataFrame:
    """Draw one study; `change` is added to the students' slope."""
    *counts, n = shape
    difficulty = rng.standard_normal(n)
    difficulty = (difficulty - difficulty.mean()) / difficulty.std(ddof=1)
    item = world.items * rng.standard_normal(n)
    rows = []
    for place, count in enumerate(counts):
        own = item + world.item_role[place] * rng.standard_normal(n)
        for k in range(count):
            level, slope = world.models * rng.standard_normal(), world.slopes[place] * rng.standard_normal()
            slope += 0.3 + change * (ROLES[place] == "student")
            value = 6 + level + slope * difficulty + own + world.noise[place] * rng.standard_normal(n)
            row = dict(model=f"{ROLES[place]} {k}", role=ROLES[place], task="t", item=np.arange(n))
            rows.append(pd.DataFrame(row | dict(difficulty=difficulty, value=value)))
    return pd.concat(rows, ignore_index=True)


def intervals(frame: pd.DataFrame, world: str, others: bool = True) -> dict[str, tuple[float, float]]:
    """95 % intervals of the difference of slopes, by way, slow `others` too; and of more terms by ours."""
    fit = crossed(frame)
    slopes = fit.combine(SLOPES)
    found = {
        "normal quantile": _reach(slopes, norm.ppf(0.975)),
        "Satterthwaite": _reach(slopes, t.ppf(0.975, satterthwaite(fit, SLOPES))),
        "ours": _ends(slopes),
        "ours, difference of levels": _ends(fit.combine(LEVELS)),
        "ours, slope of students": _ends(fit.combine({"slope: student": 1})),
    }
    if (frame["role"] == "baseline").any():
        found["ours, students - baselines"] = _ends(fit.combine(BASELINES))
    if others and world == "items differ by role":
        bare = crossed(frame, leave_out=[f"item x {role}" for role in frame["role"].unique()])
        found["without item x role"] = _ends(bare.combine(SLOPES))
    if others and len(set(WORLDS[world].slopes)) > 1:
        found["one variance for all roles"] = _ends(crossed(frame, by_role=False).combine(SLOPES))
    return found


def satterthwaite(fit: MixedFit, weights: dict[str, float]) -> float:
    """Degrees of freedom of the sum of the parts of a variance, as estimated."""
    weight = np.array([weights.get(term, 0.0) for term in fit.fixed["term"]])
    parts = {name: weight @ share @ weight for name, share in fit._shares.items()}
    return sum(parts.values()) ** 2 / sum(part**2 / fit._df[name] for name, part in parts.items())


def _ends(found):
    return found["low"], found["high"]


def _reach(found, quantile):
    return found["estimate"] - quantile * found["se"], found["estimate"] + quantile * found["se"]


def level(shape: str, world: str, n_studies: int, seed: int = 0) -> pd.DataFrame:
    """Share of studies in which each interval misses the truth: the level of its test."""
    rng = np.random.default_rng(seed)
    drawn = (study(SHAPES[shape], WORLDS[world], rng) for _ in range(n_studies))
    # A quarter is enough to see what is wrong with ways that need a fit of their own.
    found = [intervals(frame, world, 4 * k < n_studies) for k, frame in enumerate(drawn)]
    rows = []
    for way in found[0]:
        truth = 0.3 if way.endswith("slope of students") else 0.0
        low, high = np.array([one[way] for one in found if way in one]).T
        missed, n = int(((low > truth) | (high < truth)).sum()), len(low)
        least, most = proportion_interval(missed, n)
        row = dict(shape=shape, world=world, way=way, n_studies=n, missed=missed / n)
        rows.append(row | dict(least=least, most=most, width=float(np.median(high - low))))
    return pd.DataFrame(rows)


def bias(n_studies: int, seed: int = 0) -> pd.DataFrame:
    """Mean variance of models, items and noise by way of telling statsmodels, with the truth."""
    rng = np.random.default_rng(seed)
    world = World(slopes=(0.0, 0.0, 0.0), models=0.6, items=0.8, noise=(0.5, 0.5, 0.5))
    rows = []
    for _ in range(n_studies):
        frame = study((6, 6, 0, 25), world, rng)
        rows += [dict(way=way) | found for way, found in variances(frame).items()]
    table = pd.DataFrame(rows).groupby("way", sort=False).agg(["mean", "sem"])
    table.columns = [" ".join(name) for name in table.columns]
    truth = dict(zip(("model", "item", "noise"), (0.36, 0.64, 0.25), strict=True))
    return table.reset_index().assign(**{f"{name} truth": value for name, value in truth.items()})


def variances(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Variances of models, items and noise in one study, by way."""
    import statsmodels.formula.api as smf

    data = frame.assign(all="one")
    ways = {
        "groups = model": ("model", {"item": "0 + C(item)"}),
        "groups = item": ("item", {"model": "0 + C(model)"}),
        "one group": ("all", {"model": "0 + C(model)", "item": "0 + C(item)"}),
    }
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for way, (groups, parts) in ways.items():
            formula = "value ~ role * difficulty"
            # A grouping factor has an intercept of its own; a group that holds everything has none.
            own_intercept = None if way == "one group" else "1"
            model = smf.mixedlm(formula, data, groups=groups, re_formula=own_intercept, vc_formula=parts)
            fit = model.fit()
            own = {groups: float(fit.cov_re.iloc[0, 0])} if own_intercept else {}
            found[way] = own | dict(zip(model.exog_vc.names, fit.vcomp, strict=True)) | {"noise": fit.scale}
    left_out = ["model x difficulty", *(f"item x {role}" for role in frame["role"].unique())]
    ours = crossed(frame, leave_out=left_out, by_role=False).components.set_index("component")["sd"] ** 2
    found["ours"] = dict(model=ours["model"], item=ours["item"], noise=ours["residual"])
    return found


def search(n_studies: int, seed: int = 0) -> pd.DataFrame:
    """How far below our maximum MixedLM's own search ends, on the same rotated rows."""
    rng = np.random.default_rng(seed)
    rows = []
    for shape in ("5 models x 52 items", "22 models x 46 items"):
        lost, said = [], []
        for _ in range(n_studies):
            frame = study(SHAPES[shape], WORLDS["slopes vary"], rng)
            ours = crossed(frame, by_role=False)
            own = library_fit(frame, ours.components["component"].tolist()[:-1])
            lost.append(ours.loglik - own.llf)
            said.append(own.converged)
        short = np.array(lost) > 0.01
        row = dict(shape=shape, n_studies=n_studies, short=float(short.mean()), worst=float(max(lost)))
        rows.append(
            row | dict(short_but_converged=float((short & np.array(said)).mean()), best=float(min(lost)))
        )
    return pd.DataFrame(rows)


def library_fit(frame: pd.DataFrame, names: list[str]):
    """Fit with MixedLM's own search over standard deviations."""
    blocks = list(_rotated.blocks(frame, list(dict.fromkeys(frame["role"]))))
    groups = [_rotated.head(blocks), *_rotated.contrasts(blocks), *_rotated.rest(blocks, 4_000)]
    model = _restricted._mixed_lm(groups, names)
    model.use_sqrt = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(reml=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--cells", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    start = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(level, *zip(*CELLS[: options.cells], strict=True), itertools.repeat(options.studies))
        parts = []
        for (shape, world), part in zip(CELLS[: options.cells], found, strict=True):
            print(f"{time.perf_counter() - start:.0f} s: {shape}, {world}", flush=True)
            parts.append(part)
    few = max(1, options.studies // 10)
    tables = {"level": pd.concat(parts, ignore_index=True), "bias": bias(few), "search": search(few)}
    for name, table in tables.items():
        print(f"\n{name}\n{table.round(3).to_string(index=False)}")
    print(f"\n{time.perf_counter() - start:.0f} s")
    if options.out:
        worlds = {name: asdict(world) for name, world in WORLDS.items()}
        found = {name: table.to_dict("records") for name, table in tables.items()}
        made = dict(made_by="benchmarks/mixed_models.py", studies=options.studies, worlds=worlds)
        options.out.write_text(json.dumps(made | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
