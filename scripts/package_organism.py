"""Put trained families into the package: one family's models, and all families' costs.

    handan train family --profile full --repertoire both --seeds 5 --out build/organism
    python scripts/package_organism.py build/organism

The first command takes about two hours on two idle cores and goes on where it stopped.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from handan.costs import ORGANISM
from handan.organism import study
from handan.organism.checkpoint import read_training
from handan.organism.conditions import CONDITIONS, lineage

DATA = Path(__file__).resolve().parents[1] / "src/handan/data"
PACKAGED = "carry-s0"  # the family whose models are packaged
OTHER_BASE = "base-equal-s0"  # so that short trainings can start from either repertoire
KEPT = ("study", "model", "task", "item", "sample", "prompt_tokens", "reasoning_tokens", "answer_tokens",
        "output_tokens", "stop", "correct", "style")  # fmt: skip


def main() -> None:
    """Copy models, write tables and their provenance."""
    parser = argparse.ArgumentParser(description="Put trained families into the package.")
    parser.add_argument("families", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    given = parser.parse_args()
    costs = pd.read_csv(given.families / "costs.csv", dtype={"item": "string"})
    models = list(costs["model"].unique())
    records = {model: read_training(given.families / "models" / model) for model in models}
    folder = given.data / "organism"
    folder.mkdir(exist_ok=True)
    _write_tables(folder, costs, models)
    _write_record(folder, costs, records)
    _copy_family(given.families / "models", given.data / "models")


def _write_tables(folder: Path, costs: pd.DataFrame, models: list[str]) -> None:
    text = costs[list(KEPT)].astype({"correct": "Int64"}).to_csv(index=False, lineterminator="\n")
    # No name and no date inside: the same table gives the same bytes.
    packed = gzip.compress(text.encode(), mtime=0)
    (folder / "costs.csv.gz").write_bytes(packed)
    lineage(models).to_csv(folder / "lineage.csv", index=False, lineterminator="\n")
    norms = study.norms().dropna(axis="columns", how="all")
    norms.to_csv(folder / "norms.csv", index=False, lineterminator="\n")


def _write_record(folder: Path, costs: pd.DataFrame, records: dict[str, dict[str, Any]]) -> None:
    """Write ``derived.json`` (counts, recipe) and ``training.csv`` (how each model came about)."""
    rows = [{"model": model, **_training(record)} for model, record in records.items()]
    pd.DataFrame(rows).to_csv(folder / "training.csv", index=False, lineterminator="\n")
    first = next(iter(records.values()))
    recipes = {json.dumps(_shared(record), sort_keys=True) for record in records.values()}
    if len(recipes) > 1:
        raise SystemExit("the families were trained with different recipes")
    derived = {
        "items": int(costs[["task", "item"]].drop_duplicates().shape[0]),
        "models": len(records),
        "rows": len(costs),
        "rows_without_reasoning_count": int(costs["reasoning_tokens"].isna().sum()),
        "rows_with_zero_reasoning": int((costs["reasoning_tokens"] == 0).sum()),
        "rows_cut_at_limit": int((costs["stop"] == "length").sum()),
        "recipe": _shared(first),
        "versions": first["versions"],
        "machine": first["machine"],
        "table": hashlib.sha256((folder / "costs.csv.gz").read_bytes()).hexdigest(),
    }
    text = json.dumps({ORGANISM: derived}, indent=2) + "\n"
    (folder / "derived.json").write_text(text, encoding="utf-8")


def _shared(record: dict[str, Any]) -> dict[str, Any]:
    """Return what all families have in common."""
    return {key: value for key, value in record["recipe"].items() if key not in ("seed", "repertoire")}


def _training(record: dict[str, Any]) -> dict[str, Any]:
    last = record["log"][-1]
    return {
        "parameters": record["parameters"],
        "cpu_seconds": record["cpu_seconds"],
        "steps": last["step"],
        **{key: last.get(key) for key in ("loss", "reward", "right", "tokens_each")},
        "traces": record["lesson"].get("traces"),
        "traces_asked": record["lesson"].get("asked"),
        "sha256": record["sha256"],
    }


def _copy_family(source: Path, target: Path) -> None:
    names = [*(f"{condition.name}-{PACKAGED}" for condition in CONDITIONS), OTHER_BASE]
    if absent := [name for name in names if not (source / name).is_dir()]:
        raise SystemExit(f"{source} has no {', '.join(absent)}; train the whole family first")
    shutil.rmtree(target, ignore_errors=True)
    for name in names:
        shutil.copytree(source / name, target / name)


if __name__ == "__main__":
    main()
