import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr
from tests.organism.tiny import TINY

from handan.norms import load_bank
from handan.organism import corpus, family
from handan.organism.checkpoint import read_training
from handan.organism.curve import Curve
from handan.organism.reinforced import sample

COLUMNS = ["condition", "stage", "step", "repertoire", "seed", "r", "accuracy", "tokens"]


@pytest.mark.parametrize("tasks", [TINY.tasks, ("digit-addition", "cardinal-directions")])
def test_a_look_is_what_its_replies_say(base, tokenizer, tasks):
    """r is the mean of each task's own, over items, with the mean log length of an item's replies."""
    curve = Curve(TINY, tasks, samples=3)
    curve("base", 60, base)
    (row,) = curve.table().to_dict("records")
    items = corpus.held_out_items(tasks)
    told = sample(base, tokenizer, items, label=f"look/{TINY.seed}/60", group=3, max_new_tokens=40)
    assert row["accuracy"] == pytest.approx(np.mean([one.right for one in told]))
    lengths = np.array([len(one.ids) for one in told])
    assert row["tokens"] == pytest.approx(lengths.mean())
    logs = dict(zip(items, np.log(lengths).reshape(-1, 3).mean(axis=1), strict=True))
    found = []
    for task in tasks:
        human = load_bank([task]).set_index("item")["log_rt"]
        mine = [item for name, item in items if name == task]
        found.append(pearsonr([logs[task, item] for item in mine], human[mine]).statistic)
    assert row["r"] == pytest.approx(np.mean(found))


def test_the_table_follows_a_training_and_changes_nothing(models, tmp_path):
    curve = Curve(TINY, TINY.tasks, samples=1)
    folders = family.train(TINY, tmp_path, ("student-hard",), watch=curve)
    table = curve.table()
    assert table.columns.tolist() == COLUMNS
    assert table[["condition", "stage", "step"]].to_numpy().tolist() == [
        ["base", "base", 0], ["base", "base", 60],
        ["teacher", "reinforced", 0], ["teacher", "reinforced", 2],
        ["student-hard", "distilled", 0], ["student-hard", "distilled", 2],
    ]  # fmt: skip
    assert set(table["repertoire"]) == {"carry"}
    assert set(table["seed"]) == {0}
    assert table["accuracy"].between(0, 1).all()
    assert table["r"].dropna().between(-1, 1).all()
    assert table.loc[1, "accuracy"] > table.loc[0, "accuracy"] == 0
    assert [read_training(one)["sha256"] for one in folders] == [
        read_training(one)["sha256"] for one in models[:3]
    ]


def test_where_all_traces_are_equally_long_r_is_missing(base):
    curve = Curve(replace(TINY, reinforced=replace(TINY.reinforced, max_new_tokens=1)), TINY.tasks)
    curve("base", 0, base)
    (row,) = curve.table().to_dict("records")
    assert math.isnan(row["r"])
    assert row["tokens"] == 1


def test_r_is_missing_when_it_is_missing_for_one_of_the_tasks(base):
    """An average over the tasks that happen to have one would be another statistic each time."""
    recipe = replace(TINY, reinforced=replace(TINY.reinforced, max_new_tokens=1))
    curve = Curve(recipe, ("digit-addition", "cardinal-directions"))
    curve("base", 0, base)
    assert math.isnan(curve.table()["r"].item())


def test_looks_are_kept_and_found_again_when_nothing_is_trained(models, tmp_path):
    path = tmp_path / "looks.csv"
    first = Curve(TINY, TINY.tasks, samples=1)
    with pytest.raises(FileNotFoundError):
        first.save(path)
    family.train(TINY, tmp_path / "models", ("base",), watch=first)
    kept = first.save(path)
    assert len(kept) == len(first.table()) > 0
    again = Curve(TINY, TINY.tasks, samples=1)
    family.train(TINY, tmp_path / "models", ("base",), watch=again)
    pd.testing.assert_frame_equal(again.save(path), kept)
