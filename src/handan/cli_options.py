"""Options that several commands share, and a way to make options of the fields of a dataclass."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from handan.output import Format

Command = Callable[..., None]

How = Annotated[Format, typer.Option("--format", help="A table to read, or csv or json for a program.")]
Costs = Annotated[
    Path | None,
    typer.Argument(help="Your own costs: model, task, item, reasoning_tokens. Default: recorded studies."),
]
Norms = Annotated[
    Path | None,
    typer.Option("--norms", help="Your own norms as CSV: task, item, log_rt. Default: the item bank."),
]
Lineage = Annotated[
    Path | None,
    typer.Option("--lineage", help="Your own lineage as CSV: model, role. Default: the packaged one."),
]
Reliability = Annotated[
    Path | None, typer.Option("--reliability", help="Reliability of your norms as CSV: task, reliability.")
]
Study = Annotated[
    list[str] | None, typer.Option("--study", help="A recorded study; repeat it. Default: all.")
]
Cost = Annotated[str, typer.Option("--cost", help="The column of the costs table that counts.")]
Boot = Annotated[int, typer.Option("--n-boot", min=100, help="Resamples of items.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the resamples.")]

REVISION = typer.Option("--revision", help="Commit on the hub.")
DEVICE = typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")
Model = Annotated[
    str,
    typer.Argument(help="Name in the lineage, hub id, folder, or base-carry-s0.", show_default=False),
]
Task = Annotated[list[str] | None, typer.Option("--task", help="A task of the bank; repeat it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what this would do.")]

Root = Annotated[Path, typer.Option("--root", help="A folder inside the checkout.")]
ThinkOpen = Annotated[str | None, typer.Option("--think-open", help="Other opening tag.")]
ThinkClose = Annotated[str | None, typer.Option("--think-close", help="Other closing tag.")]


def taking(**groups: tuple[type, dict[str, Any]]) -> Callable[[Command], Command]:
    """Let a command take dataclasses: every field becomes an option, with the field's own default.

    Parameters
    ----------
    **groups : (type, dict of str to typer.Option)
        By the name of the command's parameter: its dataclass, and what `typer` should know of
        the options of its fields. A field that is not named gets an option of its name.

    Examples
    --------
    >>> from handan.traces.request import Decoding
    >>> @taking(decoding=(Decoding, {"top_k": typer.Option(help="0 keeps all.")}))
    ... def ask(model: str, decoding: Decoding) -> None:
    ...     print(model, decoding)
    >>> ask(model="m", max_new_tokens=9, temperature=0.0, top_p=1.0, top_k=5, seed=0)
    m Decoding(max_new_tokens=9, temperature=0.0, top_p=1.0, top_k=5, seed=0)
    """

    def _wrap(command: Command) -> Command:
        asked = inspect.signature(command, eval_str=True).parameters.values()
        own = [one.replace(kind=one.KEYWORD_ONLY) for one in asked if one.name not in groups]
        options = [one for kind, told in groups.values() for one in _options(kind, told)]

        def _run(**given: Any) -> None:
            made = {
                name: kind(**{one.name: given.pop(one.name) for one in fields(kind)})
                for name, (kind, _) in groups.items()
            }
            command(**given, **made)

        # Both are what typer reads: which of them depends on its version.
        _run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
        _run.__annotations__ = {one.name: one.annotation for one in [*own, *options]}
        _run.__name__, _run.__doc__ = command.__name__, command.__doc__
        return _run

    return _wrap


def _options(kind: type, told: dict[str, Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(kind)
    for one in fields(kind):
        option = told.get(one.name) or typer.Option()
        shown = Annotated[hints[one.name], option]  # type: ignore[valid-type, name-defined]
        yield inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=shown
        )
