"""The command `handan report`: parse, call, write."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handan.cli_options import Cost, Costs, Lineage, Norms, Reliability, Seed, Study
from handan.output import harmless

if TYPE_CHECKING:
    from handan.battery import Sizes
    from handan.report.write import Targets

Out = Annotated[Path, typer.Option("--out", help="The page; its JSON file gets the same name.")]
Title = Annotated[str | None, typer.Option("--title", help="Heading of the page.")]
Boot = Annotated[int, typer.Option("--n-boot", min=100, help="Resamples of items behind a verdict.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Processes. Default: 2; 1 for large tables.")]


def report(
    costs: Costs = None,
    norms: Norms = None,
    lineage: Lineage = None,
    reliability: Reliability = None,
    study: Study = None,
    cost: Cost = "reasoning_tokens",
    out: Out = Path("report.html"),
    title: Title = None,
    n_boot: Boot = 100_000,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """Write every finding and verdict as one page to attach to a paper, with a JSON beside it."""
    from handan.battery import Sizes
    from handan.report.write import OutError, targets

    try:
        to = targets(out)
    except OutError as error:
        raise typer.BadParameter(harmless(error), param_hint="--out") from None
    sizes = Sizes.scaled(n_boot, seed)
    given: dict[str, Any] = dict(norms=norms, lineage=lineage, reliability=reliability)
    given |= dict(study=study, cost=cost)
    again = command(costs, **given, n_boot=n_boot, seed=seed, title=title, out=out)
    try:
        _make(to, sizes, dict(costs=costs, **given, jobs=jobs, title=title, command=again))
    except KeyboardInterrupt:
        print("interrupted; no report was written", file=sys.stderr)
        raise
    print(f"the report is in {harmless(to.page)}, every table in full in {harmless(to.data)}")


def command(costs: Path | None, **options: Any) -> str:
    """Spell the command that makes a report again, ready for a shell.

    Parameters
    ----------
    costs : Path or None
        The costs file.
    **options : object
        Values by the option's name; None is left out, a list repeats its option.
    """
    words = ["handan", "report", *([] if costs is None else [str(costs)])]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            words += [] if one is None else [f"--{name.replace('_', '-')}", str(one)]
    return shlex.join(words)


def _make(to: Targets, sizes: Sizes, given: dict[str, Any]) -> None:
    from handan.cli_claims import Watch
    from handan.report.as_json import as_json
    from handan.report.material import collect
    from handan.report.page import document
    from handan.report.sections import compose
    from handan.report.write import write

    print("note: reading the tables", file=sys.stderr)
    with Watch() as watch:
        found = collect(**given, sizes=sizes, report=watch.show)
    print("note: drawing the figures", file=sys.stderr)
    composed = compose(found)
    write(to, document(found, composed, to.data.name), as_json(found, composed))
