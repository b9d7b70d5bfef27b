"""The commands `handan train reinforce` and `handan train distil`: the recipe, for a model of any size."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handan.cli_options import DEVICE, REVISION, DryRun, How, Model, Task, taking
from handan.organism.any_job import Options
from handan.output import Format, emit, harmless

if TYPE_CHECKING:
    from handan.organism.any_model import Job
    from handan.organism.progress import Progress

Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of the new model; the same command goes on with it.")
]
SETTINGS = {
    "held_out": typer.Option(help="Share of items kept for testing."),
    "seed": typer.Option(min=0, help="Of items held out, order and samples."),
    "revision": REVISION,
    "lora": typer.Option(min=1, help="Train adapters of this rank instead of all weights (peft)."),
    "at_once": typer.Option(min=1, help="Texts to learn from at a time: memory."),
    "device": DEVICE,
    "save_every": typer.Option(min=1, help="Steps between checkpoints."),
}


@taking(options=(Options, SETTINGS))
def reinforce(
    model: Model,
    options: Options,
    task: Task = None,
    out: Out = None,
    steps: Annotated[int, typer.Option("--steps", min=1)] = 100,
    prompts: Annotated[int, typer.Option("--prompts", min=1, help="Problems per step.")] = 8,
    group: Annotated[int, typer.Option("--group", min=2, help="Replies per problem.")] = 8,
    price: Annotated[
        float, typer.Option("--price", min=0, help="Of a token, if a right answer is 1.")
    ] = 5e-4,
    learning_rate: Annotated[float, typer.Option("--learning-rate")] = 1e-6,
    warmup: Annotated[int, typer.Option("--warmup", min=1, help="Steps until that rate.")] = 10,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1)] = 1024,
    dry_run: DryRun = False,
    how: How = Format.TABLE,
) -> None:
    """Reinforce a model on items of the bank: 1 for a right answer, less a price for every token."""
    from handan.organism import any_model
    from handan.organism.recipe import Reinforced

    if not task:
        raise typer.BadParameter("name a task to train on: --task TASK (handan bank lists them)")
    recipe = Reinforced(steps, prompts, group, learning_rate, warmup, price, max_new_tokens)
    _carry_out(any_model.reinforcement(model, task, recipe, options), out, dry_run, how)


@taking(options=(Options, SETTINGS))
def distil(
    model: Model,
    traces: Annotated[
        list[Path], typer.Argument(help="Stores with traces of the teacher.", show_default=False)
    ],
    options: Options,
    task: Task = None,
    out: Out = None,
    steps: Annotated[int, typer.Option("--steps", min=1)] = 100,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Traces per step.")] = 16,
    learning_rate: Annotated[float, typer.Option("--learning-rate")] = 1e-5,
    warmup: Annotated[int, typer.Option("--warmup", min=0, help="Steps until that rate.")] = 10,
    hard: Annotated[
        float, typer.Option("--hard", help="Share of items, those on which people take longest.")
    ] = 1.0,
    only_correct: Annotated[
        bool, typer.Option("--only-correct/--any-answer", help="Whether wrong traces are left out.")
    ] = True,
    most: Annotated[int | None, typer.Option("--most", min=1, help="Traces to take. Default: all.")] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest text, with prompt.")] = 4096,
    dry_run: DryRun = False,
    how: How = Format.TABLE,
) -> None:
    """Distil a teacher's traces into a model: learn from those that are right (rejection sampling)."""
    from handan.organism import any_model
    from handan.organism.recipe import Supervised

    if not 0 < hard <= 1:
        raise typer.BadParameter(f"--hard is a share of items, above 0 and at most 1, not {hard}")
    recipe = Supervised(steps, batch, learning_rate, warmup)
    job = any_model.distillation(
        model, traces, recipe, options, tasks=task,
        hard=hard, only_correct=only_correct, most=most, max_tokens=max_tokens,
    )  # fmt: skip
    _carry_out(job, out, dry_run, how)


def _carry_out(job: Job, out: Path | None, dry_run: bool, how: Format) -> None:
    from handan.organism import any_model

    if out is None and not dry_run:
        raise typer.BadParameter("name the folder of the new model: --out DIR (or look first: --dry-run)")
    emit(any_model.plan(job, out), how, title="What this would take" if dry_run else "What this takes")
    if dry_run or out is None:
        return
    if not any_model.train(job, out, _tell):
        print(f"nothing to do: {harmless(out)} holds this very model")
        return
    print(f"the model is in {harmless(out)}; ask it with: handan traces {harmless(out)} --task … --out …")


def _tell(progress: Progress) -> None:
    print(f"note: {progress}", file=sys.stderr)
