"""Write a trained model into a folder that says what it is and how it came about."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan import __version__
from handan.norms import load_bank
from handan.organism import grammar
from handan.organism.corpus import Recipe, held_out, pair
from handan.organism.examine import examine
from handan.organism.model_card import card
from handan.organism.pretrain import Progress
from handan.organism.tokenizer import build

if TYPE_CHECKING:
    from transformers import Qwen2ForCausalLM

WEIGHTS = "model.safetensors"
DECODINGS = {"greedy": 0.0, "temperature 1": 1.0}
_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")
_LOSSES = 20


def save(folder: Path, model: Qwen2ForCausalLM) -> None:
    """Write weights, tokenizer and settings, so that plain transformers and `handan.traces` can load them."""
    from transformers import GenerationConfig

    tokenizer = build()
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    model.generation_config = GenerationConfig(**ends)
    model.save_pretrained(folder)
    (folder / WEIGHTS).chmod(0o644)  # written as a private temporary file, but all may read a package
    tokenizer.save_pretrained(folder)
    _name_tokenizer_class(folder / "tokenizer_config.json")
    about = {
        "think_open": grammar.THINK_OPEN,
        "think_close": grammar.THINK_CLOSE,
        "prompt": "code",
        "params": model.num_parameters(),
    }
    _write_json(folder / "handan.json", about)


def examination(model: Qwen2ForCausalLM, recipe: Recipe) -> pd.DataFrame:
    """Let a model do every binary item of the bank, greedily and by chance.

    Returns
    -------
    DataFrame
        The columns of `examine`, with ``decoding`` (a key of `DECODINGS`) and ``pairs``
        (``seen`` or ``held out``); one row per decoding and item.
    """
    bank = load_bank(grammar.SIGNS)
    items = list(zip(bank["task"], bank["item"], strict=True))
    tokenizer, unseen = build(), held_out(recipe)
    done = [
        examine(model, tokenizer, items, temperature=temperature, seed=recipe.seed).assign(decoding=name)
        for name, temperature in DECODINGS.items()
    ]
    table = pd.concat(done, ignore_index=True)
    table["pairs"] = ["held out" if pair(item) in unseen else "seen" for item in table["item"]]
    return table


def tally(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Count an examination: items, and shares answered correctly and written as the grammar would."""
    groups = table.fillna({"style": "none"}).groupby(["decoding", *by.split()], sort=True)
    counted = groups.agg(
        n=("correct", "size"),
        correct=("correct", "mean"),
        by_the_grammar=("by_the_grammar", "mean"),
        mean_tokens=("tokens", "mean"),
        sd_tokens=("tokens", "std"),
    )
    return counted.round(3).reset_index()


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values: a missing number (the spread of a single trace) becomes null."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def record(
    folder: Path,
    recipe: Recipe,
    log: list[Progress],
    table: pd.DataFrame,
    *,
    seconds: float,
    cpu_seconds: float,
    command: str,
) -> None:
    """Write ``training.json`` and the model card beside the weights.

    Parameters
    ----------
    folder : Path
        Where `save` wrote.
    recipe : Recipe
        Settings of the training.
    log : list of Progress
        Reports of the training.
    table : DataFrame
        From `examination`.
    seconds, cpu_seconds : float
        Time that the training took, on the clock and on the processor.
    command : str
        What makes the folder again.
    """
    import torch

    weights = (folder / WEIGHTS).read_bytes()
    told = {
        "command": command,
        "recipe": asdict(recipe),
        "seconds": round(seconds),
        "cpu_seconds": round(cpu_seconds),
        "machine": f"{platform.system()} {platform.machine()}, threads: {torch.get_num_threads()}",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
            "handan": __version__,
        },
        "tokens_per_second": round(log[-1].rate),
        "loss": {str(one.step): round(one.loss, 4) for one in log[:: max(len(log) // _LOSSES, 1)] + log[-1:]},
        "accuracy": _records(tally(table, "task pairs")),
        "styles": _records(tally(table, "style")),
        "held_out": sorted(" ".join(sorted(one)) for one in held_out(recipe)),
        "sha256": {WEIGHTS: hashlib.sha256(weights).hexdigest()},
    }
    _write_json(folder / "training.json", told)
    (folder / "README.md").write_text(card(told, parameters=_parameters(folder)), encoding="utf-8")


def _parameters(folder: Path) -> int:
    return int(json.loads((folder / "handan.json").read_text(encoding="utf-8"))["params"])


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(
        json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def _name_tokenizer_class(path: Path) -> None:
    """Name the class as every version of transformers knows it; version 5 writes its own inner name."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    _write_json(path, settings | {"tokenizer_class": "PreTrainedTokenizerFast"})
