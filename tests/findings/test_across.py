import numpy as np
import pandas as pd
import pytest
from tests.findings.simulated import Truth, tables

from handan.costs import load_study
from handan.findings.across import COLUMNS, across, cross_task
from handan.findings.join import join


@pytest.fixture(scope="module")
def r1():
    study = load_study("pnas-r1")
    return study, join(study.costs, study.norms)


def test_the_mean_agrees_with_draws_without_replacement(r1):
    study, joined = r1
    row = across(joined, n_boot=1_000).iloc[0]
    published = cross_task(joined, task_rows=study.task_rows)["mean_r"].iloc[0]
    assert row["r"] == pytest.approx(published, abs=0.005)
    assert row["low"] < 0.94 < row["high"]
    assert (row["n_tasks"], row["n_items"]) == (6, 120)


def test_one_draw_is_an_ordinary_correlation(r1):
    _, joined = r1
    one = across(joined, per_task=5, n_boot=1, seed=3).iloc[0]
    assert one["r"] == one["low"] == one["high"]
    assert -1 <= one["r"] <= 1


def test_the_same_seed_gives_the_same_interval_and_another_a_close_one(r1):
    _, joined = r1
    first, again, other = (across(joined, n_boot=400, seed=seed).iloc[0] for seed in (0, 0, 1))
    assert first.equals(again)
    assert other["low"] == pytest.approx(first["low"], abs=0.02)


def test_one_task_has_nothing_to_pool():
    costs, norms = tables(Truth(n_items=30))
    table = across(join(costs, norms))
    assert table.empty
    assert list(table.columns) == COLUMNS


def test_a_cost_that_never_varies_has_no_correlation():
    costs, norms = tables(Truth(n_items=30))
    costs["reasoning_tokens"] = 7
    both = [costs, costs.assign(task="more")]
    table = across(join(pd.concat(both), pd.concat([norms, norms.assign(task="more")])), n_boot=50)
    assert table["r"].isna().all()
    assert np.isnan(table["low"]).all()
