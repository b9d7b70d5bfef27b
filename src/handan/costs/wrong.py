"""Ways to count that look right and aren't, to show by example what each does to a result.

Every function makes the mistake on purpose and on top of correct counts. Nothing else in
the package calls them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd

from handan.costs.decoder import Decoder

Order = Literal["given", "sorted", "random"]
_ITEM = ["model", "task", "item"]


def padded_tokens(
    costs: pd.DataFrame, batch: int, *, order: Order = "given", cost: str = "output_tokens", seed: int = 0
) -> pd.Series:
    """Count the width of the batch in place of the length of the row.

    The mistake of whoever generates in batches and measures the shape of the result: rows
    that ended early are filled up to the longest one, and all of a batch count the same.

    Parameters
    ----------
    costs : DataFrame
        Costs table.
    batch : int
        Rows that were generated together. Batches never mix models.
    order : {"given", "sorted", "random"}
        Order in which batches are filled; ``sorted`` is by the length of the prompt.
    cost : str
        The correct count.
    seed : int
        Seed of the random order.

    Returns
    -------
    Series of float
        The wrong count of each row, with the index of `costs`. A missing count stays missing.

    Raises
    ------
    ValueError
        When `batch` is below 1, or the order is unknown.
    """
    if batch < 1:
        raise ValueError(f"a batch has at least 1 row, not {batch}")
    if order not in ("given", "sorted", "random"):
        raise ValueError(f"the order {order!r} is none of given, sorted, random")
    known = costs[costs[cost].notna()].reset_index(drop=True)
    if order == "random":
        known = known.sample(frac=1, random_state=np.random.default_rng(seed))
    elif order == "sorted":
        known = known.sort_values("prompt_tokens", kind="stable")
    number = known.groupby("model", sort=False).cumcount() // batch
    width = known[cost].groupby([known["model"], number]).transform("max").sort_index()
    wrong = pd.Series(np.nan, index=costs.index, dtype="float64", name=cost)
    wrong[costs[cost].notna().to_numpy()] = width.to_numpy(dtype="float64")
    return wrong


def retokenised(texts: Iterable[str], tokenizer: Any) -> pd.Series:
    """Count the tokens of the text in place of those that were generated.

    The mistake of whoever stored only text, or counts every model with one tokenizer and
    calls it the model's cost. A text has many spellings in tokens and a model need not
    use the shortest; text that was stripped or never closed its tags loses the rest.

    Parameters
    ----------
    texts : iterable of str
        Reasonings, for example ``reasoning_text`` of `handan.costs.account`.
    tokenizer : anything that `Decoder.of` takes
        The model's own or another.

    Returns
    -------
    Series of float
        With the index of `texts` if it has one; a missing text has a missing count.
    """
    column = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype="string")
    known = column[column.notna()]
    return pd.Series(Decoder.of(tokenizer).count(known), known.index, "float64").reindex(column.index)


def without_truncated(costs: pd.DataFrame) -> pd.DataFrame:
    """Leave out the traces that were cut at the limit.

    The mistake of whoever takes a cut trace for a failed one. The longest are left out, on
    the hardest items most of all, so that a range is cut short and means come out low.

    Parameters
    ----------
    costs : DataFrame
        Costs table with the column ``stop``.
    """
    return costs[(costs["stop"] != "length").fillna(True).astype(bool)].copy()


def rerolled(costs: pd.DataFrame, *, cost: str = "reasoning_tokens", seed: int = 0) -> pd.DataFrame:
    """Try a cut trace again until one finishes: the count becomes that of another, finished sample.

    The mistake of whoever retries whatever did not end well. Short traces get as many
    chances as they need, so hard items look cheaper than they are.

    Parameters
    ----------
    costs : DataFrame
        Costs table with several samples per item.
    cost : str
        The count to replace.
    seed : int
        Seed of the draw among an item's finished samples.

    Returns
    -------
    DataFrame
        A copy. Where no sample of an item finished, the retries never end: its cut rows
        have a missing count.
    """
    rng = np.random.default_rng(seed)
    table = costs.reset_index(drop=True)
    values = table[cost].to_numpy(dtype="float64", copy=True)
    cut = (table["stop"] == "length").fillna(False).to_numpy(dtype=bool)
    for rows in table.groupby(_ITEM, sort=False).indices.values():
        again = rows[cut[rows]]
        finished = values[rows[~cut[rows]]]
        finished = finished[np.isfinite(finished)]
        values[again] = rng.choice(finished, len(again)) if len(finished) else np.nan
    return costs.assign(**{cost: values})
