"""From stored traces to a costs table: every token of every row accounted for.

How the tokens of a row were counted stands in its column ``counted``:

===========  =================================================================================
counted      reasoning and answer were counted
===========  =================================================================================
ids          from the generated ids; reasoning + answer + markup is the output, exactly
server       by the server; the answer is what is left of its output, markup included
retokenised  by tokenizing the texts anew, which may differ from what was generated
unknown      not at all: no tokenizer is known, and no count of the server
===========  =================================================================================

Beside the flags of `handan.costs.tags`, a reasoning that a server handed over apart from
the answer is flagged ``apart``, and one that it counted but kept to itself ``hidden``; so
is an output of which neither text nor ids are there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from handan.costs.decoder import Decoder
from handan.costs.decoders import Decoders
from handan.costs.measure import measure
from handan.costs.tags import USUAL, Tags
from handan.schema import Problem
from handan.tables import TableError, check_costs

READ = (
    "model", "task", "item", "revision", "template", "prompt", "text", "reasoning", "token_ids",
    "stop", "output_tokens", "reasoning_tokens",
)  # fmt: skip
KEPT = ("study", "model", "task", "item", "sample", "prompt_tokens", "stop")
SETTINGS = ("revision", "template", "decoding", "dtype")
CARRIED = ("key", "revision", "decoding", "dtype", "engine", "attempt", "seconds")
NUMBERS = (
    "reasoning_tokens", "answer_tokens", "markup_tokens", "output_tokens", "tagged_tokens",
    "first_close_tokens", "correct", "n_chars", "words", "units", "steps",
    "loop_period", "loop_repeats", "loop_tokens",
)  # fmt: skip
TEXTS = ("tags", "counted", "tokenizer", "reasoning_text", "answer_text")


def account(
    traces: pd.DataFrame,
    tags: Mapping[str, Any],
    tokenizer: Any = None,
    *,
    common: Any = None,
    keep_text: bool = False,
) -> pd.DataFrame:
    """Count what every trace cost.

    Parameters
    ----------
    traces : DataFrame
        Rows of a store of traces. ``model, task, item`` are required; whatever else is
        absent counts as unknown.
    tags : mapping of str to (str, str)
        Opening and closing tag by model; empty or missing texts for a model without. A
        model that isn't named has ``<think>`` and ``</think>``.
    tokenizer : mapping, callable, or anything that `Decoder.of` takes; optional
        The tokenizer by revision or by model, or one for all rows.
    common : anything that `Decoder.of` takes, optional
        One tokenizer to count the reasoning of every model with, so that models compare.
    keep_text : bool
        Whether to add the texts, as ``reasoning_text`` and ``answer_text``.

    Returns
    -------
    DataFrame
        A costs table (see `handan.tables`) with a row per trace, in their order, and

        - ``output_tokens``; ``markup_tokens``: tags and the stop token;
        - ``tagged_tokens, first_close_tokens``: the other two ways to count the reasoning;
        - ``tags`` (flags, see `handan.costs.tags`) and ``counted`` (see this module);
        - ``words, units, steps`` of the reasoning (see `handan.costs.companions`), and
          ``common_tokens, common_tokenizer`` if asked for;
        - ``loop, loop_period, loop_repeats, loop_tokens`` (see `handan.costs.loops`);
        - ``censored``: cut at the limit; ``reasoning_censored``: cut before the
          reasoning ended, so that its count is a lower bound.

        A failed request has no counts. ``correct`` is missing where it can't be graded.

    Raises
    ------
    TableError
        When the rows make no costs table, for example because two decodings are mixed.
    TokenizerError
        When a tokenizer can't be read.

    Warns
    -----
    UserWarning
        Naming the models whose ids can't be split, as no tokenizer is known for them.
    """
    if traces.empty or not {"model", "task", "item"} <= set(traces):
        return check_costs(traces.assign(reasoning_tokens=np.nan))  # raises, saying what is missing
    _refuse_mixture(traces)
    decoders = Decoders(tokenizer)
    rows, unsplit = [], set()
    for trace in _records(traces):
        decoder = decoders.find(trace["revision"], trace["model"])
        if decoder is None and trace["token_ids"] is not None:
            unsplit.add(trace["model"])
        rows.append(measure(trace, Tags.of(tags.get(trace["model"], USUAL)), decoder))
    if unsplit:
        names = ", ".join(sorted(map(str, unsplit)))
        warnings.warn(f"no tokenizer is given for {names}: their ids can't be split", stacklevel=2)
    table = check_costs(_table(traces, rows))
    if common is not None:
        _add_common(table, Decoder.of(common))
    return table if keep_text else table.drop(columns=["reasoning_text", "answer_text"])


def _refuse_mixture(traces: pd.DataFrame) -> None:
    """Say which settings differ where one sample of an item is there more than once."""
    key = [name for name in ("study", "model", "task", "item", "sample") if name in traces]
    twice = traces[traces.duplicated(key, keep=False)]
    mixed = [
        name for name in SETTINGS if name in twice and not twice.duplicated([*key, name], keep=False).all()
    ]
    if mixed:
        models = ", ".join(sorted(twice["model"].astype(str).unique()))
        reason = f"differs between traces of the same sample of {models}; keep the rows of one value"
        raise TableError("costs", [Problem(f"{len(twice)} rows", name, reason) for name in mixed])


def _records(traces: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries, in which None stands for everything absent or missing."""
    columns = [_values(traces[name]) if name in traces else [None] * len(traces) for name in READ]
    for values in zip(*columns, strict=True):
        yield dict(zip(READ, values, strict=True))


def _values(column: pd.Series) -> list[Any]:
    return [None if gone else value for value, gone in zip(column.tolist(), column.isna(), strict=True)]


def _table(traces: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    index = traces.index
    columns = {name: traces[name] for name in KEPT if name in traces}
    columns |= {name: pd.Series([row.get(name) for row in rows], index, "float64") for name in NUMBERS}
    columns |= {name: pd.Series([row.get(name) for row in rows], index, "string") for name in TEXTS}
    columns["loop"] = pd.Series([row.get("loop") for row in rows], index, "boolean")
    stop = traces["stop"].astype("string") if "stop" in traces else pd.Series(pd.NA, index, "string")
    columns["censored"] = stop == "length"
    ended = columns["tags"].str.startswith("closed").fillna(False)
    columns["reasoning_censored"] = columns["censored"] & ~ended
    return pd.DataFrame(columns | {name: traces[name] for name in CARRIED if name in traces})


def _add_common(table: pd.DataFrame, decoder: Decoder) -> None:
    known = table["n_chars"].notna()
    counts = decoder.count(table.loc[known, "reasoning_text"])
    table["common_tokens"] = pd.Series(counts, table.index[known], "float64").reindex(table.index)
    table["common_tokenizer"] = decoder.label
