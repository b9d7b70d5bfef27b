import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explorer.made_up import ITEMS, MODELS

from handan import norms
from handan.explorer.data import _shared, as_data, sentence


def study_of(data, name):
    return next(one for one in data["studies"] if one["name"] == name)


def test_the_points_are_those_of_the_tables(found, data):
    task = study_of(data, "mip-math")["tasks"][0]
    joined = next(one for one in found if one.study.name == "mip-math").joined.rows
    one = joined[(joined["model"] == "LIMO") & (joined["item"] == task["items"][5])].iloc[0]
    assert task["cells"]["LIMO"]["cost"][5] == pytest.approx(np.exp(one["log_cost"]), rel=1e-3)
    assert task["human"][5] == one["human"]
    timed = study_of(data, "pnas-r1")["tasks"][0]
    assert timed["items"][:4] == ["0", "1", "2", "3"]
    assert all(0.5 < seconds < 60 for seconds in timed["human"])


def test_columns_of_a_task_are_equally_long(data):
    for study in data["studies"]:
        models = {model for model, _ in study["models"]}
        for task in study["tasks"]:
            n = len(task["items"])
            assert len(set(task["items"])) == n == len(task["human"])
            assert len(task["texts"]) in (0, n)
            assert set(task["cells"]) <= models
            assert {len(cell["cost"]) for cell in task["cells"].values()} == {n}
            assert bool(task["texts"]) != bool(task["why"])


def test_a_problem_is_shown_where_the_bank_can_word_it(data):
    task = study_of(data, "organism")["tasks"][0]
    assert task["head"] + task["texts"][3] + task["tail"] == norms.task(task["name"]).prompt(task["items"][3])
    # the bank has a task of this name as well, but these items are rows of a figure
    syllogisms = next(one for one in study_of(data, "pnas-r1")["tasks"] if one["name"] == "syllogisms")
    assert syllogisms["texts"] == []
    assert "does not say which problem" in syllogisms["why"]


@given(st.lists(st.text(alphabet="ab ")))
def test_what_texts_share_is_kept_once_and_nothing_is_lost(texts):
    shared = _shared(texts)
    assert [shared["head"] + text + shared["tail"] for text in shared["texts"]] == texts


def test_traces_are_given_to_the_study_with_these_models(data, samples):
    studies = {one["name"]: sum(len(task["traces"]) for task in one["tasks"]) for one in data["studies"]}
    assert studies == {"pnas-r1": 0, "mip-math": 0, "organism": 3, "<u>study</u>": 0}
    tasks = {one["name"]: one for one in study_of(data, "organism")["tasks"]}
    for item, told in tasks["binary-addition"]["traces"].items():
        assert item in tasks["binary-addition"]["items"]
        assert tuple(trace[0] for trace in told) == samples.models


def test_without_traces_there_are_none(found):
    assert all(not task["traces"] for one in as_data(found)["studies"] for task in one["tasks"])


def test_the_data_are_finite_and_compact(data):
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    assert len(text) < 500_000


def test_names_are_kept_as_they_are(data):
    hostile = data["studies"][-1]
    assert [model for model, _ in hostile["models"]] == list(MODELS)
    assert sorted(hostile["tasks"][0]["items"]) == sorted(ITEMS)


ROW = {"model": "m", "task": "t", "n": 1200, "r": 0.5, "boot_low": -0.1, "boot_high": 0.8, "ceiling": 0.9}
ROW |= {"truncated": 0.125, "excluded": 0, "note": ""}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "m, t: n = 1,200 items, r = 0.50 (95 % interval −0.10 to 0.80), noise ceiling 0.90, 12.5 % of traces"),
        ({"ceiling": np.nan}, "noise ceiling not known"),
        ({"truncated": np.nan}, "not recorded how many traces were cut at the limit."),
        ({"boot_low": np.nan, "boot_high": np.nan}, "r = 0.50, noise"),
        ({"r": np.nan, "note": "the cost is constant"}, "r does not exist (the cost is constant)"),
        ({"excluded": 3}, "cost rows that cannot be used: 3."),
    ],
)  # fmt: skip
def test_a_result_in_words(change, expected):
    assert expected in sentence(ROW | change).replace("\u00a0", " ")
