"""Derive the recorded cost studies of the package from their public sources.

    python scripts/derive_costs.py [RAW] [--out FOLDER]

RAW is the folder that holds ``costs/<source>/`` (default ``../shared/data``). Only
numbers are written: token counts, difficulty measures, flags and identifiers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import derive_bases
import numpy as np
import pandas as pd

from handan.norms import split_half

HERE = Path(__file__).resolve().parents[1]
QWEN = "Qwen BPE (151,643 entries)"
CAP = 32_768  # tokens: the limit under which the local models of mip-* and gpqa-minutes ran
NEAR_CAP = CAP - 64  # counted after decoding and encoding again, a cut trace may lose a few tokens

MIP_FAMILY = {
    "deepseek-ai/DeepSeek-R1": "DeepSeek-R1",
    "Qwen/QwQ-32B": "QwQ-32B",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": "DeepSeek-R1-Distill-Qwen-32B",
    "simplescaling/s1.1-32B": "s1.1-32B",
    "GAIR/LIMO": "LIMO",
    "Qwen/Qwen2.5-32B-Instruct": "Qwen2.5-32B-Instruct",
}
# These two print no think tags: by the rule of the package their whole output is the cost.
WITHOUT_TAGS = ("LIMO", "Qwen2.5-32B-Instruct")
PM_NAMES = {
    "QwenQwQ-32B": "QwQ-32B",
    "qwen-qwq-32b-stepbystep": "QwQ-32B@steps-8k",
    "qwen-qwq-32b-nostepbystep": "QwQ-32B@nosteps-8k",
    "qwen2.51.5b-instruct-q6_K": "Qwen2.5-1.5B-Instruct",
}
JUDGE = "mean_score_gpt-5.4"

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]  # norms, costs, reliability


def pnas_r1(raw: Path) -> Tables:
    """Six tasks of de Varda et al. (2025), read off the vector coordinates of a figure."""
    points = pd.read_csv(raw / "devarda2025-figure/points.csv")
    points["item"] = points["row"].astype(str)
    norms = points[["task", "item"]].assign(log_rt=np.log(points["rt_s"]), source="devarda2025-figure")
    costs = points[["task", "item", "reasoning_tokens"]].assign(model="DeepSeek-R1", sample=0)
    why = "one mean per item in the figure: no reliability can be computed"
    return norms, costs, _reliability("pnas-r1", dict.fromkeys(points["task"].unique(), (np.nan, why)))


def gpqa_minutes(raw: Path) -> Tables:
    """GPQA: self-reported minutes of two expert validators, thinking tokens of twelve models."""
    folder = raw / "reasoning-uncertainty-gpqa"
    people = pd.read_csv(folder / "gpqa_human.csv").query("in_model_subset == 1")
    minutes = people[["time_min_EV_1", "time_min_EV_2"]]
    log_s = np.log(60 * minutes.where(minutes > 0))
    norms = pd.DataFrame({"task": "gpqa", "item": people["record_id"], "log_rt": log_s.mean(axis=1)})
    norms["se"] = log_s.std(axis=1) / np.sqrt(log_s.count(axis=1))
    norms["n_participants"] = norms["n_trials"] = log_s.count(axis=1)
    norms["accuracy"] = people["expert_accuracy"]
    norms["source"] = "reasoning-uncertainty-gpqa"
    reliability = _expert_reliability(people["record_id"], log_s)

    rows = pd.read_csv(folder / "gpqa_items.csv")
    rows = rows.merge(
        people[["record_id", "question_chars"]], on="record_id", how="left", validate="many_to_one"
    )
    tokens = rows["thinking_tokens_well_posed"]
    costs = pd.DataFrame(
        {"model": rows["model"].str.split("/").str[-1], "task": "gpqa", "item": rows["record_id"]}
    )
    costs["sample"] = rows.groupby(["model", "record_id"]).cumcount()  # a record in two splits was run twice
    costs["reasoning_tokens"] = tokens
    costs["stop"] = np.where(tokens >= NEAR_CAP, "length", "stop")
    costs["correct"] = rows["correct_well_posed"]
    costs["tokenizer"] = "native"
    costs["prompt_chars"] = rows["question_chars"]
    return norms, costs, reliability


def _expert_reliability(items: pd.Series, log_s: pd.DataFrame) -> pd.DataFrame:
    """Agreement of the experts; which of them is called the first is random, so it is drawn again."""
    long = log_s.assign(item=items).melt("item", value_name="residual").dropna()
    half = split_half(long.assign(participant=None)[["item", "participant", "residual"]])
    row = {
        "study": "gpqa-minutes",
        "task": "gpqa",
        "reliability": half.reliability,
        "low": half.low,
        "high": half.high,
    }
    method = (
        "agreement of the two experts over items, Spearman-Brown for their mean, who is first drawn at random"
    )
    return pd.DataFrame([row | {"method": method}])


def mip(raw: Path, subset: str) -> Tables:
    """One matched 32B family on well-posed GSM8K or MATH problems."""
    task, difficulty = {"gsm8k": ("gsm8k", "gsm8k_n_calc"), "math": ("math", "math_level")}[subset]
    rows = pd.read_csv(raw / "mip-overthinking/items.csv", low_memory=False)
    rows = rows[(rows["subset"] == f"{subset}_normal") & rows["model"].isin(MIP_FAMILY)].copy()
    rows["item"] = _mip_items(rows, subset)
    norms = rows[["item", difficulty]].drop_duplicates().rename(columns={difficulty: "difficulty"})
    norms = norms.assign(task=task, source="mip-overthinking")

    costs = pd.DataFrame({"model": rows["model"].map(MIP_FAMILY), "task": task, "item": rows["item"]})
    costs["sample"] = rows["rep"]
    whole, think = rows["n_tok_qwen"], rows["n_tok_qwen_think"]
    tagless = costs["model"].isin(WITHOUT_TAGS)
    costs["reasoning_tokens"] = think.where(~tagless, whole)  # a tag that never came leaves the count empty
    costs["answer_tokens"] = (whole - think).where(~tagless)
    costs["output_tokens"] = whole
    costs["stop"] = np.where(whole >= NEAR_CAP, "length", "stop")
    costs["correct"] = rows["correct_auto"]
    costs["tokenizer"] = QWEN
    costs["n_chars"] = rows["n_chars"]
    costs["prompt_chars"] = rows["prompt_chars"]
    why = "one value per item, no repeated human measure: no reliability can be computed"
    return norms, costs, _reliability(f"mip-{subset}", {task: (np.nan, why)})


def _mip_items(rows: pd.DataFrame, subset: str) -> pd.Series:
    if subset == "gsm8k":
        return "test/" + rows["gsm8k_test_index"].astype("Int64").astype(str)
    return rows["math_unique_id"].str.removesuffix(".json")


def pm_bench(raw: Path) -> Tables:
    """46 process-mining questions; difficulty is the mean grade of a language model as judge, negated."""
    folder = raw / "pm-llm-benchmark"
    grades = pd.read_csv(folder / "item_difficulty.csv").query("category != 'cat08'")
    norms = grades[["item"]].assign(
        task="process-mining", difficulty=-grades[JUDGE], source="pm-llm-benchmark"
    )
    judges = grades[[name for name in grades if name.startswith("mean_score_")]]
    agreement = judges.corr()[JUDGE].drop(JUDGE).mean()
    method = "mean r of the judge (gpt-5.4) with four other judges over items: agreement, not retest"
    reliability = _reliability("pm-bench", {"process-mining": (agreement, method)})

    rows = pd.read_csv(folder / "items.csv").query("category != 'cat08'")
    name = rows["file_prefix"].map(PM_NAMES).fillna(rows["model"])
    think, whole = rows["n_tok_qwen_think"], rows["n_tok_qwen"]
    costs = pd.DataFrame({"model": name, "task": "process-mining", "item": rows["item"], "sample": 0})
    # Without tags, or cut before the closing tag, everything that was written counts as reasoning.
    costs["reasoning_tokens"] = think.fillna(whole)
    costs["answer_tokens"] = rows["n_tok_qwen_answer"]
    costs["output_tokens"] = whole
    costs["stop"] = np.where(rows["trace_status"] == "truncated_at_8192", "length", "stop")
    costs["tokenizer"] = QWEN
    costs["n_chars"] = rows["n_chars"]
    costs["prompt_chars"] = rows["prompt_chars"]
    return norms, costs, reliability


STUDIES = {
    "pnas-r1": pnas_r1,
    "gpqa-minutes": gpqa_minutes,
    "mip-math": lambda raw: mip(raw, "math"),
    "mip-gsm8k": lambda raw: mip(raw, "gsm8k"),
    derive_bases.STUDY: derive_bases.pretrained_bases,
    "pm-bench": pm_bench,
}
INPUTS = {
    "pnas-r1": ["devarda2025-figure/points.csv"],
    "gpqa-minutes": [
        "reasoning-uncertainty-gpqa/gpqa_items.csv",
        "reasoning-uncertainty-gpqa/gpqa_human.csv",
    ],
    "mip-math": ["mip-overthinking/items.csv"],
    "mip-gsm8k": ["mip-overthinking/items.csv"],
    derive_bases.STUDY: [derive_bases.INPUT],
    "pm-bench": ["pm-llm-benchmark/items.csv", "pm-llm-benchmark/item_difficulty.csv"],
}
CHECKS = {derive_bases.STUDY: derive_bases.checks}  # what else is computed for derived.json


def _reliability(study: str, tasks: dict[str, tuple[float, str]]) -> pd.DataFrame:
    rows = [
        {"study": study, "task": task, "reliability": r, "method": why} for task, (r, why) in tasks.items()
    ]
    return pd.DataFrame(rows)


def _write(frame: pd.DataFrame, path: Path, sort: list[str]) -> None:
    frame = frame.dropna(axis="columns", how="all").sort_values(sort, kind="stable")
    whole = [name for name in frame.select_dtypes("float") if (frame[name].dropna() % 1 == 0).all()]
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    frame.to_csv(path, index=False, float_format="%.6f", lineterminator="\n")


def derive(raw: Path, out: Path) -> None:
    """Write every study's tables and the machine-made provenance into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    reliabilities, derived = [], {}
    for study, read in STUDIES.items():
        norms, costs, reliability = read(raw)
        costs.insert(0, "study", study)
        lead = ["study", "model", "task", "item", "sample"]
        costs = costs[lead + [name for name in costs if name not in lead]]
        norms = norms[["task", "item"] + [name for name in norms if name not in ("task", "item")]]
        _write(norms, out / f"{study}-norms.csv", ["task", "item"])
        _write(costs, out / f"{study}.csv", lead[1:])
        reliabilities.append(reliability)
        derived[study] = {
            "inputs": {name: hashlib.sha256((raw / name).read_bytes()).hexdigest() for name in INPUTS[study]},
            "items": len(norms),
            "models": int(costs["model"].nunique()),
            "rows": len(costs),
            "rows_without_reasoning_count": int(costs["reasoning_tokens"].isna().sum()),
            "rows_with_zero_reasoning": int((costs["reasoning_tokens"] == 0).sum()),
            "rows_cut_at_limit": int((costs["stop"] == "length").sum()) if "stop" in costs else None,
        }
        if study in CHECKS:
            derived[study] |= CHECKS[study](raw)
    _write(pd.concat(reliabilities), out / "reliability.csv", ["study", "task"])
    (out / "derived.json").write_text(json.dumps(derived, indent=2) + "\n")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", nargs="?", type=Path, default=HERE.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=HERE / "src/handan/data/costs")
    arguments = parser.parse_args()
    if not (arguments.raw / "costs").is_dir():
        parser.error(f"{arguments.raw} has no folder 'costs'; name the folder that holds the raw data")
    derive(arguments.raw / "costs", arguments.out)


if __name__ == "__main__":
    main()
