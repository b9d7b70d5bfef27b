import numpy as np
import pytest
from tests.findings.multiverse_studies import study, tables

from handan.costs import studies
from handan.findings.specification_data import tasks_of
from handan.inputs import recorded

COSTS = ["reasoning_tokens", "output_tokens", "n_chars"]


@pytest.mark.parametrize("name", studies())
def test_without_filters_the_numbers_are_those_of_join(name):
    one = recorded([name], "reasoning_tokens")[0]
    tasks = {(task.study, task.task): task for task in tasks_of(one, COSTS)}
    joined = {(s, t): wide for s, t, wide in one.joined.tasks()}
    assert list(tasks) == list(joined)
    for key, task in tasks.items():
        wide = joined[key].reindex(index=task.items)
        human = task.human["log" if "log" in task.human else "as is"]
        assert human == pytest.approx(wide["human"].to_numpy())
        ours = task.matrix("reasoning_tokens", "log", "all", "kept")
        assert ours == pytest.approx(wide[task.models].to_numpy(), nan_ok=True)


def test_filters_by_another_path():
    costs, norms = tables(n=40)
    task = tasks_of(study(costs, norms), COSTS)[0]

    def by_pandas(kept, column, log):
        rows = costs[kept].assign(value=np.log(costs[column]) if log else costs[column])
        wide = rows.pivot_table(index="item", columns="model", values="value", aggfunc="mean")
        return wide.reindex(index=task.items, columns=task.models).to_numpy()

    right, cut = costs["correct"] == 1, costs["stop"] == "length"
    any_cut = cut.groupby([costs["model"], costs["item"]]).transform("any")
    for arguments, kept in {
        ("n_chars", "log", "all", "kept"): right | True,
        ("output_tokens", "raw", "right only", "kept"): right,
        ("output_tokens", "log", "both right", "dropped"): right & ~cut,
        ("reasoning_tokens", "log", "all", "items dropped"): ~any_cut,
    }.items():
        expected = by_pandas(kept, arguments[0], arguments[1] == "log")
        assert np.isnan(expected).any() == (arguments[0] != "n_chars")
        assert task.matrix(*arguments) == pytest.approx(expected, nan_ok=True)
    prompt = np.log(costs.groupby("item")["prompt_tokens"].first().reindex(task.items))
    assert task.log_prompt[:, 0] == pytest.approx(prompt.to_numpy())


def test_rows_that_join_cannot_use_are_missing():
    costs, norms = tables(n=30, samples=1)
    costs.loc[0, "reasoning_tokens"] = 0
    costs.loc[1, "reasoning_tokens"] = np.nan
    costs.loc[2, "stop"] = "error"
    task = tasks_of(study(costs, norms), COSTS)[0]
    matrix = task.matrix("reasoning_tokens", "log", "all", "kept")
    at = task.models.index("teacher")
    missing = {item for item, value in zip(task.items, matrix[:, at], strict=True) if np.isnan(value)}
    assert missing == {"i0", "i1", "i2"}


def test_times_have_two_scales_and_difficulty_one():
    timed = tasks_of(study(n=30), COSTS)[0]
    assert timed.human["as is"] == pytest.approx(np.exp(timed.human["log"]))
    assert list(tasks_of(study(n=30, timed=False), COSTS)[0].human) == ["as is"]


def test_what_is_not_recorded_is_not_known():
    costs, norms = tables(n=30)
    task = tasks_of(study(costs.drop(columns=["n_chars", "correct", "stop", "prompt_tokens"]), norms), COSTS)[
        0
    ]
    assert np.isnan(task.costs["n_chars"]).all()
    assert np.isnan(task.log_prompt).all()
    assert not any(task.known(task.models, mark) for mark in (task.right, task.cut, task.loop))
    full = tasks_of(study(costs.assign(loop=costs["sample"] == 1), norms), COSTS)[0]
    assert full.any(["teacher"], full.loop)
    without = full.matrix("reasoning_tokens", "log", "all", "kept", "dropped")
    first = study(costs[costs["sample"] == 0], norms)
    only = tasks_of(first, COSTS)[0].matrix("reasoning_tokens", "log", "all", "kept")
    assert without == pytest.approx(only)
    assert not full.known(["nobody"], full.right)
