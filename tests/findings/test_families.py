import numpy as np
import pandas as pd
import pytest
from benchmarks.seed_intervals import World, estimates
from tests.findings.organism import R, lineage, study

from handan.findings.families import families
from handan.findings.family_rows import effect_row
from handan.findings.join import join
from handan.stats.random_factor import crossed_mean

N_BOOT = 200


def run(table, costs, norms, **options):
    return families(join(costs, norms), table, None, costs, n_boot=N_BOOT, **options)


@pytest.fixture(scope="module")
def ordinary():
    table = lineage(("equal", "carry"))
    costs, norms = study(table, samples=2)
    reliability = pd.DataFrame(
        dict(study="organism", task=["binary-addition", "cardinal-directions"], reliability=[0.81, 0.64])
    )
    return table, costs, norms, families(join(costs, norms), table, reliability, costs, n_boot=N_BOOT)


def pick(table, **values):
    for name, value in values.items():
        table = table[table[name] == value]
    return table.iloc[0]


def constant(costs, models, tokens=33):
    changed = costs.copy()
    changed.loc[changed["model"].isin(models), "reasoning_tokens"] = tokens
    return changed


def test_every_condition_and_group_has_a_row(ordinary):
    _, _, _, found = ordinary
    assert len(found.conditions) == 2 * len(R) * 3
    assert not found.conditions.duplicated(["repertoire", "condition", "task"]).any()
    assert list(dict.fromkeys(found.conditions["task"])) == ["binary-addition", "cardinal-directions", "all"]
    assert (found.conditions["n_seeds"] == 5).all()
    assert (found.conditions["note"] == "").all()


def test_a_conditions_mean_by_another_path(ordinary):
    table, costs, norms, found = ordinary
    logs = (
        costs.assign(log=np.log(costs["reasoning_tokens"])).groupby(["task", "item", "model"])["log"].mean()
    )
    wide = logs.unstack("model").join(norms.set_index(["task", "item"])["log_rt"])
    names = table.loc[(table["condition"] == "teacher") & (table["repertoire"] == "carry"), "model"]
    r = pd.DataFrame({task: part.corr().loc[names, "log_rt"] for task, part in wide.groupby("task")})
    row = pick(found.conditions, repertoire="carry", condition="teacher", task="all")
    assert row["r"] == row["r_or_zero"] == pytest.approx(r.mean(axis=1).mean())
    assert (row["r_min"], row["r_max"]) == pytest.approx((r.mean(axis=1).min(), r.mean(axis=1).max()))
    assert row["n_items"] == 120 + 64
    assert row["ceiling"] == pytest.approx((0.9 + 0.8) / 2)
    own = costs[costs["model"].isin(names)].groupby(["task", "model"])
    assert row["accuracy"] == pytest.approx(own["correct"].mean().mean())
    assert row["tokens"] == pytest.approx(own["reasoning_tokens"].mean().mean())
    assert row["truncated"] == 0
    assert row["low"] < row["r"] < row["high"]
    each = found.models[(found.models["task"] == "all") & found.models["model"].isin(names)]
    assert each.set_index("model")["r"].to_dict() == pytest.approx(r.mean(axis=1).to_dict())


def test_effects_have_the_papers_signs_and_are_made_within_seeds(ordinary):
    _, _, _, found = ordinary
    models = found.models[(found.models["task"] == "all") & (found.models["repertoire"] == "carry")]
    r = models.pivot(index="seed", columns="condition", values="r")
    expected = {
        ("student-hard", "collapse"): r["teacher"] - r["student-hard"],
        ("student-hard", "transfer"): r["student-hard"] - r["base"],
        ("student-half", "transfer"): r["student-half"] - r["base-half"],
        ("teacher", "advantage"): r["teacher"] - r["base"],
        ("student-half", "size"): r["teacher-half"] - r["student-half"],
        ("student-returned", "return"): r["student-returned"] - r["student-hard"],
    }
    for (condition, comparison), difference in expected.items():
        row = pick(found.effects, repertoire="carry", condition=condition, comparison=comparison, task="all")
        assert row["difference"] == pytest.approx(difference.mean())
        assert row["sd"] == pytest.approx(difference.std())
        assert row["difference"] == pytest.approx(row["r_a"] - row["r_b"])


def test_verdicts_follow_the_truth(ordinary):
    _, _, _, found = ordinary
    wanted = {
        ("student-hard", "collapse"): "supported",
        ("student-matched", "collapse"): "not supported",
        ("student-matched", "transfer"): "not supported",
        ("teacher", "advantage"): "supported",
        ("student-half", "size"): "supported",
        ("student-returned", "return"): "supported",
    }
    for (condition, comparison), verdict in wanted.items():
        row = pick(found.effects, repertoire="carry", condition=condition, comparison=comparison, task="all")
        assert row["verdict"] == verdict, (condition, comparison)
    row = pick(found.effects, repertoire="carry", condition="student-hard", comparison="collapse", task="all")
    assert "for student-hard with the repertoire carry of this organism, is supported here" in row["sentence"]
    assert "5 pairs, 184 items" in row["sentence"]


