import warnings

import numpy as np
import pandas as pd
import pytest

from handan import costs as recorded
from handan.findings.join import Joined, join
from handan.findings.mixed import COMPONENTS, FIXED, LAW, mixed
from handan.lineage import load_lineage
from handan.stats.mixed_model import crossed

TERMS = [
    "slope: teacher", "slope: student", "slope: baseline", "slope: teacher - student",
    "slope: student - baseline", "level: student - teacher", "level: student - baseline",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def lineage(counts):
    names = [(f"{role} {k}", role) for role, n in counts.items() for k in range(n)]
    return pd.DataFrame(names, columns=["model", "role"])


def study(kin, change=1.0, n=80, seed=0, tasks=("t",), name="simulated", noise=0.2, slopes=0.02, samples=1):
    """Students spend twice what teachers do, times `change` per standard deviation of difficulty."""
    rng = np.random.default_rng(seed)
    norms, costs = [], []
    for task in tasks:
        human = rng.normal(size=n)
        z = (human - human.mean()) / human.std(ddof=1)
        items = [f"{task}{k}" for k in range(n)]
        norms.append(pd.DataFrame(dict(task=task, item=items, log_rt=1 + 0.3 * human)))
        shared = rng.normal(0, 0.3, n)
        for model, role in zip(kin["model"], kin["role"], strict=True):
            student = role == "student"
            log = 5 + 0.3 * z + shared + rng.normal(0, 0.1) + rng.normal(0, slopes) * z
            log += student * (np.log(2) + np.log(change) * z)
            for k in range(samples):
                spent = np.exp(log + rng.normal(0, noise, n))
                part = dict(study=name, model=model, task=task, item=items, sample=k, reasoning_tokens=spent)
                costs.append(pd.DataFrame(part | dict(stop="stop")))
    return pd.concat(costs, ignore_index=True), pd.concat(norms, ignore_index=True)


def fixed_of(found, name="simulated"):
    return found.fixed[found.fixed["study"] == name].set_index("term")


ALL = lineage({"teacher": 3, "student": 4, "baseline": 3})
MANY = lineage({"teacher": 5, "student": 5, "baseline": 3})


def test_terms_of_a_study_by_another_path():
    costs, norms = study(ALL)
    found = mixed(join(costs, norms), ALL)
    assert list(found.fixed) == FIXED
    assert list(found.components) == COMPONENTS
    assert list(found.law) == LAW
    table = fixed_of(found)
    assert table.index.tolist() == TERMS
    log = np.log(costs["reasoning_tokens"]).groupby([costs["model"], costs["item"]]).mean().unstack("model")
    human = norms.set_index("item")["log_rt"]
    z = ((human - human.mean()) / human.std())[log.index]
    slope = pd.Series({model: np.polyfit(z, log[model], 1)[0] for model in log})
    mean = {
        role: slope[[m for m in slope.index if m.startswith(role)]].mean() for role in ("teacher", "student")
    }
    assert table.loc["slope: teacher - student", "estimate"] == pytest.approx(
        mean["teacher"] - mean["student"]
    )
    level = log.mean()
    gap = level.filter(like="student").mean() - level.filter(like="teacher").mean()
    assert table.loc["level: student - teacher", "estimate"] == pytest.approx(gap)
    assert table.loc["level: student - teacher", "factor"] == pytest.approx(np.exp(gap))
    assert table.loc["level: student - teacher", "factor_high"] == pytest.approx(
        np.exp(table.loc["level: student - teacher", "high"])
    )
    sizes = table.loc["slope: teacher - student", ["n_models", "n_items", "n_rows"]]
    assert sizes.tolist() == [7, 80, 560]
    assert (table["note"].str.contains("left out")).sum() == 0
    assert found.components["component"].tolist()[-1] == "residual"


def test_a_constant_multiplier_is_told_from_a_growing_one():
    said = {
        change: mixed(join(*study(MANY, change, n=150)), MANY)
        .law.set_index("relation")
        .loc["student / teacher"]
        for change in (1.0, 1.3, 0.75)
    }
    assert [said[change]["verdict"] for change in (1.0, 1.3, 0.75)] == [
        "supported", "not supported", "not supported",
    ]  # fmt: skip
    for change, row in said.items():
        assert row["change_low"] < change < row["change_high"]
        assert row["change_low"] < row["change"] < row["change_high"]
    assert "grows with difficulty" in said[1.3]["sentence"]
    assert "shrinks with difficulty" in said[0.75]["sentence"]
    assert "5 teachers" in said[1.0]["sentence"]


def test_two_models_of_a_role_tell_less_than_three():
    kin = lineage({"teacher": 2, "student": 4, "baseline": 3})
    costs, norms = study(ALL, n=150)
    two = fixed_of(mixed(join(costs[costs["model"] != "teacher 2"], norms), kin))
    three = fixed_of(mixed(join(costs, norms), ALL))
    term = "slope: teacher - student"
    assert two.loc[term, "df"] < 2 < three.loc[term, "df"]
    # roles that are not in a difference do not matter to its degrees of freedom
    assert two.loc["slope: student - baseline", "df"] == pytest.approx(
        three.loc["slope: student - baseline", "df"], rel=0.1
    )


def test_components_are_those_of_each_role():
    found = mixed(join(*study(ALL)), ALL).components["component"].tolist()
    assert {f"model x difficulty ({role})" for role in ("teacher", "student", "baseline")} < set(found)


def test_an_unreliable_norm_supports_no_law():
    joined = join(*study(MANY, n=150, tasks=("a", "b")))

    def _said(*reliability):
        table = pd.DataFrame(dict(study="simulated", task=["a", "b"], reliability=reliability))
        return mixed(joined, MANY, table).law.set_index("relation").loc["student / teacher"]

    plain = mixed(joined, MANY).law.set_index("relation").loc["student / teacher"]
    assert plain["verdict"] == _said(0.99, 0.99)["verdict"] == _said(np.nan, np.nan)["verdict"] == "supported"
    low = _said(0.01, 0.04)
    assert low["verdict"] == "cannot tell"
    assert "without the errors of the norm" in low["sentence"]
    # the mean of what is known: one reliable task beside one that nobody measured
    assert _said(0.99, np.nan)["verdict"] == "supported"
    assert low["change_high"] == plain["change_high"]


def test_the_ratio_to_the_baseline_has_the_right_direction():
    law = mixed(join(*study(ALL, 1.3)), ALL).law.set_index("relation")
    assert law.loc["student / baseline", "change"] == pytest.approx(1.3, rel=0.1)
    assert law.loc["student / teacher", "change"] == pytest.approx(1.3, rel=0.1)


def test_a_single_model_of_a_role_has_no_interval():
    kin = lineage({"teacher": 1, "student": 3, "baseline": 2})
    found = mixed(join(*study(kin)), kin)
    table = fixed_of(found)
    alone = [term for term in table.index if "teacher" in term]
    assert table.loc[alone, "estimate"].notna().all()
    assert table.loc[alone, ["se", "df", "low", "high", "p", "factor_low"]].isna().all(axis=None)
    assert (table.loc[alone, "note"].str.contains("one teacher shows nothing of how teachers differ")).all()
    assert table.drop(alone)["low"].notna().all()
    law = found.law.set_index("relation")
    assert law.loc["student / teacher", "verdict"] == "cannot tell"
    assert "has no interval" in law.loc["student / teacher", "sentence"]
    assert "1 teacher," in law.loc["student / teacher", "sentence"]


def test_one_pair_has_estimates_only():
    kin = lineage({"teacher": 1, "student": 1})
    found = mixed(join(*study(kin)), kin)
    assert found.components.empty
    assert found.fixed["estimate"].notna().all()
    assert found.fixed["low"].isna().all()
    assert found.fixed["note"].str.contains("least squares").all()


def test_who_takes_no_part_is_counted():
    kin = lineage({"teacher": 2, "student": 2, "reinforced-student": 3})
    costs, norms = study(pd.concat([kin, pd.DataFrame({"model": ["stranger"], "role": ["teacher"]})]))
    found = mixed(join(costs, norms), kin)
    expected = "3 reinforced-student models left out; 1 unplaced model left out"
    assert found.fixed["note"].str.startswith(expected).all()
    assert found.fixed["n_models"].max() == 4


def test_studies_stand_alone():
    first, norms = study(ALL, name="one", seed=1)
    second, _ = study(ALL, name="two", seed=1)
    both = mixed(join(pd.concat([first, second]), norms), ALL)
    alone = mixed(join(first, norms), ALL)
    pd.testing.assert_frame_equal(both.fixed[both.fixed["study"] == "one"], alone.fixed)
    assert set(both.law["study"]) == set(both.components["study"]) == {"one", "two"}


def test_several_tasks_samples_and_holes():
    costs, norms = study(ALL, tasks=("a", "b", "c"), n=25, samples=2)
    costs.loc[costs.index[::41], "stop"] = "error"
    costs.loc[costs.index[::67], "reasoning_tokens"] = np.nan
    costs.loc[costs.index[::71], "reasoning_tokens"] = 0
    costs.loc[costs.index[::9], "stop"] = "length"
    found = mixed(join(costs, norms), ALL)
    table = fixed_of(found)
    assert table["low"].notna().all()
    assert table["n_items"].max() == 75
    assert 0 < table["truncated"].min() < 0.3
    assert "model x task" in found.components["component"].tolist()


def test_z_scores_are_within_the_task():
    costs, norms = study(ALL, tasks=("a", "b"), n=40)
    shifted = norms.assign(
        log_rt=norms["log_rt"] * np.where(norms["task"] == "b", 3, 1) + (norms["task"] == "b")
    )
    one, two = (mixed(join(costs, table), ALL).fixed["estimate"] for table in (norms, shifted))
    assert one.tolist() == pytest.approx(two.tolist())


def test_a_task_without_difficulty_is_left_out_and_named():
    costs, norms = study(ALL, tasks=("a", "flat"), n=30)
    norms.loc[norms["task"] == "flat", "log_rt"] = 2.0
    found = mixed(join(costs, norms), ALL)
    assert found.fixed["note"].str.contains("equally difficult ones: flat").all()
    assert found.fixed["n_items"].max() == 30


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda costs: costs[costs["item"].isin(["t0", "t1"])], "least squares"),
        (lambda costs: costs[costs["item"] == "t0"], "fewer than two items"),
        (lambda costs: costs.assign(reasoning_tokens=7.0), "do not vary"),
        (lambda costs: costs[costs["model"] == "student 0"], "one student shows nothing"),
    ],
)
def test_small_and_constant_studies_say_why_they_have_no_interval(change, said):
    costs, norms = study(ALL, n=20)
    found = mixed(join(change(costs), norms), ALL)
    assert found.fixed["note"].str.contains(said).all()
    assert found.fixed["low"].isna().all()
    assert set(found.law["verdict"]) <= {"cannot tell"}
    assert list(found.fixed) == FIXED
    assert list(found.law) == LAW


