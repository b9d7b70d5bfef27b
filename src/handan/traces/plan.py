"""What a run would do and take, without doing it: the dry run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.traces.models import Model
from handan.traces.progress import duration
from handan.traces.request import Request

CHARS_PER_TOKEN = 4.0
# The tokenizer column of a study that could count words only.
WORDS = "whitespace words"


@dataclass(frozen=True)
class Expected:
    """Expected number of generated tokens per request, and where the number is from."""

    tokens: float
    source: str


def expected_tokens(model: Model, limit: int, stored: pd.DataFrame | None = None) -> Expected:
    """Guess how long the answers of a model will be.

    In this order: the mean of its own stored answers; its mean in the recorded studies; the
    mean of its role there; the limit. Tasks differ by a factor of ten, so this is a guess.

    Parameters
    ----------
    model : Model
        Who is asked.
    limit : int
        ``max_new_tokens``.
    stored : DataFrame, optional
        Rows of a store with ``model, output_tokens``.
    """
    if stored is not None and len(stored):
        own = stored.loc[stored["model"] == model.name, "output_tokens"].dropna()
        if len(own):
            return Expected(float(own.mean()), f"mean of {len(own):,} answers in the store")
    recorded = recorded_tokens()
    own = recorded[recorded["model"] == model.name]
    if len(own):
        tokens, source = float(own["tokens"].mean()), "its mean in the recorded studies"
    else:
        role = _role(model)
        peers = recorded[recorded["role"] == role]
        if peers.empty:
            return Expected(float(limit), "the limit, as nothing is known of this model")
        tokens, source = float(peers["tokens"].mean()), f"mean of every {role} in the recorded studies"
    return Expected(min(tokens, float(limit)), source)


def recorded_tokens() -> pd.DataFrame:
    """Mean number of generated tokens of every model in every recorded study.

    Returns
    -------
    DataFrame
        Columns ``study, model, role, tokens``.
    """
    from handan.costs import load_study, studies
    from handan.lineage import roles_of

    parts = []
    for name in studies():
        costs = load_study(name).costs
        costs = costs[costs["tokenizer"].ne(WORDS).fillna(True)]
        tokens = costs["reasoning_tokens"] + costs["answer_tokens"].fillna(0)
        role = costs["model"].map(roles_of(costs["model"].unique()))
        parts.append(pd.DataFrame({"study": name, "model": costs["model"], "role": role, "tokens": tokens}))
    every = pd.concat(parts, ignore_index=True)
    return every.groupby(["study", "model", "role"], as_index=False)["tokens"].mean()


def plan(
    requests: Sequence[Request],
    settled: int,
    expected: Expected,
    *,
    tokenizer: Any = None,
    memory: float | None = None,
    rate: float | None = None,
    rate_source: str = "",
    price_in: float | None = None,
    price_out: float | None = None,
) -> pd.DataFrame:
    """Say what a run would take, a line per quantity, each with its source.

    Parameters
    ----------
    requests : sequence of Request
        All requests of the run.
    settled : int
        How many of them are in the store.
    expected : Expected
        See `expected_tokens`.
    tokenizer : optional
        Counts prompt tokens; else four characters are taken for a token.
    memory : float, optional
        Bytes of weights and cache.
    rate : float, optional
        Generated tokens per second.
    rate_source : str
        Where the rate is from.
    price_in, price_out : float, optional
        Currency per million tokens read and generated.

    Returns
    -------
    DataFrame
        Columns ``what, value, how``.
    """
    left = len(requests) - settled
    per_prompt, counted = _prompt_tokens(requests, tokenizer)
    read, written = per_prompt * left, expected.tokens * left
    lines = [
        ("requests", f"{len(requests):,}", _shape(requests)),
        ("in the store", f"{settled:,}", "will not be asked again"),
        ("to do", f"{left:,}", ""),
        ("tokens to read", f"{read:,.0f}", counted),
        ("tokens to write", f"{written:,.0f}", f"{expected.tokens:,.0f} per request: {expected.source}"),
        ("at most", f"{requests[0].decoding.max_new_tokens * left:,}", "if every answer ran into the limit"),
    ]
    if memory is not None:
        lines.append(("memory", f"{memory / 1e9:,.2f} GB", "weights and the cache of one full answer"))
    time = duration(written / rate) if rate else "unknown"
    how = f"{rate:,.0f} tokens/s: {rate_source}" if rate else "no rate is known yet; --limit 2 measures one"
    lines.append(("time", time, how))
    if price_in is not None or price_out is not None:
        price = (read * (price_in or 0) + written * (price_out or 0)) / 1e6
        how = f"{price_in or 0:g} per million tokens read, {price_out or 0:g} per million written"
        lines.append(("price", f"{price:,.2f}", how))
    return pd.DataFrame(lines, columns=["what", "value", "how"])


def _shape(requests: Sequence[Request]) -> str:
    items = len({(request.task, request.item) for request in requests})
    samples = len({request.sample for request in requests})
    tasks = len({request.task for request in requests})
    return f"{items:,} items of {tasks} task{'s' * (tasks != 1)}, {samples} sample{'s' * (samples != 1)} each"


def _prompt_tokens(requests: Sequence[Request], tokenizer: Any) -> tuple[float, str]:
    # Prompts of a task are alike: a spread of a hundred tells their mean.
    places = np.unique(np.linspace(0, len(requests) - 1, min(100, len(requests))).astype(int))
    prompts = [requests[place].prompt for place in places]
    if tokenizer is None:
        return float(np.mean([len(prompt) for prompt in prompts])) / CHARS_PER_TOKEN, "4 characters a token"
    lengths = [len(tokenizer(prompt, add_special_tokens=False)["input_ids"]) for prompt in prompts]
    return float(np.mean(lengths)), "counted by its tokenizer"


def _role(model: Model) -> str:
    from handan.lineage import UnknownModelError, find

    try:
        return str(find(model.name)["role"])
    except UnknownModelError:
        return ""