def test_inflation_has_seeds_as_a_random_factor_too(ordinary):
    _, costs, norms, found = ordinary
    row = pick(
        found.inflation, repertoire="carry", condition="student-hard", relation="own teacher",
        task="binary-addition",
    )  # fmt: skip
    mean = costs.groupby(["task", "item", "model"])["reasoning_tokens"].mean().unstack("model")
    mean, human = mean.loc["binary-addition"], norms.set_index(["task", "item"])["log_rt"]
    human = human.loc["binary-addition"].reindex(mean.index)
    ratios = [np.log(mean[f"student-hard-carry-s{s}"] / mean[f"teacher-carry-s{s}"]) for s in range(5)]
    slopes = [np.polyfit((human - human.mean()) / human.std(), ratio, 1)[0] for ratio in ratios]
    assert row["multiplier"] == pytest.approx(np.exp(np.mean(ratios)))
    assert row["change"] == pytest.approx(np.exp(np.mean(slopes)))
    assert row["verdict"] == "not supported"
    assert "shrinks with difficulty" in row["sentence"]
    assert pick(found.inflation, condition="student-matched", task="all")["verdict"] != "not supported"


def test_a_cost_that_never_varies_counts_as_zero_and_is_counted():
    table = lineage()
    costs, norms = study(table)
    silent = ["teacher-carry-s0", "teacher-carry-s1"]
    found = run(table, constant(costs, silent), norms)
    row = pick(found.conditions, condition="teacher", task="all")
    assert (row["n_seeds"], row["n_undefined"]) == (5, 2)
    assert row["r_or_zero"] == pytest.approx(row["r"] * 3 / 5)
    assert row["zero_high"] - row["zero_low"] > 2 * (row["high"] - row["low"])
    assert "in 2 of 5 seeds" in row["note"]
    effect = pick(found.effects, condition="student-hard", comparison="collapse", task="all")
    models = found.models[found.models["task"] == "all"].pivot(
        index="seed", columns="condition", values="r_or_zero"
    )
    assert effect["difference"] == pytest.approx((models["teacher"] - models["student-hard"]).mean())
    assert effect["n_undefined"] == 2
    assert "in 2 of 5 seeds" in effect["sentence"].lower()


@pytest.mark.parametrize("tokens", [33, 0])
def test_teachers_that_never_think_longer_lose_nothing_to_their_students(tokens):
    table = lineage()
    costs, norms = study(table)
    teachers = [f"teacher-carry-s{seed}" for seed in range(5)]
    found = run(table, constant(costs, teachers, tokens), norms)
    row = pick(found.conditions, condition="teacher", task="all")
    assert (row["n_undefined"], row["r_or_zero"]) == (5, 0)
    assert np.isnan([row["r"], row["zero_low"]]).all()
    assert row["excluded"] == (5 * 184 if tokens == 0 else 0)
    effect = pick(found.effects, condition="student-hard", comparison="collapse", task="all")
    student = pick(found.conditions, condition="student-hard", task="all")
    assert effect["difference"] == pytest.approx(-student["r"])
    assert effect["verdict"] == "not supported"
    law = pick(found.inflation, condition="student-hard", relation="own teacher", task="all")
    if tokens == 0:
        assert (law["n_seeds"], law["n_undefined"], law["verdict"]) == (0, 5, "cannot tell")
    else:
        assert law["verdict"] == "not supported"


def test_two_models_without_information_cannot_be_compared():
    table = lineage(conditions=["base", "teacher", "student-hard"])
    costs, norms = study(table)
    found = run(table, constant(costs, table["model"]), norms)
    assert (found.effects["verdict"] == "cannot tell").all()
    assert (found.effects["difference"] == 0).all()
    assert found.effects["sentence"].str.contains("cannot be told").all()
    assert (found.inflation["verdict"] == "cannot tell").all()


@pytest.mark.parametrize(("n", "words"), [(1, "one seed"), (2, "two seeds")])
def test_few_seeds_work_and_say_so(n, words):
    table = lineage(seeds=range(n))
    found = run(table, *study(table))
    for part in (found.conditions, found.effects, found.inflation):
        assert part["note"].str.contains(words).all()
        assert (part["n_seeds"] == n).all()
    row = pick(found.effects, condition="student-hard", comparison="collapse", task="all")
    assert row["low"] < row["difference"] < row["high"]
    assert np.isnan(row["sd"]) == (n == 1)


def test_a_pair_is_compared_on_common_items_only():
    table = lineage(seeds=[0])
    costs, norms = study(table)
    first = "binary-addition-0"
    gone = (costs["model"] == "teacher-carry-s0") & (costs["item"] == first)
    short = costs[(costs["item"] != first) | (costs["task"] != "binary-addition")]
    columns = dict(condition="student-hard", comparison="collapse", task="binary-addition")
    one = pick(run(table, costs[~gone], norms).effects, **columns)
    two = pick(run(table, short, norms).effects, **columns)
    assert one["n_items"] == two["n_items"] == 119
    assert one["difference"] == pytest.approx(two["difference"])