def test_a_constant_model_among_others_is_a_model_with_slope_zero():
    costs, norms = study(ALL)
    costs.loc[costs["model"] == "student 0", "reasoning_tokens"] = 100
    assert fixed_of(mixed(join(costs, norms), ALL))["low"].notna().all()


def test_a_study_of_no_known_role_has_one_row():
    kin = lineage({"reinforced-student": 2})
    found = mixed(join(*study(kin)), kin)
    assert len(found.fixed) == 1
    assert found.fixed["note"].iloc[0].endswith("no teacher, student or baseline")
    assert found.law.empty
    assert list(found.law) == LAW


def test_an_empty_join_gives_empty_tables_with_their_columns():
    joined = join(*study(ALL, n=5))
    none = mixed(Joined(joined.rows.head(0), joined.excluded, None), ALL)
    assert [list(none.fixed), list(none.components), list(none.law)] == [FIXED, COMPONENTS, LAW]
    assert len(none.fixed) + len(none.components) + len(none.law) == 0


def test_enormous_uncertainty_is_no_verdict():
    kin = lineage({"teacher": 2, "student": 1})
    kin.loc[len(kin)] = ["student 1", "student"]
    costs, norms = study(kin, n=40)
    for model, power in (("student 0", 60.0), ("teacher 0", -55.0)):
        wild = costs["model"] == model
        z = (norms.set_index("item")["log_rt"][costs.loc[wild, "item"]] - 1) / 0.3
        costs.loc[wild, "reasoning_tokens"] *= np.exp(power * z.to_numpy())
    row = mixed(join(costs, norms), kin).law.iloc[0]
    assert row["verdict"] == "cannot tell"


def test_recorded_studies_are_what_the_model_gives_for_them():
    given = recorded.load_study("mip-gsm8k")
    kin = load_lineage()
    found = mixed(join(given.costs, given.norms), kin)
    table = fixed_of(found, "mip-gsm8k")
    rows = given.costs.dropna(subset=["reasoning_tokens"]).merge(kin[["model", "role"]], on="model")
    rows = rows.merge(given.norms[["task", "item", "difficulty"]], on=["task", "item"])
    steps = given.norms["difficulty"].astype(float)
    rows["difficulty"] = (rows["difficulty"].astype(float) - steps.mean()) / steps.std()
    direct = crossed(rows.assign(value=np.log(rows["reasoning_tokens"].astype(float))))
    slope = direct.combine({"slope: teacher": 1, "slope: student": -1})
    row = table.loc["slope: teacher - student"]
    assert {name: row[name] for name in slope} == pytest.approx(slope, rel=1e-4)
    assert row["n_rows"] == 2327
    law = found.law.set_index("relation")
    assert law.loc["student / teacher", "change_low"] == pytest.approx(np.exp(-row["high"]))
    assert "one baseline" in law.loc["student / baseline", "note"]
