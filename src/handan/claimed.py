"""The claims of the paper, judged in one call: the page, the command and the JSON share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan.gather import gather

if TYPE_CHECKING:
    from handan.battery import Battery, Sizes, Step
    from handan.findings.claims import Claims

# The findings that the ledger asks for.
FINDINGS = ("collapse", "transfer", "alignment", "across", "inflation", "effort", "efficiency", "geometry")


def claimed(
    costs: Path | None = None,
    norms: Path | None = None,
    lineage: Path | None = None,
    reliability: Path | None = None,
    study: Sequence[str] | None = None,
    cost: str = "reasoning_tokens",
    *,
    sizes: Sizes | None = None,
    report: Callable[[Step], Any] | None = None,
    jobs: int = 2,
) -> tuple[Claims, Battery]:
    """Judge every claim of the ledger, on recorded studies or on a user's own tables.

    Parameters
    ----------
    costs, norms, lineage, reliability, study, cost
        As in `handan.gather.gather`.
    sizes : Sizes, optional
        How much to compute.
    report : callable, optional
        Told each step when it is done.
    jobs : int
        Processes.

    Returns
    -------
    tuple of (Claims, Battery)
        The verdicts, and the findings that they come from.

    Raises
    ------
    LookupError, TableError, NoOverlap
        As in `handan.gather.gather`.
    """
    from handan.battery import Sizes, battery
    from handan.findings.claims import claims

    sizes = sizes or Sizes()
    given = gather(costs, norms, lineage, reliability, study, cost, seed=sizes.seed)
    found = battery(
        given.inputs, given.lineage, given.families, sizes, only=FINDINGS, report=report, jobs=jobs
    )
    return claims(found.tables, found.facts, n_boot=sizes.n_boot), found
