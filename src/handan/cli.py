"""The command `handan`: parse, call, print."""

from __future__ import annotations

import io
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handan import cli_claims, cli_course, cli_families, cli_power, cli_report, cli_traces, cli_train
from handan.cli_options import Boot, Cost, Costs, How, Lineage, Norms, Reliability, Root, Seed, Study
from handan.output import Format, emit, harmless

if TYPE_CHECKING:
    import pandas as pd

    from handan.inputs import Inputs

# Columns that a table in the terminal has room for; CSV and JSON get all.
_ALIGN = [
    *("study", "task", "model", "n", "r", "r_low", "r_high", "spearman", "p", "bf10", "partial_r"),
    *("ceiling", "r_over_ceiling", "truncated", "note"),
]
_PAIRS = [
    *("claim", "study", "task", "a", "b", "relation", "n", "r_a", "r_b", "difference", "zou_low", "zou_high"),
    *("boot_low", "boot_high", "williams_p_holm", "ceiling"),
]
_POOLED = [
    *("claim", "study", "relation", "n_pairs", "n_items", "r_a", "r_b", "difference", "low", "high"),
    *("verdict", "on_edge"),
]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

app.add_typer(cli_traces.app, name="traces", help="Ask models, and keep every trace.")
app.command("costs")(cli_traces.costs)
app.command("import")(cli_traces.import_log)
app.add_typer(cli_course.app, name="course", help="Exercises: make the notebooks for students and teachers.")
app.command("families")(cli_families.families)
app.command("report")(cli_report.report)
app.command("claims")(cli_claims.claims)
app.command("power")(cli_power.power)
app.add_typer(cli_train.app, name="train", help="Train tiny models, or go on training any model.")


class ClaimName(StrEnum):
    """The two comparisons of the paper."""

    COLLAPSE = "collapse"
    TRANSFER = "transfer"
    BOTH = "both"


class Level(StrEnum):
    """What a row of a comparison is."""

    PAIRS = "pairs"
    POOLED = "pooled"


@app.command()
def bank(
    task: Annotated[str | None, typer.Argument(help="A task, to list its items. Default: all tasks.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Show the problem of one item.")] = None,
    how: How = Format.TABLE,
) -> None:
    """Show the item bank: human response times by task, or by item of one task."""
    from handan import norms

    if task is None:
        if item is not None:
            raise typer.BadParameter("name the task as well: handan bank TASK --item ITEM")
        return emit(norms.summary(), how, title="Item bank (response times in seconds)")
    try:
        if item is not None:
            print("\n".join(harmless(line) for line in _problem(task, item).splitlines()))
        else:
            emit(norms.load_bank([task]), how, title=f"{task}: items with mean log response time (ln s)")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def models(how: How = Format.TABLE) -> None:
    """Show the lineage: teachers, students, baselines, and who was made from whom."""
    from handan.lineage import load_lineage

    shown = ["model", "role", "teacher", "base", "sibling", "params", "paper"]
    emit(load_lineage(), how, title="Lineage (params: number of parameters)", show=shown)


@app.command()
def align(
    costs: Costs = None,
    norms: Norms = None,
    reliability: Reliability = None,
    study: Study = None,
    cost: Cost = "reasoning_tokens",
    n_boot: Boot = 10_000,
    seed: Seed = 0,
    how: How = Format.TABLE,
) -> None:
    """Correlate token cost with human difficulty, for every task and model."""
    import pandas as pd

    from handan.findings.alignment import align as align_joined

    inputs = _inputs(costs, norms, reliability, study, cost)
    parts = [align_joined(one.joined, one.reliability, n_boot=n_boot, seed=seed) for one in inputs]
    emit(pd.concat(parts, ignore_index=True), how, title="Alignment: r of log cost with people", show=_ALIGN)


@app.command()
def compare(
    costs: Costs = None,
    norms: Norms = None,
    lineage: Lineage = None,
    reliability: Reliability = None,
    study: Study = None,
    claim: Annotated[ClaimName, typer.Option("--claim", help="Which comparison.")] = ClaimName.BOTH,
    level: Annotated[
        Level | None,
        typer.Option(
            "--level",
            help="Pairs, or pooled with verdicts. Default: both; in csv and json pairs.",
        ),
    ] = None,
    cost: Cost = "reasoning_tokens",
    n_boot: Boot = 100_000,
    seed: Seed = 0,
    how: How = Format.TABLE,
) -> None:
    """Compare teacher with student (collapse) and student with its baseline (transfer)."""
    from handan.costs import ORGANISM
    from handan.inputs import contrasts
    from handan.lineage import load_lineage

    if ORGANISM in (study or []):
        raise typer.BadParameter(f"the models of {ORGANISM} are families: handan families")
    family = load_lineage(lineage)
    inputs = _inputs(costs, norms, reliability, study, cost, family)
    pairs, pooled = contrasts(inputs, family, claim.value, n_boot=n_boot, seed=seed)
    if how is not Format.TABLE:
        return emit(pooled if level is Level.POOLED else pairs, how)
    if level is not Level.POOLED:
        emit(pairs, how, title="Pairs: r of a minus r of b, on the same items", show=_PAIRS)
    if level is not Level.PAIRS:
        emit(pooled, how, title="Pooled, with item-bootstrap intervals", show=_POOLED)


@app.command()
def book(
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Execute this chapter only; may be repeated.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", help="NAME=VALUE for the chapters; may be repeated."),
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Chapters at a time. Default: 2.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Execute every chapter again.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Only say what is out of date, and why.")] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print the book to a PDF as well; needs Chromium and the extra pdf.")
    ] = False,
    root: Root = Path(),
) -> None:
    """Execute the chapters that are out of date, render the book and check it."""
    from handan.book.build import build, plan, summary
    from handan.book.parameters import parse
    from handan.cards import cards

    given = parse(parameter or [])
    if why:
        for one in plan(root, only=only or (), parameters=given, force=force):
            print(f"{one.chapter}: {summary(one.reasons) or 'up to date'}")
        return
    report = build(root, jobs=jobs, only=only or (), parameters=given, force=force, cards=cards(), pdf=pdf)
    if report.pages:
        print(f"the book is in {report.index} ({report.seconds:.0f} s)")


def main() -> None:
    """Run the command; an error that a user can mend becomes one message and exit code 2."""
    from handan.cli_errors import guarded

    for stream in (sys.stdout, sys.stderr):
        # Windows writes files in a code page of its own, which lacks Greek letters and dashes
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")
    guarded(app)


def _inputs(
    costs: Path | None,
    norms: Path | None,
    reliability: Path | None,
    names: list[str] | None,
    cost: str,
    lineage: pd.DataFrame | None = None,
) -> list[Inputs]:
    from handan.inputs import own, recorded

    if costs is None and (norms or reliability):
        raise typer.BadParameter("--norms and --reliability go with a costs file of your own")
    if costs and names:
        raise typer.BadParameter("give either a costs file or --study, not both")
    found = recorded(names, cost) if costs is None else [own(costs, norms, reliability, cost)]
    for one in found:
        for remark in one.remarks(lineage):
            print(f"note: {harmless(remark)}", file=sys.stderr)
    return found


def _problem(task: str, item: str) -> str:
    from handan import norms

    one = norms.task(task)
    said = {"What people did": f"  {one.people}", "What a model is asked": f"\n{one.prompt(item)}"}
    return "\n\n".join(f"{head}\n{text}" for head, text in said.items()) + f"\n\nKey: {one.answer(item)}"


if __name__ == "__main__":
    main()
