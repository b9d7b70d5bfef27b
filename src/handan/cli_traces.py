"""The commands that make, read and count traces: `handan traces`, `handan costs`, `handan import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from handan.cli_options import (
    DEVICE,
    REVISION,
    DryRun,
    How,
    Lineage,
    Model,
    Task,
    ThinkClose,
    ThinkOpen,
    taking,
)
from handan.output import Format, emit, harmless
from handan.traces.choose import Options
from handan.traces.models import Style
from handan.traces.request import Decoding

if TYPE_CHECKING:
    from handan.traces.jobs import Job


class OneCommandByDefault(TyperGroup):
    """``handan traces MODEL …`` runs; ``handan traces status DIR`` and the like are commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before anything that is no command."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=OneCommandByDefault, no_args_is_help=True, add_completion=False)

Folder = Annotated[Path, typer.Argument(help="A store of traces.", show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of the store; made if absent.")]
WriteBatch = Annotated[
    Path | None, typer.Option("--write-batch", help="Write batch files instead of asking.")
]
ReadBatch = Annotated[
    list[Path] | None, typer.Option("--read-batch", help="Store the answers of a batch file.")
]
DECODING = {
    "temperature": typer.Option(help="0 is greedy."),
    "top_k": typer.Option(help="0 keeps all."),
}
SETTINGS = {
    "kind": typer.Option("--engine", help="Who runs the model."),
    "dtype": typer.Option(help="auto, float32, float16, bfloat16."),
    "device": DEVICE,
    "batch_size": typer.Option(min=1, help="Default: found."),
    "quantize": typer.Option(help="4 or 8 bits."),
    "attention": typer.Option(help="For transformers."),
    "base_url": typer.Option(help="Endpoint (openai), ends in /v1."),
    "api_key_env": typer.Option(help="Environment variable that holds the key."),
    "concurrency": typer.Option(min=1, help="Requests at a time."),
    "gpus": typer.Option(min=0, help="GPUs per copy of the model (vllm, ray)."),
    "actors": typer.Option(min=1, help="Copies of the model (ray)."),
    "address": typer.Option(help="Ray cluster; default: a local one."),
    "inner": typer.Option(help="What Ray actors run."),
}


@app.command("run")
@taking(decoding=(Decoding, DECODING), options=(Options, SETTINGS))
def run_command(
    model: Model,
    decoding: Decoding,
    options: Options,
    task: Task = None,
    out: Out = None,
    samples: Annotated[int, typer.Option("--samples", help="Samples per item.")] = 1,
    limit: Annotated[int | None, typer.Option("--limit", help="Items per task, evenly spread.")] = None,
    revision: Annotated[str | None, REVISION] = None,
    prompt: Annotated[Style | None, typer.Option("--prompt", help="Default: as the model wants it.")] = None,
    lineage: Lineage = None,
    price_in: Annotated[float | None, typer.Option(min=0, help="Per million tokens read.")] = None,
    price_out: Annotated[float | None, typer.Option(min=0, help="Per million written.")] = None,
    retry_errors: Annotated[bool, typer.Option("--retry-errors", help="Ask failed requests again.")] = False,
    dry_run: DryRun = False,
    why: Annotated[bool, typer.Option("--why", help="Only say why stored rows are not reused.")] = False,
    write_batch: WriteBatch = None,
    read_batch: ReadBatch = None,
    how: How = Format.TABLE,
) -> None:
    """Ask a model the items of some tasks and store every trace; run it again to go on."""
    from handan.traces import job_views, jobs

    _one_of(dry_run=dry_run, why=why, write_batch=write_batch, read_batch=read_batch)
    job = jobs.prepare(
        model, task or [], decoding, options, samples=samples, limit=limit, revision=revision,
        prompt=prompt, lineage=lineage,
    )  # fmt: skip
    print(f"note: {harmless(job.says)}", file=sys.stderr)
    if dry_run:
        plan = job_views.dry_run(job, out, price_in=price_in, price_out=price_out)
        emit(plan, how, title="What this would take")
    elif out is None:
        raise typer.BadParameter("name the folder of the store: --out DIR (or look first: --dry-run)")
    elif why:
        emit(job_views.why(job, out), how, title="Stored rows that are near, and what differs")
    elif write_batch is not None:
        print(*jobs.write_batch(job, out, write_batch), sep="\n")
    else:
        _execute(job, out, retry_errors, read_batch or [])


@app.command()
def status(folder: Folder, how: How = Format.TABLE) -> None:
    """Say what a store holds, and what is left to do of each run."""
    from handan.traces import job_views
    from handan.traces.store import Store

    with Store.open(folder, create=False, writable=False) as store:
        emit(store.status(), how, title=f"Traces in {folder}")
        if how is Format.TABLE:
            emit(job_views.runs(store), how, title="Runs")
        for note in store.notes:
            print(f"note: {harmless(note)}", file=sys.stderr)


@app.command()
def compact(folder: Folder) -> None:
    """Merge the parts of a store, and drop failures that a later answer made up for."""
    from handan.traces.store import Store

    with Store.open(folder, create=False) as store:
        print(store.compact())


@app.command()
def show(
    folder: Folder,
    item: Annotated[str, typer.Argument(help="Code of the item.", show_default=False)],
    model: Annotated[str | None, typer.Option("--model", help="This model only.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="This task only.")] = None,
    sample: Annotated[int | None, typer.Option("--sample", help="This sample only.")] = None,
) -> None:
    """Read the traces of an item; what a model wrote is shown and never obeyed."""
    from handan.traces.reading import readable

    for line in readable(folder, item, model=model, task=task, sample=sample):
        print(line)


def costs(
    folder: Annotated[list[Path], typer.Argument(help="One or more stores of traces.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="CSV or Parquet, by ending.", show_default=False)],
    study: Annotated[str, typer.Option("--study", help="Name of the study.")] = "yours",
    think_open: ThinkOpen = None,
    think_close: ThinkClose = None,
    common_tokenizer: Annotated[
        str | None, typer.Option("--common-tokenizer", help="Count all models with this tokenizer.json too.")
    ] = None,
) -> None:
    """Count tokens: from stores of traces to a costs table."""
    from handan.costs.files import write_costs
    from handan.traces.counting import counted

    tags = _tags(think_open, think_close)
    table, remarks = counted(folder, study=study, tags=tags, common=common_tokenizer)
    write_costs(table, out)
    for remark in remarks:
        print(f"note: {harmless(remark)}", file=sys.stderr)
    print(f"{len(table):,} rows in {out}")


def import_log(
    kind: Annotated[
        str, typer.Argument(help="lm-eval, inspect, openai-batch, vllm-batch, jsonl, parquet or csv.")
    ],
    path: Annotated[list[str], typer.Argument(help="The log: files or a folder.")],
    out: Annotated[Path, typer.Option("--out", help="CSV or Parquet, by ending.", show_default=False)],
    study: Annotated[str | None, typer.Option("--study", help="Name of the study.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Model, where the log names none.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Task, where the log names none.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Field that names the item (lm-eval).")] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="What says if it is correct.")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="OURS=THEIRS, for jsonl, parquet and csv; repeat it.")
    ] = None,
    requests: Annotated[Path | None, typer.Option("--requests", help="Request file of a batch.")] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="How a custom_id is made.")] = None,
    tokenizer: Annotated[str | None, typer.Option("--tokenizer", help="Counts text: file or hub id.")] = None,
    think_open: ThinkOpen = None,
    think_close: ThinkClose = None,
) -> None:
    """Read the log of another tool as a costs table."""
    from handan.costs.files import write_costs
    from handan.costs.importers import read

    found = read(
        kind, path, study=study, model=model, task=task, item=item, metric=metric, requests=requests,
        columns=_pairs(column), pattern=pattern, tokenizer=tokenizer, tags=_tags(think_open, think_close),
    )  # fmt: skip
    for remark in found.remarks:
        print(f"note: {harmless(remark)}", file=sys.stderr)
    write_costs(found.costs, out)
    print(f"{len(found.costs):,} rows in {out}")


def _tags(opened: str | None, closed: str | None) -> tuple[str, str] | None:
    if opened is not None and closed is None:
        raise typer.BadParameter("--think-open needs --think-close")
    return None if closed is None else (opened or "", closed)


def _pairs(given: list[str] | None) -> dict[str, str] | None:
    pairs = [one.partition("=") for one in given or []]
    for ours, sign, theirs in pairs:
        if not (ours and sign and theirs):
            raise typer.BadParameter(
                "a column is given as OURS=THEIRS, for example --column item=question_id"
            )
    return {ours: theirs for ours, _, theirs in pairs} or None


def _one_of(**ways: Any) -> None:
    """Refuse more than one of the ways to do something else than asking."""
    given = [f"--{name.replace('_', '-')}" for name, value in ways.items() if value]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} exclude each other: give one of them")


def _execute(job: Job, out: Path, retry_errors: bool, batches: list[Path]) -> None:
    from handan.traces import jobs
    from handan.traces.progress import Progress, duration

    report = jobs.execute(job, out, retry_errors=retry_errors, batches=batches, progress=Progress())
    if not report.done and not report.failed:
        print(f"nothing to do: all {report.asked:,} requests are in the store")
        return
    print(f"{report.done:,} answered, {report.settled:,} were in the store, of {report.asked:,}")
    print(f"{report.tokens:,} tokens in {duration(report.seconds)}")
    if report.failed:
        print(f"{report.failed:,} failed and are stored with their error; --retry-errors asks again")
