"""From the replies of any log to a costs table, by the rules by which our own traces are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from handan.costs.account import account
from handan.costs.decoder import Decoder
from handan.costs.importers.complete import completed
from handan.costs.importers.remarks import remarks_on
from handan.costs.importers.reply import Log, Options, Reply, label, text_of
from handan.costs.tags import USUAL
from handan.lineage import load_lineage
from handan.tables import check_costs


@dataclass(frozen=True)
class Imported:
    """A log as a costs table.

    Attributes
    ----------
    costs : DataFrame
        Passes `handan.tables.check_costs`. Beside the columns of `handan.costs.account`:
        ``output_chars`` (of the whole output, tags included), ``finish_reason`` (the
        tool's word) and ``error``. `counted` may also be ``file``:
        the counts stood in the file and were taken as they are.
    remarks : list of str
        What could not be known, what was left out, and why.
    """

    costs: pd.DataFrame
    remarks: list[str]


def assemble(log: Log, options: Options) -> Imported:
    """Count the replies of a log.

    Parameters
    ----------
    log : Log
        Replies as an importer read them.
    options : Options
        What the user said.

    Raises
    ------
    TableError
        When a reply names no item, a number is none, or two replies claim one sample.
    TokenizerError
        When the tokenizer can't be read.
    """
    replies = log.replies
    names = {model: canonical(model) for model in dict.fromkeys(reply.model for reply in replies)}
    for reply in replies:
        reply.model = names[reply.model]
    traces = _traces(replies, options)
    tags = {model: options.tags or tags_of(model) for model in set(names.values())}
    decoder = None if options.tokenizer is None else Decoder.of(options.tokenizer)
    costs = account(traces, tags, decoder)
    costs.index = traces.index
    costs = check_costs(completed(costs, replies))
    renamed = [f"{old} is called {new} here, as in the lineage" for old, new in names.items() if old != new]
    return Imported(
        costs, [*log.remarks, *renamed, *remarks_on(costs, replies, tokenizer=decoder is not None)]
    )


def canonical(model: str) -> str:
    """Name of a model in the lineage, if it is there, with or without a provider before its name."""
    parts = model.split("/")
    longest_first = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((_lineage()[name][0] for name in longest_first if name in _lineage()), model)


def tags_of(model: str) -> tuple[str, str]:
    """Tags around the chain of thought: those of the lineage, the usual ones for a model that isn't in it."""
    return _lineage()[model][1:] if model in _lineage() else USUAL


@cache
def _lineage() -> dict[str, tuple[str, str, str]]:
    """Name and tags of the models of the lineage, by their names and by their hub ids."""
    columns = ["model", "think_open", "think_close", "hf_id"]
    rows = load_lineage()[columns].astype("object").fillna("").itertuples(index=False)
    return {key: (row[0], row[1], row[2]) for row in rows for key in (row[3], row[0]) if key}


def _traces(replies: Sequence[Reply], options: Options) -> pd.DataFrame:
    """Lay replies out as a store of traces has them."""
    seen: Counter[tuple[str, str, str]] = Counter()
    rows = []
    for reply in replies:
        key = (reply.model, reply.task, reply.item)
        sample = seen[key] if reply.sample is None else reply.sample
        seen[key] += 1
        rows.append({
            "study": options.study, "model": label(reply.model), "task": label(reply.task),
            "item": label(reply.item), "sample": sample, "revision": None,
            "template": None if reply.prompt else "server", "prompt": text_of(reply.prompt),
            "text": text_of(reply.text), "reasoning": text_of(reply.reasoning), "token_ids": reply.token_ids,
            "stop": "error" if reply.error is not None else reply.stop,
            "prompt_tokens": reply.prompt_tokens, "output_tokens": reply.output_tokens,
            "reasoning_tokens": reply.reasoning_tokens,
        })  # fmt: skip
    return pd.DataFrame(rows, index=[reply.where for reply in replies], dtype=object)
