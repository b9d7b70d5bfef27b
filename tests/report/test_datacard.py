from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from handan.findings.join import join
from handan.inputs import Inputs, recorded
from handan.lineage import NOT_PLACED, OTHER_SETTINGS, load_lineage
from handan.report import datacard
from handan.tables import check_costs, check_norms


@pytest.fixture
def one():
    rows = [
        ("m", "t", "a", 0, 10.0, "stop", 1), ("m", "t", "a", 1, 30.0, "length", 0),
        ("m", "t", "b", 0, 0.0, "stop", 1), ("m", "t", "c", 0, np.nan, "stop", 0),
        ("m", "t", "d", 0, 20.0, "error", np.nan), ("n", "t", "a", 0, 5.0, None, np.nan),
        ("n", "t", "stranger", 0, 5.0, None, np.nan),
    ]  # fmt: skip
    names = ["model", "task", "item", "sample", "reasoning_tokens", "stop", "correct"]
    costs = check_costs(pd.DataFrame(rows, columns=names))
    norms = check_norms(pd.DataFrame({"task": "t", "item": [*"abcdef"], "log_rt": range(6)}))
    reliability = pd.DataFrame({"study": ["yours"], "task": ["t"], "reliability": [0.64]})
    return Inputs(join(costs, norms), reliability, costs, norms)


def test_items_are_counted_on_both_sides(one):
    row = datacard.tasks([one]).iloc[0]
    # a is used; b, c and d have no usable cost, stranger has no norm; e and f were never asked
    assert (row["items"], row["no_norm"], row["no_cost"], row["models"]) == (1, 4, 2, 2)
    assert (row["reliability"], row["ceiling"]) == (0.64, 0.8)


def test_every_row_of_a_model_is_accounted_for(one):
    lineage = pd.DataFrame(
        {"model": ["m"], "role": ["teacher"], "teacher": None, "base": "b", "sibling": None}
    )
    table = datacard.models([one], lineage).set_index("model")
    m, n = table.loc["m"], table.loc["n"]
    assert (m["rows"], m["used"], m["failed"], m["zero"], m["missing"], m["items"]) == (5, 2, 1, 1, 1, 4)
    assert m["cut"] == 0.2
    assert m["correct"] == 0.5
    assert m["mean_cost"] == 40 / 3
    assert (m["role"], n["role"]) == ("teacher", NOT_PLACED)
    assert np.isnan(n["cut"])
    lost = datacard.left_out([one])
    assert lost["n"].sum() + table["used"].sum() == table["rows"].sum()


def test_a_run_under_other_settings_has_no_place_of_its_own(one):
    lineage = pd.DataFrame(
        {"model": ["m"], "role": ["teacher"], "teacher": None, "base": "b", "sibling": None}
    )
    runs = replace(one, costs=one.costs.assign(model=one.costs["model"].replace("n", "m@8k")))
    table = datacard.models([runs], lineage).set_index("model")
    assert table["role"].to_dict() == {"m": "teacher", "m@8k": OTHER_SETTINGS}
    assert table.loc["m", "base"] == "b"
    assert pd.isna(table.loc["m@8k", "base"])


def test_what_is_not_compared_is_said_with_its_reason():
    (study,) = recorded(["pm-bench"], "reasoning_tokens")
    few = load_lineage()
    *_, strangers, runs = study.remarks(few[few["model"] != "DeepSeek-V3"].assign(base=None, sibling=None))
    assert strangers == "not in the lineage, so not compared: DeepSeek-V3"
    assert runs.startswith("other settings, so not compared: QwQ-32B@")
    assert runs.count("(another run of QwQ-32B)") == 2


def test_no_study_gives_tables_without_rows():
    assert list(datacard.tasks([])) == datacard.TASKS
    assert list(datacard.models([], pd.DataFrame({"model": [], "role": []}))) == datacard.MODELS
    assert datacard.left_out([]).empty
