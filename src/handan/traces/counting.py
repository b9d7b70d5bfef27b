"""From stored traces to a costs table: find each model's tags and tokenizer, then count."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from handan.costs.account import account
from handan.costs.decoder import Decoder
from handan.costs.tags import USUAL
from handan.traces.errors import StoreError
from handan.traces.store import Store

Tags = tuple[str, str]


def counted(
    folders: Sequence[Path],
    *,
    study: str = "yours",
    tags: Tags | None = None,
    common: str | None = None,
    keep_text: bool = False,
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
    keep_text : bool
        Whether to add the texts, as ``reasoning_text`` and ``answer_text``.

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
    traces: list[pd.DataFrame] = []
    known: dict[str, Tags] = {}
    decoders: dict[str, Decoder] = {}
    for folder in folders:
        with Store.open(folder, create=False, writable=False) as store:
            rows = store.read()
            known |= _tags(store.runs())
            decoders |= _decoders(store, rows)
        traces.append(rows)
    rows = pd.concat(traces, ignore_index=True).drop_duplicates("key", ignore_index=True)
    if rows.empty:
        raise StoreError(f"no trace in {', '.join(map(str, folders))}")
    rows, remarks = _variants(rows)
    names = rows[["model", "plain"]].drop_duplicates().itertuples(index=False)
    chosen = {model: tags or known.get(plain, USUAL) for model, plain in names}
    if unknown := sorted(set(rows["plain"]) - set(known)) if tags is None else []:
        remarks.append(f"no tags on record for {', '.join(unknown)}: {' and '.join(USUAL)} are taken")
    table = account(
        rows.drop(columns="plain").assign(study=study), chosen, decoders, common=common, keep_text=keep_text
    )
    return table, remarks


def _variants(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Tell runs of a model under other settings apart: MODEL@SETTINGS; the largest run keeps its name."""
    settings = ["model_id", "revision", "template", "decoding", "dtype"]
    rows = rows.assign(plain=rows["model"])
    remarks = []
    for model, part in rows.groupby("plain", sort=False):
        sizes = part.groupby(settings, sort=False).size().sort_values(ascending=False, kind="stable")
        for other in sizes.index[1:]:
            name = f"{model}@{_difference(other, sizes.index[0], settings)}"
            same = (part[settings] == list(other)).all(axis=1)
            rows.loc[part.index[same], "model"] = name
            remarks.append(f"{int(same.sum())} traces of {model} were made under other settings: {name}")
    return rows, remarks


def _difference(one: Sequence[str], other: Sequence[str], names: Sequence[str]) -> str:
    mine, theirs = (_flat(dict(zip(names, side, strict=True))) for side in (one, other))
    return ",".join(f"{name}={str(value)[:12]}" for name, value in mine.items() if value != theirs[name])


def _flat(settings: dict[str, str]) -> dict[str, Any]:
    return {**json.loads(settings.pop("decoding")), **settings}


def _tags(runs: Sequence[dict[str, Any]]) -> dict[str, Tags]:
    models = [run["model"] for run in runs if "model" in run]
    return {model["name"]: (model["think_open"], model["think_close"]) for model in models}


def _decoders(store: Store, rows: pd.DataFrame) -> dict[str, Decoder]:
    paths = {revision: store.tokenizer(revision) for revision in rows["revision"].unique()}
    return {revision: Decoder.from_file(path) for revision, path in paths.items() if path is not None}
