"""The study of students beside their pretrained bases, and what its card says about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from handan import costs
from handan.findings.join import join
from handan.findings.transfer import transfer
from handan.lineage import load_lineage, pairs

STUDY = costs.load_study("pretrained-bases")
CARD = costs.card("pretrained-bases")
CHECKS = {name: pd.DataFrame(rows) for name, rows in CARD["checks"].items() if isinstance(rows, list)}
TEXT = " ".join(CARD["caveats"])
STUDENTS = {
    "DeepSeek-R1-Distill-Llama-8B": "Llama-3.1-8B",
    "DeepSeek-R1-Distill-Qwen-1.5B": "Qwen2.5-Math-1.5B",
    "DeepSeek-R1-Distill-Qwen-14B": "Qwen2.5-14B",
    "DeepSeek-R1-Distill-Qwen-32B": "Qwen2.5-32B",
}


def first_runs() -> pd.DataFrame:
    measured = STUDY.costs[STUDY.costs["sample"] == 0]
    return measured.merge(STUDY.norms[["task", "item", "difficulty"]], on=["task", "item"])


def log_r(rows: pd.DataFrame, cost: str) -> float:
    return float(np.corrcoef(np.log(rows[cost].astype(float)), rows["difficulty"])[0, 1])


def test_every_student_stands_beside_its_true_base_in_both_tasks() -> None:
    found = pairs(load_lineage(), STUDY.costs["model"].unique(), "transfer")
    assert set(found["relation"]) == {"true base"}
    assert dict(zip(found["a"], found["b"], strict=True)) == STUDENTS
    result = transfer(join(STUDY.costs, STUDY.norms), load_lineage(), n_boot=200)
    assert set(zip(result.pairs["task"], result.pairs["a"], strict=True)) == {
        (task, student) for task in ("gsm8k", "math") for student in STUDENTS
    }
    assert (result.pairs["n"] >= 288).all()


def test_the_unit_is_named_and_tokens_stand_beside_words_for_whole_models_or_not_at_all() -> None:
    assert set(STUDY.costs["tokenizer"]) == {"whitespace words"}
    assert "Words, not tokens" in CARD["tokens"]
    known = STUDY.costs["output_tokens"].notna().groupby([STUDY.costs["task"], STUDY.costs["model"]]).mean()
    assert set(known) == {0, 1}
    both = STUDY.costs.dropna(subset="output_tokens")
    wrote = both[both["reasoning_tokens"] > 0]
    assert (wrote["output_tokens"] >= wrote["reasoning_tokens"]).all()


def test_gsm8k_items_are_those_of_the_other_study_of_gsm8k() -> None:
    mine = STUDY.norms[STUDY.norms["task"] == "gsm8k"]
    other = costs.load_study("mip-gsm8k").norms
    both = mine.merge(other, on=["task", "item"])
    assert len(both) == 224
    assert (both["difficulty_x"] == both["difficulty_y"]).all()


def test_the_second_run_of_one_model_is_a_sample_and_its_copies_are_counted() -> None:
    again = STUDY.costs[STUDY.costs["sample"] > 0]
    assert set(zip(again["task"], again["model"], strict=True)) == {("math", "Qwen2.5-32B")}
    runs = CHECKS["two_runs"].set_index("task")
    assert CARD["checks"]["copies_left_out"] == runs.loc["gsm8k", "same_number_of_words"] == 486
    assert runs.loc["math", "common_items"] == len(again) == 18
    first = first_runs().query("model == 'Qwen2.5-32B' and task == 'math'").set_index("item")
    words = again.set_index("item")["reasoning_tokens"]
    assert (words == first["reasoning_tokens"].loc[words.index]).sum() == 9


def test_the_end_is_unknown_exactly_where_the_order_was_assumed() -> None:
    counts = CARD["checks"]["index_source"]
    assert counts["assumed_dataset_order"] == STUDY.costs["stop"].isna().sum()
    assert counts["matched_by_text"] == STUDY.costs["stop"].notna().sum()
    known = STUDY.costs.dropna(subset="stop")
    cut = (known["stop"] == "length").groupby([known["task"], known["model"]]).agg(["size", "sum"])
    listed = CHECKS["cut"].set_index(["task", "model"])
    assert (cut["size"] == listed["outputs"]).all()
    assert (cut["sum"] == listed["cut"]).all()


def test_words_and_tokens_are_compared_on_the_same_items() -> None:
    rows = first_runs().dropna(subset="output_tokens").query("reasoning_tokens > 0")
    for listed in CHECKS["words_and_tokens"].itertuples():
        part = rows[(rows["task"] == listed.task) & (rows["model"] == listed.model)]
        assert len(part) == listed.n
        assert log_r(part, "reasoning_tokens") == pytest.approx(listed.r_words, abs=1e-4)
        assert log_r(part, "output_tokens") == pytest.approx(listed.r_tokens, abs=1e-4)


def test_the_order_of_the_items_was_tested_and_a_wrong_order_would_have_shown() -> None:
    words = first_runs().pivot(index=["task", "item"], columns="model", values="reasoning_tokens")
    listed = CHECKS["order"][CHECKS["order"]["references"].str.startswith("by text")]
    assert len(listed) == 8
    for row in listed.itertuples():
        task = words.loc[row.task].dropna(axis="columns", thresh=100)
        references = set(task) - set(listed.loc[listed["task"] == row.task, "model"])
        wide = task.astype(float)
        found = [
            spearmanr(wide[row.model], wide[name], nan_policy="omit").statistic for name in sorted(references)
        ]
        assert np.mean(found) == pytest.approx(row.rank_correlation, abs=1e-4)
    passed = CHECKS["order"].set_index(["task", "model", "references"])
    failed = passed.index[passed["rank_correlation"] <= passed["best_other_shift"]]
    assert list(failed) == [("math", "Llama-3.1-8B", "by text (2)")]
    others = passed.drop(index=[("math", "Llama-3.1-8B")])
    assert (others["rank_correlation"] > 2 * others["best_other_shift"]).all()


def test_an_empty_output_stays_in_the_table_and_is_accounted_for() -> None:
    empty = STUDY.costs[STUDY.costs["reasoning_tokens"] == 0]
    assert empty.groupby(["task", "model"]).size().to_dict() == {
        ("gsm8k", "Llama-3.1-8B"): 14,
        ("math", "Llama-3.1-8B"): 44,
    }
    left_out = join(STUDY.costs, STUDY.norms).excluded
    assert left_out.set_index("task")["n"].to_dict() == {"gsm8k": 14, "math": 44}
    assert set(left_out["reason"]) == {"the cost is zero"}


def test_the_shares_that_the_card_names_are_those_of_the_table() -> None:
    cut = CHECKS["cut"].set_index(["model", "task"])
    percent = (100 * cut["cut"] / cut["outputs"]).round().astype(int)
    for sentence in (
        f"{percent['Llama-3.1-8B', 'gsm8k']} % of the outputs of Llama-3.1-8B were cut at the limit, "
        f"and {percent['DeepSeek-R1-Distill-Llama-8B', 'gsm8k']} % of its student's",
        f"{percent['DeepSeek-R1-Distill-Qwen-14B', 'math']} % of the outputs of DeepSeek-R1-Distill-Qwen-14B "
        f"and {percent['Qwen2.5-14B', 'math']} % of its base's",
        f"in GSM8K {percent['QwQ-32B', 'gsm8k']} % of QwQ-32B's",
        "{outputs} problems of MATH and was cut in {cut} of them".format(**cut.loc["QwQ-32B", "math"]),
        f"the weight of its {cut.loc[('QwQ-32B', 'gsm8k'), 'outputs']} of GSM8K",
    ):
        assert sentence in TEXT


def test_the_counts_that_the_card_names_are_those_of_the_table() -> None:
    many = CHECKS["words_and_tokens"].query("n >= 100")
    gain = many["r_tokens"] - many["r_words"]
    none = (STUDY.norms["difficulty"] == 0).sum()
    for sentence in (
        f"r with difficulty is {gain.min():.2f} to {gain.max():.2f} higher with tokens",
        f"For {CARD['checks']['index_source']['assumed_dataset_order']:,} of {CARD['rows']:,} rows",
        f"its {CARD['checks']['copies_left_out']} rows are left out",
        f"In {none} problems no calculation is marked",
    ):
        assert sentence in TEXT
