from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from handan import costs
from handan.findings.alignment import align
from handan.findings.collapse import collapse
from handan.findings.contrast import contrast, placed, unpaired_cells
from handan.findings.join import join
from handan.findings.transfer import baselines_ahead, teachers_against_baselines, transfer
from handan.findings.verdict import COLLAPSE
from handan.lineage import load_lineage
from handan.stats.dependent import compare_overlapping


def test_a_pair_is_compared_on_common_items_only(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.3}, n=60)
    gone = (table["model"] == "teacher") & table["item"].isin(["i0", "i1"])
    gone |= (table["model"] == "student") & table["item"].isin(["i2"])
    row = collapse(join(table[~gone], norms), lineage, n_boot=200).pairs.iloc[0]
    wide = table.pivot(index="item", columns="model", values="reasoning_tokens").drop(["i0", "i1", "i2"])
    wide = np.log(wide).join(norms.set_index("item")["log_rt"])
    r = wide.corr()
    assert row["n"] == 57
    assert row["r_a"] == pytest.approx(r.loc["teacher", "log_rt"])
    assert row["r_ab"] == pytest.approx(r.loc["teacher", "student"])
    test = compare_overlapping(row["r_a"], row["r_b"], row["r_ab"], 57)
    assert row["williams_p"] == pytest.approx(float(test.williams_p))
    assert (row["zou_low"], row["zou_high"]) == pytest.approx((float(test.zou_low), float(test.zou_high)))


def test_a_true_collapse_is_supported_and_its_absence_is_not(simulated, lineage):
    table, norms = simulated({"teacher": 0.8, "student": 0.1}, n=300)
    row = collapse(join(table, norms), lineage, n_boot=500).pooled.iloc[0]
    assert (row["relation"], row["verdict"]) == ("own teacher", "supported")
    table, norms = simulated({"teacher": 0.6, "student": 0.62}, n=3000)
    row = collapse(join(table, norms), lineage, n_boot=500).pooled.iloc[0]
    assert row["verdict"] == "not supported"
    table, norms = simulated({"teacher": 0.5, "student": 0.4}, n=30)
    row = collapse(join(table, norms), lineage, n_boot=500).pooled.iloc[0]
    assert row["verdict"] == "cannot tell"


def test_negative_transfer_has_the_opposite_sign(simulated, lineage):
    table, norms = simulated({"student": 0.1, "base": 0.8}, n=300)
    found = transfer(join(table, norms), lineage, n_boot=500)
    row = found.pooled.iloc[0]
    assert (row["relation"], row["verdict"]) == ("true base", "supported")
    assert row["difference"] < 0
    assert "The claim of negative transfer is supported here." in row["sentence"]


def test_a_study_without_pairs_gives_empty_tables(simulated, lineage):
    table, norms = simulated({"teacher": 0.8})
    found = collapse(join(table, norms), lineage, n_boot=100)
    assert found.pairs.empty
    assert found.pooled.empty
    assert transfer(join(table, norms), lineage, n_boot=100).pairs.empty
    assert baselines_ahead(teachers_against_baselines(join(table, norms), lineage, n_boot=100)).empty


def test_models_that_the_lineage_does_not_name_take_no_part(simulated, lineage):
    table, norms = simulated({"teacher": 0.8, "student": 0.3, "stranger": 0.5})
    joined = join(table, norms)
    assert placed(joined, lineage) == (["teacher", "student"], ["stranger"])
    assert len(collapse(joined, lineage, n_boot=100).pairs) == 1


def test_pooling_two_copies_of_a_pair_changes_nothing(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4})
    twin = lineage[lineage["model"] == "student"].assign(model="twin")
    both = pd.concat([table, table[table["model"] == "student"].assign(model="twin")])
    one = collapse(join(table, norms), lineage, n_boot=500).pooled.iloc[0]
    two = collapse(join(both, norms), pd.concat([lineage, twin]), n_boot=500).pooled.iloc[0]
    assert two["n_pairs"] == 2
    assert (two["low"], two["high"]) == pytest.approx((one["low"], one["high"]))


def test_pooling_over_tasks_narrows_the_interval(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4}, seed=1)
    more, other = simulated({"teacher": 0.7, "student": 0.4}, seed=2, task="u")
    one = collapse(join(table, norms), lineage, n_boot=1000).pooled.iloc[0]
    two = collapse(
        join(pd.concat([table, more]), pd.concat([norms, other])), lineage, n_boot=1000
    ).pooled.iloc[0]
    assert two["n_tasks"] == 2
    assert two["high"] - two["low"] < one["high"] - one["low"]


def test_several_relations_are_also_pooled_together(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "lone-teacher": 0.6, "student": 0.4})
    pooled = collapse(join(table, norms), lineage, n_boot=200).pooled
    assert pooled["relation"].tolist() == ["own teacher", "other teacher", "all"]
    assert pooled["difference"].iloc[2] == pytest.approx(pooled["difference"].iloc[:2].mean())


def test_a_constant_model_is_noted_and_not_pooled(simulated, lineage):
    table, norms = simulated({"teacher": 0.7, "student": 0.4})
    table.loc[table["model"] == "student", "reasoning_tokens"] = 5
    found = collapse(join(table, norms), lineage, n_boot=100)
    assert found.pairs["note"].iloc[0]
    assert found.pooled.empty


