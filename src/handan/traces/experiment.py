"""The paper's own experiment as a bill: 14 models × the item bank × samples."""

from __future__ import annotations

import pandas as pd

from handan.traces.budget import machines, paper_shapes, stated
from handan.traces.plan import CHARS_PER_TOKEN, recorded_tokens
from handan.traces.prompts import problem_text, problems

# A teacher is the reinforced model, a baseline the counterpart that was never distilled.
_ROLE = {"teacher": "teacher", "distilled student": "student"}


def workload(samples: int, study: str) -> pd.DataFrame:
    """Tokens that the paper's 14 models would read and write on the whole item bank.

    Parameters
    ----------
    samples : int
        Samples per item.
    study : str
        Recorded study whose mean answer, by role, stands for the length of an answer.

    Returns
    -------
    DataFrame
        A row per model: ``model, role, requests, tokens_per_answer, tokens_in, tokens_out``.

    Raises
    ------
    LookupError
        When the study has no model of a role.
    """
    from handan.lineage import paper_design

    recorded = recorded_tokens()
    lengths = recorded[recorded["study"] == study].groupby("role")["tokens"].mean()
    design = paper_design()
    role = design["paper_role"].map(_ROLE).fillna("baseline")
    if absent := set(role) - set(lengths.index):
        raise LookupError(f"study {study!r} has no {' and no '.join(sorted(absent))} to take a length from")
    items = askable_items()
    prompt = sum(len(problem_text(task, item, "wording")) for task, item in items) / CHARS_PER_TOKEN
    table = pd.DataFrame({"model": design["model"], "role": role, "requests": len(items) * samples})
    table["tokens_per_answer"] = role.map(lengths)
    table["tokens_in"] = prompt * samples
    return table.assign(tokens_out=table["requests"] * table["tokens_per_answer"])


def askable_items() -> list[tuple[str, str]]:
    """Every item of the bank that a model can be asked."""
    from handan.norms import task, tasks

    return problems([name for name in tasks() if task(name).has_prompt])


def bill(
    load: pd.DataFrame, efficiency: float | None = None, rates: dict[str, float] | None = None
) -> pd.DataFrame:
    """Hours and money for a workload, on every machine that the package knows and at an endpoint.

    Parameters
    ----------
    load : DataFrame
        From `workload`.
    efficiency : float, optional
        Share of the roofline that is reached; by default the stated assumption.
    rates : dict of str to float, optional
        Measured tokens per second by ``machine/model``, in place of the estimate.

    Returns
    -------
    DataFrame
        A row per model × machine: ``model, machine, gpus, rate, hours, usd``; hours of the
        whole machine. Empty where the model doesn't fit or the endpoint doesn't serve it.
    """
    share = stated()["efficiency"]["value"] if efficiency is None else efficiency
    shapes, rows = paper_shapes(), []
    for one in load.itertuples():
        context = int(one.tokens_per_answer + one.tokens_in / one.requests)
        for name, machine in machines().items():
            rate = (rates or {}).get(f"{name}/{one.model}") or machine.rate(shapes[one.model], context, share)
            hours = one.tokens_out / rate / 3600 if rate else float("nan")
            usd = hours * machine.gpus * machine.usd_per_hour
            rows.append((one.model, machine.title, machine.gpus, rate or float("nan"), hours, usd))
        rows += [(one.model, *_asked(one, entry)) for entry in stated()["endpoints"].values()]
    return pd.DataFrame(rows, columns=["model", "machine", "gpus", "rate", "hours", "usd"])


def _asked(one: object, entry: dict[str, object]) -> tuple[object, ...]:
    nan = float("nan")
    usd = (one.tokens_in * entry["usd_in"] + one.tokens_out * entry["usd_out"]) / 1e6  # type: ignore[attr-defined, operator]
    return entry["title"], 0, nan, nan, usd if one.model in entry["models"] else nan  # type: ignore[attr-defined, operator]
