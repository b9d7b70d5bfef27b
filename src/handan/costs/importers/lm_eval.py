"""Sample logs of lm-evaluation-harness: ``samples_TASK_DATE.jsonl``, beside ``results_DATE.json``.

They hold texts and verdicts, and neither token counts nor stop reasons. Told where the
thinking ends (``think_end_token``), the harness throws it away before it writes the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handan.costs.importers.files import Record, find_files, read_document, read_records, wrong_kind
from handan.costs.importers.naming import name_items
from handan.costs.importers.reply import Log, Options, Reply, count_of, verdict_of
from handan.traces.errors import ImportFormatError

KIND = "lm-eval"
_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")


def read(path: str | Path | Sequence[str | Path], options: Options) -> Log:
    """Read sample logs.

    Parameters
    ----------
    path : path, or several
        ``samples_*.jsonl``, or a folder that holds some.
    options : Options
        `model`, `task`, `item`; `metric` as ``METRIC`` or ``METRIC,FILTER``.

    Raises
    ------
    ImportFormatError
        When it is another kind of file, or a task for which nothing was generated.
    """
    log = Log()
    log.remarks.append("lm-evaluation-harness keeps no stop reasons and no token counts in its sample logs")
    tasks = []
    for file in find_files(path, ("samples_*.jsonl", "samples_*.jsonl.gz")):
        one = _read_file(file, options)
        tasks.append((one.replies[0].model, one.replies[0].task))
        log.extend(one)
    for model, task in sorted({pair for pair in tasks if tasks.count(pair) > 1}):
        log.remarks.append(f"{model} ran {task} more than once: all runs are kept, as samples")
    return log


def _read_file(path: Path, options: Options) -> Log:
    records, remarks = read_records(path)
    for _, record in records:
        if not {"doc_id", "doc", "resps"} <= record.keys():
            raise wrong_kind(path, KIND, record)
    named = _NAME.match(path.name)
    results = _results(path, named["date"]) if named else {}
    task = options.task or (named["task"] if named else path.name.split(".")[0].removeprefix("samples_"))
    model = (
        options.model or results.get("model_name") or results.get("model_name_sanitized") or path.parent.name
    )
    kept, metric, said = _one_filter(records, options.metric)
    docs = [(record["doc_id"], record["doc"]) for _, record in kept]
    items, tasks, how = name_items(docs, options, task, "doc_id")
    settings = _settings(results)
    log = Log(remarks=[*remarks, *said, *how, *_remarks(path, results, settings, kept)])
    for (line, record), item, its_task in zip(kept, items, tasks, strict=True):
        about = Reply(
            f"{path.name} line {line}", str(model), its_task, item, hidden="think_end_token" in settings
        )
        log.replies += _replies(record, about, metric)
    return log


def _replies(record: Mapping[str, Any], about: Reply, metric: str | None) -> list[Reply]:
    texts = [
        text for request in record["resps"] for text in (request if isinstance(request, list) else [request])
    ]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ImportFormatError(
            f"{about.where}: nothing was generated for task {about.task}, only answers were scored; "
            "there is no cost to import"
        )
    prompt, settings = _arguments(record)
    about.prompt = prompt if isinstance(prompt, str) else None
    about.limit = count_of(settings.get("max_gen_toks"))
    # The metric belongs to what the filter made of all responses; with several it is nobody's own.
    about.correct = verdict_of(record.get(metric)) if len(texts) == 1 and metric else None
    return [Reply(**(vars(about) | {"text": text, "given": {}})) for text in texts]


def _arguments(record: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """Prompt and generation settings of a document's first request."""
    given = record.get("arguments")
    first = next(iter(given.values()), None) if isinstance(given, dict) else None
    if not isinstance(first, dict):
        return None, {}
    settings = first.get("arg_1")
    return first.get("arg_0"), settings if isinstance(settings, dict) else {}


def _one_filter(records: Sequence[Record], wanted: str | None) -> tuple[list[Record], str | None, list[str]]:
    """Keep one row per document: the log repeats a document under each filter, with the same responses."""
    filters = list(dict.fromkeys(str(record.get("filter", "none")) for _, record in records))
    metric, _, chosen = (wanted or "").partition(",")
    chosen = chosen or filters[0]
    if chosen not in filters:
        raise ImportFormatError(f"the log has no filter {chosen!r}; it has: {', '.join(filters)}")
    kept = [one for one in records if str(one[1].get("filter", "none")) == chosen]
    known = [str(name) for name in kept[0][1].get("metrics") or []]
    if metric and metric not in kept[0][1]:
        raise ImportFormatError(f"the log has no metric {metric!r}; it has: {', '.join(known) or 'none'}")
    metric = metric or next(iter(known), "")
    remarks = []
    if metric and (len(filters) > 1 or len(known) > 1):
        remarks.append(
            f"correct is {metric} after filter {chosen!r} (metrics: {', '.join(known)}; "
            f"filters: {', '.join(filters)}); choose another as METRIC,FILTER"
        )
    return kept, metric or None, remarks


def _results(path: Path, date: str) -> dict[str, Any]:
    beside = path.with_name(f"results_{date}.json")
    found = read_document(beside) if beside.is_file() else {}
    return found if isinstance(found, dict) else {}


def _settings(results: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the model, which are a mapping or a text ``a=1,b=2``; empty ones left out."""
    config = results.get("config")
    given = config.get("model_args") if isinstance(config, dict) else None
    if isinstance(given, str):
        given = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
    return {name: value for name, value in (given or {}).items() if value not in (None, "", "None")}


def _remarks(
    path: Path, results: Mapping[str, Any], settings: Mapping[str, Any], kept: Sequence[Record]
) -> list[str]:
    remarks = []
    if not results:
        remarks.append(f"{path.name} has no results file beside it: model and settings are taken from names")
    if "think_end_token" in settings:
        remarks.append(
            "the run had a think_end_token: the harness threw the reasoning away, and kept answers only"
        )
    if any(
        len(request) > 1 for _, record in kept for request in record["resps"] if isinstance(request, list)
    ):
        remarks.append("documents with several responses have one verdict for all of them, which is not used")
    stops = {stop for _, record in kept for stop in _listed(_arguments(record)[1].get("until"))}
    if stops:
        shown = ", ".join(map(repr, sorted(stops)))
        remarks.append(f"replies end before the first of these strings, in a chain of thought too: {shown}")
    return remarks


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or []]
