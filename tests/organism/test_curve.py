import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import pearsonr

from handan.norms import load_bank
from handan.organism import corpus, family
from handan.organism.checkpoint import read_training
from handan.organism.curve import Curve
from handan.organism.reinforced import sample
from tests.organism.tiny import TINY

COLUMNS = ["condition", "stage", "step", "repertoire", "seed", "r", "accuracy", "tokens"]


def length(text, tokenizer):
    """Tokens of a chain of thought, from its text: up to the closing tag, the opening one not counted."""
    inside = text.partition("</think>")[0].removeprefix("<think>")
    return max(len(tokenizer(inside)["input_ids"]), 1)


def test_a_look_is_what_its_replies_say(base, tokenizer):
    curve = Curve(TINY, TINY.tasks, samples=3)
    curve("base", 60, base)
    (row,) = curve.table().to_dict("records")
    items = corpus.held_out_items(TINY.tasks)
    told = sample(base, tokenizer, items, label="look/base/60", group=3, max_new_tokens=40)
    assert row["accuracy"] == pytest.approx(np.mean([one.right for one in told]))
    # Where a model spells out a word that is a token, its reply is longer than its text says.
    plain = [one for one in told if tokenizer(one.text)["input_ids"] == [i for i in one.ids if i != tokenizer.eos_token_id]]
    assert len(plain) > 0.9 * len(told)
    lengths = [length(one.text, tokenizer) for one in told]
    assert row["tokens"] == pytest.approx(np.mean(lengths), rel=0.05)
    human = load_bank(TINY.tasks).set_index("item")["log_rt"]
    logs = np.log(lengths).reshape(-1, 3).mean(axis=1)
    expected = pearsonr(logs, [human[item] for _, item in items]).statistic
    assert row["r"] == pytest.approx(expected, abs=0.1)


def test_the_table_follows_a_training_and_changes_nothing(models, tmp_path):
    curve = Curve(TINY, TINY.tasks, samples=1)
    folders = family.train(TINY, tmp_path, ("student-hard",), watch=curve)
    table = curve.table()
    assert table.columns.tolist() == COLUMNS
    assert table[["condition", "stage", "step"]].values.tolist() == [
        ["base", "base", 0], ["base", "base", 60],
        ["teacher", "reinforced", 0], ["teacher", "reinforced", 2],
        ["student-hard", "distilled", 0], ["student-hard", "distilled", 2],
    ]  # fmt: skip
    assert set(table["repertoire"]) == {"carry"}
    assert set(table["seed"]) == {0}
    assert table["accuracy"].between(0, 1).all()
    assert table["r"].dropna().between(-1, 1).all()
    assert table.loc[1, "accuracy"] > table.loc[0, "accuracy"] == 0
    assert [read_training(one)["sha256"] for one in folders] == [read_training(one)["sha256"] for one in models[:3]]


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
