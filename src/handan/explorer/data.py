"""The data of the page: everything that its script may show, as plain lists, texts and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from handan import formats
from handan.costs import card
from handan.drawing import role_looks
from handan.explorer.evidence import Evidence
from handan.explorer.samples import Samples
from handan.explorer.texts import problems, reason

_DIGITS = 4
_SYMBOLS = {"o": "circle", "s": "square", "D": "diamond", "^": "triangle-up", "X": "cross"}
_SECOND = ("#CA9161", "x")  # for a second model of the same role, which would look like the first


def as_data(found: Sequence[Evidence], samples: Samples | None = None) -> dict[str, Any]:
    """Collect what the page's script needs.

    Parameters
    ----------
    found : sequence of Evidence
        In the order in which the studies are offered.
    samples : Samples, optional
        Traces, shown with those items of a study that have the same task, code and models.

    Returns
    -------
    dict
        What JSON can hold. ``looks`` is colour and symbol by role, ``second`` those of a second
        model of the same role; ``studies`` is a list, see `_study`.
    """
    from matplotlib.colors import to_hex

    looks = {role: [to_hex(colour), _SYMBOLS[marker]] for role, (colour, marker) in role_looks().items()}
    studies = [_study(one, samples) for one in found]
    return {"looks": looks, "second": list(_SECOND), "studies": studies}


def sentence(row: Mapping[str, Any]) -> str:
    """Say what was found for one model and task, on one line.

    Parameters
    ----------
    row : mapping
        A row of `Evidence.aligned`.
    """
    parts = [
        f"n = {formats.count(row['n'])} items",
        _correlation(row),
        _ceiling(row),
        _cut(row["truncated"]),
    ]
    if row["excluded"]:
        parts.append(f"cost rows that cannot be used: {formats.count(row['excluded'])}")
    return f"{row['model']}, {row['task']}: {formats.bound(', '.join(parts))}."


def _correlation(row: Mapping[str, Any]) -> str:
    if formats.is_missing(row["r"]):
        note = row["note"]
        return "r does not exist" + (f" ({note})" if isinstance(note, str) and note else "")
    text = f"r = {formats.number(row['r'])}"
    if formats.is_missing(row["boot_low"]):
        return text
    return f"{text} (95 % interval {formats.number(row['boot_low'])} to {formats.number(row['boot_high'])})"


def _ceiling(row: Mapping[str, Any]) -> str:
    known = not formats.is_missing(row["ceiling"])
    return f"noise ceiling {formats.number(row['ceiling'])}" if known else "noise ceiling not known"


def _cut(share: Any) -> str:
    if formats.is_missing(share):
        return "not recorded how many traces were cut at the limit"
    return f"{formats.number(100 * share, 1)} % of traces cut at the limit"


def _study(one: Evidence, samples: Samples | None) -> dict[str, Any]:
    study = one.study
    models = one.aligned.drop_duplicates("model")
    names = list(models["model"])
    parts = one.joined.rows.groupby("task", sort=False)
    return {
        "name": study.name,
        "title": study.title,
        "about": _about(study.name),
        "timed": study.is_timed,
        "measure": study.measure,
        "label": study.measure_label,
        "unit": one.unit,
        "start": [one.first, one.second],
        "models": [[model, role] for model, role in zip(names, models["role"], strict=True)],
        "tasks": [_task(one, str(task), rows, names, samples) for task, rows in parts],
    }


def _about(study: str) -> str:
    try:
        known = card(study)
    except LookupError:  # a study that is not one of the recorded ones
        return ""
    # written as Markdown
    return f"{known['people']} {known['tokens']}".replace("`", "")


def _task(
    one: Evidence, task: str, rows: pd.DataFrame, models: list[str], samples: Samples | None
) -> dict[str, Any]:
    human = rows.drop_duplicates("item").set_index("item")["human"]
    human = human.reindex(sorted(human.index, key=_by_number))
    items = list(human.index)
    texts = problems(task, items)
    said = one.aligned[one.aligned["task"] == task].set_index("model")
    costs = rows.pivot(index="item", columns="model", values="log_cost").reindex(items)
    cells = {
        model: {"cost": _exp(costs[model]) if model in costs else [], "says": sentence(_row(said, model))}
        for model in models
        if model in said.index
    }
    return {
        "name": task,
        "items": items,
        "human": _exp(human) if one.study.is_timed else _rounded(human),
        **_shared(texts or []),
        "why": "" if texts else reason(one.study.name),
        "cells": cells,
        "traces": _traces(samples, task, items, models),
    }


def _shared(texts: Sequence[str]) -> dict[str, Any]:
    """Keep once what the texts of a task begin and end with."""
    head = _beginning(texts)
    rest = [text[len(head) :] for text in texts]
    tail = _beginning([text[::-1] for text in rest])[::-1]
    return {"head": head, "tail": tail, "texts": [text[: len(text) - len(tail)] for text in rest]}


def _beginning(texts: Sequence[str]) -> str:
    # what the first and the last in order share, all between them share
    first, last = min(texts, default=""), max(texts, default="")
    differ = (k for k, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(differ, len(first))]


def _by_number(item: str) -> list[tuple[int, int, str]]:
    # test/9 before test/10
    parts = re.split(r"([0-9]+)", item)
    return [(0, int(part), part) if k % 2 else (1, 0, part) for k, part in enumerate(parts)]


def _row(said: pd.DataFrame, model: str) -> dict[str, Any]:
    return {**said.loc[model].to_dict(), "model": model}


def _traces(samples: Samples | None, task: str, items: list[str], models: list[str]) -> dict[str, Any]:
    """Traces by item, each a list of ``[model, text, tokens, cut, correct]``."""
    if samples is None or not set(samples.models) <= set(models):
        return {}
    rows = samples.rows[samples.rows["task"].eq(task) & samples.rows["item"].isin(items)]
    order = {model: place for place, model in enumerate(samples.models)}
    rows = rows.sort_values("model", key=lambda column: column.map(order), kind="stable")
    return {
        str(item): [_trace(row) for row in part.to_dict("records")] for item, part in rows.groupby("item")
    }


def _trace(row: Mapping[str, Any]) -> list[Any]:
    correct = None if formats.is_missing(row["correct"]) else bool(row["correct"])
    return [row["model"], row["text"], int(row["tokens"]), bool(row["cut"]), correct]


def _exp(logs: pd.Series) -> list[float | None]:
    return _rounded(np.exp(logs.astype(float)))


def _rounded(values: pd.Series) -> list[float | None]:
    """Round to a few significant digits, whole numbers without a decimal point; None where missing."""
    return [None if formats.is_missing(value) else _short(float(value)) for value in values]


def _short(value: float) -> float:
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
