"""Read stored traces in a terminal. Model output is untrusted: it is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from handan.output import harmless
from handan.traces.errors import StoreError
from handan.traces.store import Store


def readable(
    folder: Path,
    item: str,
    *,
    model: str | None = None,
    task: str | None = None,
    sample: int | None = None,
) -> Iterator[str]:
    """Write the traces of an item as lines that a terminal can show.

    Parameters
    ----------
    folder : Path
        A store.
    item : str
        Code of the item.
    model, task, sample : optional
        Narrow the choice.

    Yields
    ------
    str
        Lines without control characters.

    Raises
    ------
    StoreError
        When the store has no such trace.
    """
    with Store.open(folder, create=False, writable=False) as store:
        rows = store.read()
    found = rows[rows["item"] == item]
    for name, value in (("model", model), ("task", task), ("sample", sample)):
        if value is not None:
            found = found[found[name] == value]
    if found.empty:
        raise StoreError(f"{folder} has no trace of item {item!r} that fits; `handan traces status {folder}`")
    prompt = None
    for row in found.sort_values(["task", "prompt", "model", "sample"]).to_dict("records"):
        if row["prompt"] != prompt:
            prompt = row["prompt"]
            yield from _block("asked", prompt)
        yield from _trace(row)


def _trace(row: dict[str, object]) -> Iterator[str]:
    tokens = row["output_tokens"]
    count = "unknown tokens" if pd.isna(tokens) else f"{int(tokens):,} tokens"  # type: ignore[call-overload]
    ended = {"stop": "stopped by itself", "length": "cut at the limit", "error": "failed"}[str(row["stop"])]
    about = f"{row['model']}, {row['task']} {row['item']}, sample {row['sample']}: {count}, {ended}"
    if row["stop"] == "error":
        yield from _block(about, str(row["error"]))
        return
    if isinstance(row["reasoning"], str):
        yield from _block(f"{about}; reasoning", row["reasoning"])
        about = "answer"
    yield from _block(about, str(row["text"]))


def _block(title: str, text: str) -> Iterator[str]:
    yield f"── {harmless(title)}"
    yield from (harmless(line) for line in text.split("\n"))
    yield ""
