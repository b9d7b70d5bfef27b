"""The command `handan claims`: parse, call, print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handan.cli_options import Cost, Costs, How, Lineage, Norms, Reliability, Seed, Study
from handan.cli_report import Boot
from handan.output import Format, emit, harmless, records

if TYPE_CHECKING:
    from handan.battery import Battery, Step
    from handan.findings.claims import Claims

_SHOWN = ["claim", "study", "paper", "ours", "low", "high", "verdict", "on_edge", "n_items", "measure"]


def claims(
    costs: Costs = None,
    norms: Norms = None,
    lineage: Lineage = None,
    reliability: Reliability = None,
    study: Study = None,
    cost: Cost = "reasoning_tokens",
    full: Annotated[
        bool, typer.Option("--full", help="In csv and json: every column, sentences included.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write everything to this file as JSON as well.")
    ] = None,
    n_boot: Boot = 100_000,
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 2,
    how: How = Format.TABLE,
) -> None:
    """Say of each claim of the paper whether the data support it."""
    from handan.battery import Sizes
    from handan.claimed import claimed
    from handan.findings.claims import COLUMNS, tally

    if out is not None and not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.absolute().parent} for {out.name}")

    sizes = Sizes.scaled(n_boot, seed)
    with Watch() as watch:
        found, battery = claimed(
            costs, norms, lineage, reliability, study, cost, sizes=sizes, report=watch.show, jobs=jobs
        )
    for remark in battery.remarks:
        print(f"note: {harmless(remark)}", file=sys.stderr)
    if out is not None:
        write_json(found, battery, out)
    if how is not Format.TABLE:
        return emit(found.rows if full else found.rows[COLUMNS], how)
    emit(found.rows, how, title="The paper says, we got (95 % intervals)", show=_SHOWN)
    emit(found.silent, how, title="Who cannot speak to a claim, and why")
    emit(tally(found.rows), how, title="Verdicts, counted over studies; not corrected for their number")


class Watch:
    """Show where the battery stands: a bar on a terminal, a line per finding elsewhere."""

    def __enter__(self) -> Watch:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._plain = not console.is_terminal
        self._bar = Progress(
            BarColumn(), TextColumn("{task.description}"), console=console, disable=self._plain
        )
        self._task = self._bar.add_task("reading tables", total=None)
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def show(self, step: Step) -> None:
        """Show one finding that is done."""
        text = harmless(step)
        if self._plain:
            print(text, file=sys.stderr, flush=True)
        self._bar.update(self._task, completed=step.done, total=step.total, description=text)


def write_json(found: Claims, battery: Battery, path: Path) -> None:
    """Write all claims, and what could not be told, as JSON; a file is replaced as a whole or not at all.

    Beside the claims it holds the facts of every study, findings that were skipped, and remarks
    on rows that were left out.

    Raises
    ------
    OSError
        When the file can't be written.
    """
    from handan.findings.claims import as_json

    told: dict[str, Any] = {**as_json(found), "facts": records(battery.facts)}
    told |= {"skipped": records(battery.skipped), "remarks": battery.remarks}
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(
            json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
