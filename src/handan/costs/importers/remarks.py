"""What a reader must know about an imported table, counted over its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from handan.costs.importers.reply import Reply

_NEAR = 0.99  # of the limit: a count by tokenizing again may miss it by a little


def remarks_on(costs: pd.DataFrame, replies: Sequence[Reply], *, tokenizer: bool) -> list[str]:
    """Say what could not be known, and where a count is weaker than it looks.

    Parameters
    ----------
    costs : DataFrame
        The finished table.
    replies : sequence of Reply
        Its rows, before they were counted.
    tokenizer : bool
        Whether the user named one.
    """
    failed = (costs["stop"] == "error").fillna(False)
    return [
        *_on_counts(costs[~failed], tokenizer),
        *_on_ends(costs, replies),
        *_on_rows(costs, replies, int(failed.sum())),
    ]


def _on_counts(costs: pd.DataFrame, tokenizer: bool) -> Iterator[str]:
    by = costs["counted"].value_counts()
    missing = costs["reasoning_tokens"].isna()
    hidden = missing & (costs["tags"] == "hidden").fillna(False)
    if n := int((missing & ~hidden).sum()):
        advice = "" if tokenizer else "; name the model's tokenizer to count the texts again"
        yield f"{n} of {len(costs)} replies have no count of reasoning tokens{advice}"
    if n := int(hidden.sum()):
        yield f"{n} of {len(costs)} replies came without their reasoning: it can't be counted from this log"
    if n := by.get("retokenised", 0):
        yield f"{n} replies were counted by tokenizing their text again, which may differ from how it came"
    whole = (costs["counted"] == "server").fillna(False) & costs["tags"].str.startswith("none").fillna(False)
    if n := int(whole.sum()):
        yield f"{n} replies have no think tags: all that the server counted as output is their cost"


def _on_ends(costs: pd.DataFrame, replies: Sequence[Reply]) -> Iterator[str]:
    if n := int(costs["stop"].isna().sum()):
        yield f"{n} of {len(costs)} replies have no stop reason: whether they were cut at a limit is unknown"
    length = costs["output_tokens"].fillna(costs["reasoning_tokens"] + costs["answer_tokens"].fillna(0))
    limits = pd.Series([reply.limit for reply in replies], costs.index, dtype="float64")
    near = costs["stop"].isna() & (length >= _NEAR * limits)
    if n := int(near.sum()):
        yield f"{n} replies are within 1 % of the limit of their run and were probably cut"
    if n := int((costs["stop"] == "length").fillna(False).sum()):
        yield f"{n} replies were cut at a limit: their counts are lower bounds"


def _on_rows(costs: pd.DataFrame, replies: Sequence[Reply], failed: int) -> Iterator[str]:
    if failed:
        yield f"{failed} requests failed; their rows are kept, without counts"
    if n := sum(
        reply.error is None and not reply.text and not reply.reasoning and not reply.given
        for reply in replies
    ):
        yield f"{n} replies hold no text"
    own = [reply.correct is None for reply in replies]
    if n := int(costs.loc[own, "correct"].notna().sum()):
        yield f"{n} replies were graded with the item bank's answer keys, as the log holds no verdict on them"
    repeated = costs.duplicated(["model", "task", "item"])
    if repeated.any() and all(reply.sample is None and "sample" not in reply.given for reply in replies):
        yield f"{int(repeated.sum())} replies repeat a model and item: they are numbered as its samples"
