"""Derive the study of R1-Distill students beside the pretrained checkpoints they started from.

Called by ``derive_costs.py``. The source holds the texts of about half of the outputs, so the
one count that all rows share is words. What that costs, and whether items were placed
rightly where no text could be matched, is computed here and kept in ``derived.json``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from handan.traces.plan import WORDS

STUDY = "pretrained-bases"
INPUT = "thinking-llms-interp/items.csv"
TASKS = {"gsm8k": ("gsm8k", "gsm8k_n_calc", "test/"), "math500": ("math", "math_level", "math500/")}
RUN = ["task", "model", "pair"]  # a model that stands in two pairs was run twice
RECORDED = ["n_words", "n_chars", "n_tok_qwen", "hit_2000_token_cap", "correct_auto"]
ENOUGH = 100  # items: with fewer, a rank correlation says nothing about the order of the items


def pretrained_bases(raw: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Norms, costs and reliabilities of four students, their pretrained bases, and QwQ-32B.

    Parameters
    ----------
    raw : Path
        The folder that holds the sources of costs.

    Returns
    -------
    tuple of (DataFrame, DataFrame, DataFrame)
        As every reader of ``derive_costs.py``; `reasoning_tokens` are words of the whole output.
    """
    rows = _runs(raw)
    norms = rows[["task", "item", "difficulty"]].drop_duplicates().assign(source="thinking-llms-interp")

    rows = rows[~_copies(rows)]
    costs = rows[["model", "task", "item", "sample"]].copy()
    costs["reasoning_tokens"] = rows["n_words"]
    # A model whose tokens are known for a few items only would be compared on those few.
    whole = rows["n_tok_qwen"].notna().groupby([rows["task"], rows["model"]]).transform("all")
    costs["output_tokens"] = rows["n_tok_qwen"].where(whole)
    costs["stop"] = rows["hit_2000_token_cap"].map({0: "stop", 1: "length"})
    costs["correct"] = rows["correct_auto"]
    costs["tokenizer"] = WORDS
    costs["n_chars"] = rows["n_chars"]

    method = "one value per item, no repeated human measure: no reliability can be computed"
    tasks = [task for task, _, _ in TASKS.values()]
    reliability = pd.DataFrame({"study": STUDY, "task": tasks, "reliability": np.nan, "method": method})
    return norms, costs, reliability


def checks(raw: Path) -> dict[str, Any]:
    """Compute what a reader must know before trusting the study.

    Returns
    -------
    dict
        ``copies_left_out`` and ``two_runs`` (the model that was run twice), ``index_source``
        (rows by how their item was found), ``order`` (see `_order`), ``words_and_tokens``
        (r with difficulty under both counts, where both exist) and ``cut`` (share of outputs at
        the limit among those whose end is known).
    """
    rows = _runs(raw)
    kept = rows[~_copies(rows)]
    return {
        "checks": {
            "copies_left_out": int(_copies(rows).sum()),
            "two_runs": _two_runs(rows),
            "index_source": {name: int(n) for name, n in kept["index_source"].value_counts().items()},
            "order": _order(kept[kept["sample"] == 0]),
            "words_and_tokens": _words_and_tokens(kept),
            "cut": _cut(kept),
        }
    }


def _runs(raw: Path) -> pd.DataFrame:
    """Read the source; a model's longest run in a task is sample 0."""
    rows = pd.read_csv(raw / INPUT)
    known = rows["dataset"].map(TASKS)
    index = rows["dataset_index"].astype(str)
    rows["task"], rows["item"] = known.str[0], known.str[2] + index
    rows["difficulty"] = rows["gsm8k_n_calc"].fillna(rows["math_level"])
    rows["model"] = rows["model"].str.split("/").str[-1]
    length = rows.groupby(RUN)["item"].transform("size")
    rows = rows.assign(length=length).sort_values(["length", "pair"], ascending=[False, True], kind="stable")
    rows["sample"] = rows.groupby(["task", "model"])["pair"].transform(lambda pair: pd.factorize(pair)[0])
    return rows.drop(columns="length")


def _copies(rows: pd.DataFrame) -> pd.Series:
    """Whether every recorded number repeats that of an earlier run of the same model and item."""
    return rows.duplicated(["task", "model", "item", *RECORDED])


def _two_runs(rows: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    for (task, model), part in rows.groupby(["task", "model"]):
        if part["sample"].max():
            words = part.pivot(index="item", columns="sample", values="n_words").dropna()
            same = int((words[0] == words[1]).sum())
            found.append(dict(task=task, model=model, common_items=len(words), same_number_of_words=same))
    return found


def _order(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Test the assumption that outputs without text stand in the order of the data set.

    If it holds, the lengths of such a model go with those of the other models; if it fails,
    they go with them no better than after a cyclic shift of all items. The other models are first
    those whose items were found by text, then all, of which each stands in its own run's order.

    Returns
    -------
    list of dict
        For both sets of ``references``: ``rank_correlation``, the mean Spearman correlation with
        them, and ``best_other_shift``, the highest such mean that another cyclic shift gives.
    """
    found = []
    for task, part in rows.groupby("task"):
        words = part.pivot(index="dataset_index", columns="model", values="n_words")
        words = words.loc[:, words.count() >= ENOUGH]
        source = part.drop_duplicates("model").set_index("model")["index_source"]
        by_text = [name for name in words if source[name] == "matched_by_text"]
        for model in words.columns.drop(by_text):
            for kind, others in (("by text", by_text), ("all", words.columns.drop(model))):
                r = np.mean([_shifted(words[model], words[name]) for name in others], axis=0)
                row = dict(task=task, model=model, references=f"{kind} ({len(others)})")
                r = dict(rank_correlation=r[0], best_other_shift=r[1:].max())
                found.append(row | {name: round(value, 4) for name, value in r.items()})
    return found


def _shifted(assumed: pd.Series, reference: pd.Series) -> np.ndarray:
    """Spearman correlation of two series for every cyclic shift of the first; shift 0 is first."""
    known = reference.notna().to_numpy()
    every = np.array([np.roll(assumed.to_numpy(), shift)[known] for shift in range(len(assumed))])
    left, right = rankdata(every, axis=1), rankdata(reference[known])
    left, right = left - left.mean(axis=1, keepdims=True), right - right.mean()
    return left @ right / np.sqrt((left**2).sum(axis=1) * (right @ right))


def _words_and_tokens(rows: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    both = rows[(rows["n_words"] > 0) & (rows["n_tok_qwen"] > 0) & (rows["sample"] == 0)]
    for (task, model), part in both.groupby(["task", "model"]):
        logs = np.log(part[["n_words", "n_tok_qwen"]]).assign(difficulty=part["difficulty"]).corr()
        r = dict(
            r_words=logs.at["n_words", "difficulty"],
            r_tokens=logs.at["n_tok_qwen", "difficulty"],
            r_words_tokens=logs.at["n_words", "n_tok_qwen"],
        )
        rounded = {name: round(value, 4) for name, value in r.items()}
        found.append(dict(task=task, model=model, n=len(part)) | rounded)
    return found


def _cut(rows: pd.DataFrame) -> list[dict[str, Any]]:
    known = rows.dropna(subset="hit_2000_token_cap")
    groups = known.groupby(["task", "model"])["hit_2000_token_cap"]
    return [
        dict(task=task, model=model, outputs=len(part), cut=int(part.sum())) for (task, model), part in groups
    ]
