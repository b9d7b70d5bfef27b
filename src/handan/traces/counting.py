"""From stored traces to a costs table: find each model's tags and tokenizer, then count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from handan.costs.account import account
from handan.costs.decoder import Decoder
from handan.traces.errors import StoreError
from handan.traces.store import Store

Tags = tuple[str, str]


def counted(
    folders: Sequence[Path],
    *,
    study: str = "yours",
    tags: Tags | None = None,
    common: str | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Count the tokens of every trace of some stores.

    Parameters
    ----------
    folders : sequence of Path
        Stores; a trace that several hold counts once.
    study : str
        Name of the study.
    tags : (str, str), optional
        Opening and closing tag of every model, in place of those recorded with the runs.
    common : str, optional
        A ``tokenizer.json`` or hub id; every trace is counted with it as well.

    Returns
    -------
    costs : DataFrame
        See `handan.costs.account.account`.
    remarks : list of str
        What could not be known.

    Raises
    ------
    StoreError
        When a store can't be read, or holds nothing.
    """
    traces, known, decoders = [], {}, {}
    for folder in folders:
        with Store.open(folder, create=False, writable=False) as store:
            rows = store.read()
            known |= _tags(store.runs())
            decoders |= _decoders(store, rows)
        traces.append(rows)
    rows = pd.concat(traces, ignore_index=True).drop_duplicates("key", ignore_index=True)
    if rows.empty:
        raise StoreError(f"no trace in {', '.join(map(str, folders))}")
    chosen = {model: tags or known.get(model, ("<think>", "</think>")) for model in rows["model"].unique()}
    unknown = sorted(set(rows["model"]) - set(known)) if tags is None else []
    remarks = [f"no tags on record for {name}: <think> and </think> are taken" for name in unknown]
    shared = Decoder.named(common) if common else None
    return account(rows, chosen, decoders, study=study, common=shared), remarks


def _tags(runs: Sequence[dict[str, Any]]) -> dict[str, Tags]:
    models = [run["model"] for run in runs if "model" in run]
    return {model["name"]: (model["think_open"], model["think_close"]) for model in models}


def _decoders(store: Store, rows: pd.DataFrame) -> dict[str, Decoder]:
    paths = {revision: store.tokenizer(revision) for revision in rows["revision"].unique()}
    return {revision: Decoder.from_file(path) for revision, path in paths.items() if path is not None}
