"""What a model of any size is trained on: items of the bank in words, or a teacher's traces of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from handan.costs.decoder import Decoder
from handan.costs.measure import verdict
from handan.costs.split import split_ids
from handan.costs.tags import Tags
from handan.norms import load_bank
from handan.organism import corpus, grammar
from handan.traces import prompts
from handan.traces.errors import RequestError
from handan.traces.models import Model
from handan.traces.request import Decoding

TRAINED, HELD_OUT = "trained", "held out"


@dataclass(frozen=True)
class Learner:
    """A model that is to learn: how it is asked, and how its replies are judged.

    Everything is as it will be when traces of it are generated and counted.

    Parameters
    ----------
    model : Model
        Which.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    """

    model: Model
    tokenizer: Any

    @cached_property
    def stops(self) -> frozenset[int]:
        """Tokens that end a text."""
        from handan.traces.token_ids import published_stops

        return published_stops(self.model, self.tokenizer)

    @cached_property
    def stop(self) -> int:
        """The token to end a text with."""
        own = self.tokenizer.eos_token_id
        return int(own) if own in self.stops else min(self.stops)

    @cached_property
    def tags(self) -> Tags:
        """Tags around its chain of thought."""
        return Tags(self.model.think_open, self.model.think_close)

    @cached_property
    def decoder(self) -> Decoder:
        """Its tokenizer, for counting."""
        return Decoder.of(self.tokenizer)

    def message(self, task: str, item: str) -> Any:
        """Return a problem as TRL takes it: a conversation, or a text for a model without a chat template."""
        text = prompts.problem_text(task, item, self.model.prompt)
        if getattr(self.tokenizer, "chat_template", None):
            return [{"role": "user", "content": text}]
        return prompts.chat_renderer(self.tokenizer)[0](text)

    def asked(self, problems: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, list[int]]]:
        """Return the prompt of each problem, as text and as tokens."""
        from handan.traces.token_ids import encode

        render, template = prompts.chat_renderer(self.tokenizer)
        requests = prompts.requests(
            self.model, problems, Decoding(), dtype="float32", render=render, template=template
        )
        return {(one.task, one.item): (one.prompt, encode(self.tokenizer, one)) for one in requests}

    @cached_property
    def _prefilled(self) -> bool:
        """Whether its prompts end with the opening tag; all do or none, as the template says."""
        render, _ = prompts.chat_renderer(self.tokenizer)
        return self.tags.prefilled(render("1 + 1"))

    def is_right(self, task: str, item: str, ids: Sequence[int]) -> bool:
        """Judge a reply, given as tokens up to and including the stop token, by the bank's grader."""
        ended = bool(len(ids)) and ids[-1] in self.stops
        cut = split_ids(ids, self.decoder, self.tags, prefilled=self._prefilled, stopped=ended)
        return verdict(task, item, cut.reply) == 1


def parts(tasks: Sequence[str], held_out: float, seed: int) -> pd.DataFrame:
    """Divide the items of tasks into those to train on and those to test on.

    Where an item falls depends on the seed and its problem alone. So it is the same for a
    teacher and for its student, and problems that give each other away (``0110+1010`` and
    ``1010-0110``) fall on the same side.

    Parameters
    ----------
    tasks : sequence of str
        Tasks of the bank.
    held_out : float
        Share of problems to test on, in [0, 1); it is met about, as each falls by chance.
    seed : int
        Another seed divides them otherwise.

    Returns
    -------
    DataFrame
        ``task, item, part``; `part` is ``trained`` or ``held out``.

    Raises
    ------
    RequestError
        When a task is unknown or has no prompts, or nothing is left to train on.
    """
    if not 0 <= held_out < 1:
        raise RequestError(f"the share of items to hold out must be in [0, 1), not {held_out}")
    table = pd.DataFrame(prompts.problems(tasks), columns=["task", "item"])
    chances = [_chance(task, item, seed) for task, item in zip(table["task"], table["item"], strict=True)]
    table["part"] = [HELD_OUT if chance < held_out else TRAINED for chance in chances]
    if not (table["part"] == TRAINED).any():
        raise RequestError("no item is left to train on: hold out fewer, or name a task")
    return table


def rounds(count: int, wanted: int, seed: int) -> np.ndarray:
    """Draw places among `count` things, each once before any comes again."""
    rng = np.random.default_rng(seed)
    turns = [rng.permutation(count) for _ in range(-(-wanted // count))]
    return np.concatenate(turns)[:wanted]


def hardest(table: pd.DataFrame, share: float) -> pd.DataFrame:
    """Keep the share of items of each task on which people take longest.

    Parameters
    ----------
    table : DataFrame
        ``task, item``.
    share : float
        In (0, 1].
    """
    timed = table.merge(load_bank(list(table["task"].unique())), on=["task", "item"], how="left")
    rank = timed.groupby("task")["log_rt"].rank(pct=True, ascending=False, method="first")
    return table[(rank <= share).to_numpy()]


def files_of(folders: Iterable[Path]) -> list[Path]:
    """Check that stores are there, so that a misspelled name is told at once.

    Raises
    ------
    RequestError
        When one is no folder.
    """
    found = list(folders)
    for folder in found:
        if not folder.is_dir():
            raise RequestError(f"there is no folder {folder}; handan traces MODEL --out makes a store")
    return found


def _chance(task: str, item: str, seed: int) -> float:
    if task in grammar.TASKS:
        known = corpus.identity(task, item)
        what = known if isinstance(known, str) else " ".join(sorted(known))
    else:
        what = f"{task} {item}"
    digest = hashlib.sha256(f"{seed}/{what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
