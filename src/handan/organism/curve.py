"""How alignment, accuracy and length change while a model is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from handan.norms import load_bank
from handan.organism import corpus
from handan.organism.conditions import BY_NAME
from handan.organism.recipe import Recipe
from handan.organism.reinforced import sample
from handan.organism.tokenizer import build

if TYPE_CHECKING:
    from transformers import Qwen2ForCausalLM


class Curve:
    """Looks at a model in training; give it to `handan.organism.family.train` as ``watch``.

    Parameters
    ----------
    recipe : Recipe
        The family's.
    tasks : tuple of str
        Tasks whose held-out items are asked; r is averaged over them.
    samples : int
        Replies per item and look.
    """

    def __init__(self, recipe: Recipe, tasks: tuple[str, ...], samples: int = 2) -> None:
        self._recipe, self._samples = recipe, samples
        self._items = corpus.held_out_items(tasks)
        self._human = load_bank(tasks).set_index(["task", "item"])["log_rt"]
        self._tokenizer = build()
        self._rows: list[dict[str, Any]] = []

    def __call__(self, condition: str, step: int, model: Qwen2ForCausalLM) -> None:
        """Ask the model, and note what came of it."""
        told = sample(
            model, self._tokenizer, self._items,
            label=f"look/{self._recipe.seed}/{step}", group=self._samples,
            max_new_tokens=self._recipe.reinforced.max_new_tokens,
        )  # fmt: skip
        rows = pd.DataFrame(
            {"task": one.problem[0], "item": one.problem[1], "right": one.right, "tokens": len(one.ids)}
            for one in told
        )
        items = rows.assign(log_cost=np.log(rows["tokens"])).groupby(["task", "item"])["log_cost"].mean()
        pairs = items.to_frame().join(self._human)
        r = pairs.groupby("task").apply(lambda part: part["log_cost"].corr(part["log_rt"]))
        self._rows.append(
            {"condition": condition, "stage": BY_NAME[condition].step, "step": step}
            | {"repertoire": self._recipe.repertoire, "seed": self._recipe.seed}
            | {"r": float(r.mean(skipna=False)), "accuracy": float(rows["right"].mean())}
            | {"tokens": float(rows["tokens"].mean())}
        )

    def table(self) -> pd.DataFrame:
        """Return a row per look: ``condition, stage, step, repertoire, seed, r, accuracy, tokens``.

        ``tokens`` are those of a whole reply with its stop token, so that an ill-trained
        model's counts as well. ``r`` is missing where all replies to a task are equally long.
        """
        return pd.DataFrame(self._rows)

    def save(self, path: Path) -> pd.DataFrame:
        """Write the looks to a file, or read those of an earlier training where there were none now.

        Raises
        ------
        FileNotFoundError
            When there were none, neither now nor before.
        """
        if self._rows:
            self.table().to_csv(path, index=False)
        return pd.read_csv(path)
