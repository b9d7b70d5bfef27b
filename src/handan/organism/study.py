"""From trained families to the three tables of a study, by way of the ordinary pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from handan.costs import ORGANISM
from handan.norms import load_bank
from handan.organism import corpus, grammar
from handan.organism.conditions import BY_NAME, named
from handan.tables import check_norms
from handan.traces import Decoding, jobs
from handan.traces.choose import Options
from handan.traces.counting import counted
from handan.traces.errors import StoreError

# All that a model writes, answer and tags included. Some learn to reason with no token at all,
# and the log of zero does not exist; the answer adds nearly the same to every item of a task.
COST = "output_tokens"
SAMPLES = 4
_LIMIT = 200  # tokens; the longest text of the grammar on a tested item is far below
_BATCH = 256


def ask(
    models: Sequence[Path],
    store: Path,
    *,
    tasks: tuple[str, ...] = grammar.TASKS,
    samples: int = SAMPLES,
    seed: int = 0,
    report: Callable[[str, int, int], Any] | None = None,
) -> None:
    """Let models do the held-out items of the bank, and keep the traces in a store.

    Parameters
    ----------
    models : sequence of Path
        Folders of models.
    store : Path
        Folder of the traces; what it has an answer to is not asked again.
    tasks : tuple of str
        Tasks whose held-out items are asked.
    samples : int
        Traces per item, at temperature 1.
    seed : int
        Seed of the samples.
    report : callable, optional
        Told each model's name, its number and how many there are, before it is asked.
    """
    decoding = Decoding(_LIMIT, 1.0, top_p=1.0, seed=seed)
    for number, model in enumerate(models, start=1):
        if report:
            report(model.name, number, len(models))
        job = jobs.prepare(
            str(model), tasks, decoding, Options(batch_size=_BATCH), samples=samples,
            items=corpus.held_out_items(tasks),
        )  # fmt: skip
        jobs.execute(job, store)


def costs(stores: Sequence[Path]) -> pd.DataFrame:
    """Count the tokens of the traces in some stores.

    Returns
    -------
    DataFrame
        The costs table of the study, models in the order of their families; ``style`` is
        the one that a trace names, or ``none``.

    Raises
    ------
    StoreError
        When a store can't be read, or holds traces of two models of the same name.
    """
    table, remarks = counted(stores, study=ORGANISM, keep_text=True)
    if remarks:
        where = ", ".join(map(str, stores))
        raise StoreError(f"{'; '.join(remarks)}. Remove the traces in {where}, and ask the models again")
    styles = table["reasoning_text"].astype("string").fillna("").str.partition("\n")[0]
    table["style"] = styles.where(styles.isin(grammar.STYLES), "none")
    table = table.drop(columns=["reasoning_text", "answer_text"])
    return table.sort_values("model", key=lambda names: names.map(_place), kind="stable", ignore_index=True)


def pooled(table: pd.DataFrame, kin: pd.DataFrame, style: str | None = None) -> pd.DataFrame:
    """Take all seeds of a condition for one model that was asked many times.

    Parameters
    ----------
    table : DataFrame
        Costs of the study.
    kin : DataFrame
        Its lineage, with ``condition, repertoire, seed``.
    style : str, optional
        Keep only traces of this style.

    Returns
    -------
    DataFrame
        A costs table whose models are named ``condition-repertoire``.
    """
    rows = table if style is None else table[table["style"] == style]
    family = kin.set_index("model").loc[rows["model"], ["condition", "repertoire", "seed"]]
    seeds = pd.to_numeric(family["seed"]).to_numpy(int)
    names = (family["condition"] + "-" + family["repertoire"]).to_numpy()
    sample = rows["sample"].to_numpy(int) + seeds * (int(table["sample"].max()) + 1)
    return rows.assign(model=names, sample=sample)


def norms(tasks: tuple[str, ...] = grammar.TASKS) -> pd.DataFrame:
    """Return the bank's human response times for the items that training never showed."""
    bank = load_bank(tasks)
    kept = pd.MultiIndex.from_frame(bank[["task", "item"]]).isin(corpus.held_out_items(tasks))
    return check_norms(bank[kept].reset_index(drop=True))


def _place(model: str) -> tuple[str, int, int, str]:
    """Return where a model stands in the table: by repertoire, seed, and the order of the design."""
    found = named(model)
    if found is None:
        return "", 0, 0, model
    condition, repertoire, seed = found
    return repertoire, seed, list(BY_NAME).index(condition), model
