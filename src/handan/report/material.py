"""Everything that a report is made of, computed in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.report import datacard
from handan.report.versions import fingerprints, own_files, recorded_files, versions

if TYPE_CHECKING:
    from handan.battery import Battery, Sizes, Step
    from handan.findings.claims import Claims
    from handan.gather import Gathered

TITLE = "Do reasoning costs follow human difficulty?"
# From here on one process: handing tables from process to process would cost more than it saves.
LARGE = 500_000


@dataclass(frozen=True)
class Material:
    """What a report shows.

    Attributes
    ----------
    title, command : str
        Heading, and the command that makes the report again.
    made : datetime
        When, in UTC.
    studies : list of str
        What was studied, in order.
    cost : str
        The cost column.
    files : DataFrame
        ``what, file, bytes, sha256``.
    tasks, models, left_out : DataFrame
        See `handan.report.datacard`.
    cards : list of dict
        Provenance of recorded studies and of tasks of the item bank: ``title, cite, licence,
        caveats``.
    battery : Battery
        Every finding.
    claims : Claims
        Every verdict.
    software : dict of str to str
        Versions.
    """

    title: str
    command: str
    made: datetime
    studies: list[str]
    cost: str
    files: pd.DataFrame
    tasks: pd.DataFrame
    models: pd.DataFrame
    left_out: pd.DataFrame
    cards: list[dict[str, Any]]
    battery: Battery
    claims: Claims
    software: dict[str, str] = field(default_factory=dict)


def collect(
    costs: Path | None = None,
    norms: Path | None = None,
    lineage: Path | None = None,
    reliability: Path | None = None,
    study: Sequence[str] | None = None,
    cost: str = "reasoning_tokens",
    *,
    sizes: Sizes | None = None,
    report: Callable[[Step], Any] | None = None,
    jobs: int | None = None,
    title: str | None = None,
    command: str = "",
) -> Material:
    """Compute everything that a report shows.

    Parameters
    ----------
    costs, norms, lineage, reliability, study, cost
        As in `handan.gather.gather`.
    sizes : Sizes, optional
        How much to compute.
    report : callable, optional
        Told each step of the battery when it is done.
    jobs : int, optional
        Processes; by default two, and one above `LARGE` cost rows.
    title : str, optional
        Heading, by default `TITLE`.
    command : str
        The command to repeat.

    Returns
    -------
    Material

    Raises
    ------
    LookupError, TableError, NoOverlap
        As in `handan.gather.gather`.
    OSError
        When a file can't be read.
    """
    from handan.battery import Sizes, battery
    from handan.findings.claims import claims
    from handan.gather import gather

    sizes = sizes or Sizes()
    given = gather(costs, norms, lineage, reliability, study, cost, seed=sizes.seed)
    rows = sum(len(one.costs) for one in given.inputs)
    jobs = jobs or (1 if rows > LARGE else 2)
    found = battery(given.inputs, given.lineage, given.families, sizes, report=report, jobs=jobs)
    studies = list(dict.fromkeys(found.facts["study"]))
    files = own_files(costs, norms, lineage, reliability)
    if costs is None:
        files = recorded_files(given, studies) + files
    return Material(
        title=TITLE if title is None else title, command=command, made=datetime.now(UTC),
        studies=studies, cost=cost,
        files=fingerprints(files), tasks=datacard.tasks(given.inputs),
        models=datacard.models(given.inputs, given.lineage), left_out=datacard.left_out(given.inputs),
        cards=_cards(given, studies, recorded=costs is None, bank=norms is None), battery=found,
        claims=claims(found.tables, found.facts, n_boot=sizes.n_boot), software=versions(),
    )  # fmt: skip


def _cards(given: Gathered, studies: Sequence[str], *, recorded: bool, bank: bool) -> list[dict[str, Any]]:
    from handan import costs, norms

    if recorded:
        found = [costs.card(name) for name in studies]
    elif bank:
        used = dict.fromkeys(task for one in given.inputs for task in one.joined.rows["task"].unique())
        found = [norms.card(task) for task in used]
    else:
        found = []
    return [{key: card[key] for key in ("title", "cite", "licence", "caveats")} for card in found]
