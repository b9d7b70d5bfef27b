"""The recorded counts of a matched family against those of the importer, on the raw traces.

The recorded counts were made with a tokenizer that can't be shipped. HANDAN_QWEN_TOKENIZER
names it as a ``tokenizer.json`` (that of Qwen2.5 counts alike); then tokens are compared, and
characters always.
"""

import gzip
import json
import os

import numpy as np
import pandas as pd
import pytest

from handan.costs import load_study
from handan.costs.importers import read
from handan.costs.importers.reply import label

R1_TEXT = "deepseek-reasoner (question)"
FAMILY = {
    "deepseekR1": "DeepSeek-R1",
    "QwQ": "QwQ-32B",
    "DSQ": "DeepSeek-R1-Distill-Qwen-32B",
    "s1.1": "s1.1-32B",
    "Limo": "LIMO",
    "Qwen32": "Qwen2.5-32B-Instruct",
}
PARTS = [("math", folder) for folder in FAMILY] + [("gsm8k", folder) for folder in FAMILY if folder != "Limo"]
WORDS = ("think\n", "\nanswer\n")  # what is left of the tags of s1.1 where special tokens are not printed

pytestmark = pytest.mark.shared
each = pytest.mark.parametrize(("task", "folder"), PARTS)


@pytest.fixture(scope="module")
def pair(raw):
    """Import one file, and give the recorded rows beside it, in the order of the file."""
    source = raw / "costs/mip-overthinking"
    items = pd.read_csv(source / "items.csv", low_memory=False)

    def pairing(task, folder, **options):
        path = source / f"raw/{task}_normal_{folder}.json.gz"
        text = R1_TEXT if folder == "deepseekR1" else "model_answer"
        # The GSM8K files are in orders of their own: their rows are known by the question.
        columns = {"text": text, "item": "question" if task == "gsm8k" else "#"}
        imported = read("jsonl", path, columns=columns, model=FAMILY[folder], task=task, **options)
        own = items[(items["subset"] == f"{task}_normal") & (items["model_dir"] == folder)].sort_values(
            "item_index"
        )
        if task == "gsm8k":
            order = json.loads(gzip.decompress((source / "raw/gsm8k_normal_deepseekR1.json.gz").read_bytes()))
            names = "test/" + own["gsm8k_test_index"].astype("Int64").astype(str)
            known = dict(zip([label(row["question"]) for row in order], names, strict=True))
            names = imported.costs["item"].map(known)
        else:
            names = own["math_unique_id"].str.removesuffix(".json")
        costs = load_study(f"mip-{task}").costs
        recorded = costs[costs["model"] == FAMILY[folder]].set_index("item")
        return imported.costs, recorded.loc[names.tolist()].reset_index()

    return pairing


@each
def test_lengths_are_the_recorded_ones_and_so_are_the_rows_that_could_not_be_cut(pair, task, folder):
    costs, recorded = pair(task, folder, tags=WORDS if folder == "s1.1" else None)
    assert len(costs) == len(recorded) == {"math": 52, "gsm8k": 582}[task]
    assert costs["output_chars"].tolist() == recorded["n_chars"].tolist()
    uncut = costs["tags"] == "none"
    if folder in ("Limo", "Qwen32"):  # they have no tags, and all of their output was recorded as the cost
        assert uncut.all()
        assert recorded["reasoning_tokens"].tolist() == recorded["output_tokens"].tolist()
    else:
        assert uncut.tolist() == recorded["reasoning_tokens"].isna().tolist()
    # Without the tokenizer, characters must do: they go with the recorded tokens, task by task.
    known = recorded["reasoning_tokens"].notna()
    assert np.corrcoef(costs.loc[known, "n_chars"], recorded.loc[known, "reasoning_tokens"])[0, 1] > 0.9


@each
def test_token_counts_are_the_recorded_ones_but_for_the_tags(pair, task, folder):
    tokenizer = os.environ.get("HANDAN_QWEN_TOKENIZER")
    if tokenizer is None:
        pytest.skip("HANDAN_QWEN_TOKENIZER names no tokenizer.json of Qwen's base vocabulary")
    costs, recorded = pair(task, folder, tags=WORDS if folder == "s1.1" else None, tokenizer=tokenizer)
    known = recorded["reasoning_tokens"].notna()
    ours, theirs = costs.loc[known, "reasoning_tokens"], recorded.loc[known, "reasoning_tokens"]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    # The recorded count of s1.1 takes in the word that opens its reasoning.
    assert set(theirs - ours) == ({1.0} if folder == "s1.1" else {0.0})
    # The recorded answers take in the closing tag, spelled in up to four tokens.
    extra = recorded.loc[known, "answer_tokens"] - costs.loc[known, "answer_tokens"]
    assert extra.dropna().between(1, 4).all()
    # The rule of the package for a reply without tags: all of it is the cost.
    assert costs.loc[~known, "reasoning_tokens"].tolist() == recorded.loc[~known, "output_tokens"].tolist()