def test_the_recorded_family_by_an_independent_path():
    study = costs.load_study("mip-gsm8k")
    wide = study.costs.pivot(index="item", columns="model", values="reasoning_tokens")
    wide = np.log(wide).join(study.norms.set_index("item")["difficulty"])
    found = transfer(join(study.costs, study.norms), load_lineage(), n_boot=200).pairs.set_index("a")
    for student in ("s1.1-32B", "DeepSeek-R1-Distill-Qwen-32B"):
        both = wide[[student, "Qwen2.5-32B-Instruct", "difficulty"]].corr()["difficulty"]
        assert found.at[student, "difference"] == pytest.approx(both[student] - both["Qwen2.5-32B-Instruct"])


def test_the_baseline_that_beats_the_teachers_is_named():
    study = costs.load_study("mip-gsm8k")
    found = teachers_against_baselines(join(study.costs, study.norms), load_lineage(), n_boot=500)
    ahead = baselines_ahead(found)
    assert set(ahead["a"]) == {"DeepSeek-R1", "QwQ-32B"}
    assert set(ahead["b"]) == {"Qwen2.5-32B-Instruct"}
    assert "not supported" in found.pooled["sentence"].iloc[0]
    assert "the other way" in found.pooled["sentence"].iloc[0]


def test_the_unpaired_test_agrees_with_scipy():
    from scipy import stats

    study = costs.load_study("pm-bench")
    aligned = align(join(study.costs, study.norms), n_boot=100)
    roles = load_lineage().set_index("model")["role"].to_dict()
    row = unpaired_cells(aligned, roles, "teacher", "student").iloc[0]
    r = aligned.set_index("model")["r"]
    groups = [[r[m] for m in r.index if roles.get(m) == role] for role in ("teacher", "student")]
    reference = stats.ttest_ind(*groups)
    assert (row["t"], row["df"], row["p"]) == pytest.approx(
        (reference.statistic, reference.df, reference.pvalue)
    )


def test_the_unpaired_test_leaves_small_cells_out():
    large = dict(
        study="one", task="t", model=["a", "b", "c", "d"], r=[0.6, 0.5, 0.3, 0.2], n=[60, 20, 45, 60]
    )
    few = dict(study="one", task="u", model=["a", "c", "d"], r=[0.9, -0.9, np.nan], n=[19, 3, 60])
    aligned = pd.concat([pd.DataFrame(large), pd.DataFrame(few)], ignore_index=True)
    roles = dict(a="teacher", b="teacher", c="student", d="student", other="baseline")
    found = unpaired_cells(aligned, roles, "teacher", "student")
    assert found[["n_a", "n_b"]].to_numpy().tolist() == [[2, 2]]
    pd.testing.assert_frame_equal(found, unpaired_cells(pd.DataFrame(large), roles, "teacher", "student"))
    # a study of small cells keeps them, whatever another study, or a role that isn't compared, has
    small = aligned.assign(study="two", n=12)
    aside = pd.DataFrame(dict(study="two", task="t", model=["other"], r=0.1, n=60))
    both = unpaired_cells(pd.concat([aligned, small, aside]), roles, "teacher", "student")
    assert both.set_index("study")[["n_a", "n_b"]].to_numpy().tolist() == [[2, 2], [3, 3]]


def test_the_papers_quoted_t_and_p_fit_the_degrees_of_freedom_of_unpaired_cells():
    from scipy import stats

    # quoted by a third party: t = -2.60, p = .011
    p = {df: round(2 * stats.t.sf(2.60, df), 3) for df in (10, 35, 41, 70, 82)}
    assert (p[70], p[82]) == (0.011, 0.011)
    assert 0.011 not in (p[10], p[35], p[41])


def test_the_pooled_interval_covers_and_keeps_its_level(simulated, lineage):
    covered = rejected = 0
    for seed in range(200):
        table, norms = simulated({"teacher": 0.5, "student": 0.5}, n=60, seed=seed)
        row = collapse(join(table, norms), lineage, n_boot=300, seed=seed).pooled.iloc[0]
        covered += row["low"] <= 0 <= row["high"]
        rejected += row["verdict"] == "supported"
    # one-sided 2.5 %, two-sided 95 %, with a Monte Carlo margin of 3 standard errors
    assert covered / 200 >= 0.90
    assert rejected / 200 <= 0.06


def test_a_cell_with_few_items_stays_out_of_the_pool_and_says_so(recwarn):
    rng = np.random.default_rng(0)

    def task(name, n):
        people = rng.standard_normal(n)
        items = [f"{name}{k}" for k in range(n)]
        models = {"t": people + rng.standard_normal(n), "s": rng.standard_normal(n)}
        costs = pd.concat(
            pd.DataFrame(dict(model=model, task=name, item=items, reasoning_tokens=np.exp(5 + 0.3 * z)))
            for model, z in models.items()
        )
        return costs, pd.DataFrame(dict(task=name, item=items, log_rt=people))

    parts = [task("large", 80), task("tiny", 2), task("small", 12)]
    joined = join(*(pd.concat(tables) for tables in zip(*parts, strict=True)))
    pairs = pd.DataFrame([dict(a="t", b="s", relation="own teacher")])
    found = contrast(joined, pairs, COLLAPSE, n_boot=300)
    assert found.pairs.set_index("task")["pooled"].to_dict() == dict(large=True, tiny=False, small=False)
    assert found.pooled["n_items"].tolist() == [80]
    few = joined.rows["task"] == "tiny"
    only = contrast(replace(joined, rows=joined.rows[few]), pairs, COLLAPSE, n_boot=300)
    assert only.pooled.empty or only.pooled["verdict"].tolist() == ["cannot tell"]
    assert not recwarn.list
