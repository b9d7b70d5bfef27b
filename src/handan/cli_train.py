"""The commands `handan train …`: parse, call, print."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handan import cli_recipes
from handan.cli_families import show_all
from handan.cli_options import DryRun, How
from handan.output import Format, emit, harmless

if TYPE_CHECKING:
    from handan.organism.recipe import Recipe

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command("reinforce")(cli_recipes.reinforce)
app.command("distil")(cli_recipes.distil)


class Profile(StrEnum):
    """How much training."""

    QUICK = "quick"
    FULL = "full"


class Which(StrEnum):
    """Repertoires to train."""

    EQUAL = "equal"
    CARRY = "carry"
    BOTH = "both"


class Trainer(StrEnum):
    """What does the training: a plain loop, or Hugging Face TRL."""

    LOOP = "loop"
    TRL = "trl"


@app.command("family")
def family_command(
    out: Annotated[Path, typer.Option("--out", help="Folder for models, traces and costs.")],
    profile: Annotated[Profile, typer.Option("--profile", help="Size of the recipe.")] = Profile.QUICK,
    repertoire: Annotated[Which, typer.Option("--repertoire", help="What the base knows.")] = Which.CARRY,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Families per repertoire.")] = 4,
    first_seed: Annotated[int, typer.Option("--first-seed", min=0)] = 0,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="A condition; repeat it. Default: by profile.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Traces per model and item.")] = 4,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Families at a time, one core each.")] = 2,
    trainer: Annotated[Trainer, typer.Option("--trainer", help="loop or trl.")] = Trainer.LOOP,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="In the profile quick, train the base as well.")
    ] = False,
    dry_run: DryRun = False,
    how: How = Format.TABLE,
) -> None:
    """Train families of tiny models, let them reason, and compare them with people.

    The same command goes on after an interruption.
    """
    from handan.inputs import in_families
    from handan.organism import conditions, many

    names = tuple(condition or _usual(profile))
    recipes = _recipes(profile, repertoire, range(first_seed, first_seed + seeds))
    planned = conditions.with_ancestors(names)
    starts = {} if from_scratch or profile is Profile.FULL else _packaged_bases()
    if starts and any(one.is_half for one in planned):
        raise typer.BadParameter("no base of half the size is packaged; add --from-scratch")
    begin = "all from one packaged base, so intervals leave bases out," if starts else "from scratch,"
    print(
        f"note: {len(recipes)} families of {len(planned)} models each, {begin} {jobs} at a time, into {out}",
        file=sys.stderr,
    )
    if dry_run:
        emit(_plan(planned), how, title="The models of a family")
        return
    with _Bars() as bars:
        costs = many.run(
            recipes, out, names, samples=samples, processes=min(jobs, len(recipes)),
            trainer=trainer.value, starts=starts, report=bars.show,
        )  # fmt: skip
    found = in_families(costs)
    if how is not Format.TABLE:
        return emit(found.effects, how)
    show_all(found)


def _packaged_bases() -> dict[str, Path]:
    """Return the packaged base of each repertoire that has one."""
    from handan.organism.conditions import named
    from handan.tables import packaged
    from handan.traces import tiny

    bases = {name: found for name in tiny() if (found := named(name)) and found[0] == "base"}
    return {repertoire: packaged(f"models/{name}") for name, (_, repertoire, _) in bases.items()}


def _usual(profile: Profile) -> tuple[str, ...]:
    from handan.organism import conditions

    return conditions.CORE if profile is Profile.QUICK else tuple(conditions.BY_NAME)


def _recipes(profile: Profile, which: Which, seeds: range) -> list[Recipe]:
    from handan.organism.grammar import REPERTOIRES
    from handan.organism.recipe import RECIPES

    repertoires = REPERTOIRES if which is Which.BOTH else (which.value,)
    recipe = RECIPES[profile.value]
    return [replace(recipe, repertoire=name, seed=seed) for seed in seeds for name in repertoires]


def _plan(planned: list[Any]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {"condition": one.name, "role": one.role, "starts from": one.parent, "learns from": one.teacher}
        | {"what is special": one.says}
        for one in planned
    )


class _Bars:
    """Show every family's progress: a bar each on a terminal, plain lines elsewhere."""

    def __enter__(self) -> _Bars:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self._plain = not console.is_terminal
        columns = (TextColumn("{task.fields[name]}"), BarColumn(), TextColumn("{task.description}"))
        self._bars = Progress(*columns, TimeElapsedColumn(), console=console, disable=self._plain)
        self._tasks: dict[str, Any] = {}
        self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def show(self, message: Any) -> None:
        """Show one message."""
        text = harmless(f"{message.model}: {message.what} {message.detail}".rstrip())
        if self._plain:
            print(f"{message.family} {message.share:4.0%}  {text}", file=sys.stderr, flush=True)
            return
        if message.family not in self._tasks:
            self._tasks[message.family] = self._bars.add_task("", total=1.0, name=message.family)
        self._bars.update(self._tasks[message.family], completed=message.share, description=text)