def test_a_seed_that_lacks_a_task_is_left_out_and_named():
    table = lineage()
    costs, norms = study(table)
    lacking = (costs["model"] == "student-hard-carry-s3") & (costs["task"] == "cardinal-directions")
    found = run(table, costs[~lacking], norms)
    row = pick(found.effects, condition="student-hard", comparison="collapse", task="all")
    assert (row["n_seeds"], row["note"]) == (4, "left out, as a task is missing: seed 3")
    assert pick(found.conditions, condition="teacher", task="all")["n_seeds"] == 5


def test_groups_of_tasks_can_be_chosen():
    table = lineage(seeds=range(2))
    costs, norms = study(table)
    found = run(table, costs, norms, tasks={"both": ["binary-addition", "cardinal-directions"]})
    whole = run(table, costs, norms).effects
    whole = whole[whole["task"] == "all"].reset_index(drop=True)
    assert set(found.conditions["task"]) == {"both"}
    assert found.effects["difference"].tolist() == whole["difference"].tolist()
    with pytest.raises(LookupError, match="names digit-addition"):
        run(table, costs, norms, tasks={"both": ["digit-addition"]})


def test_the_verdict_is_that_of_the_seeds_themselves(ordinary):
    """The interval is the one that crossed_mean gives for differences of the models' table."""
    _, _, _, found = ordinary
    row = pick(found.effects, repertoire="carry", condition="student-hard", comparison="collapse", task="all")
    models = found.models[(found.models["task"] == "all") & (found.models["repertoire"] == "carry")]
    r = models.pivot(index="seed", columns="condition", values="r")
    values = (r["teacher"] - r["student-hard"]).to_numpy()
    seeds_only = crossed_mean(values, np.tile(values, (3, 1)), 184)
    assert seeds_only.high - seeds_only.low < 1.6 * (row["high"] - row["low"])
    assert row["sd"] == pytest.approx(seeds_only.sd)


def test_without_costs_there_is_no_inflation_and_no_accuracy(ordinary):
    table, costs, norms, full = ordinary
    found = families(join(costs, norms), table, n_boot=N_BOOT)
    assert found.inflation.empty
    assert found.conditions["accuracy"].isna().all()
    pd.testing.assert_frame_equal(found.effects, full.effects)


def test_models_outside_the_families_change_nothing():
    table = lineage(seeds=range(3))
    costs, norms = study(table)
    more = costs[costs["model"] == "base-carry-s0"].assign(model="stranger")
    wide = pd.concat([table, pd.DataFrame(dict(model=["stranger"], role="baseline"))], ignore_index=True)
    plain, beside = run(table, costs, norms), run(wide, pd.concat([costs, more]), norms)
    pd.testing.assert_frame_equal(plain.effects, beside.effects)


def test_the_order_of_rows_does_not_matter():
    table = lineage(seeds=range(3))
    costs, norms = study(table)
    plain = run(table, costs, norms).effects
    mixed = run(table, costs.sample(frac=1, random_state=1), norms).effects
    keys = ["condition", "comparison", "task"]
    both = plain.merge(mixed, on=keys, suffixes=("", "_mixed"))
    assert len(both) == len(plain)
    assert both["difference"].to_numpy() == pytest.approx(both["difference_mixed"].to_numpy())


def test_costs_of_two_studies_or_of_no_family_are_refused():
    table = lineage(seeds=range(2))
    costs, norms = study(table)
    two = costs.assign(study=np.where(costs["model"].str.endswith("s0"), "organism", "other"))
    with pytest.raises(ValueError, match="2 studies"):
        run(table, two, norms)
    with pytest.raises(LookupError, match="no model of a family was measured"):
        run(table, costs.assign(model="stranger-" + costs["model"]), norms)


@pytest.mark.parametrize(
    "world", [World(100, spread=0.1, shared=0.5, student=0.6), World(60, student=0.6)], ids=str
)
def test_an_absent_collapse_is_supported_rarely(world):
    name = dict(study="simulated", comparison="collapse", condition="student", repertoire="any", task="t")
    verdicts = []
    for values, draws in estimates(world, 250, 100, np.random.default_rng(0)):
        cells = {
            seed: pd.DataFrame(
                dict(task=["t"], n=world.items, r_a=value, r_b=0.0, difference=value, undefined=0)
            ).assign(draws=[draws[:, seed]])
            for seed, value in enumerate(values)
        }
        verdicts.append(effect_row(name, cells)["verdict"])
    # one-sided 2.5 %, with three Monte Carlo standard errors
    assert np.mean(np.array(verdicts) == "supported") <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 250)
    assert "not supported" in verdicts
