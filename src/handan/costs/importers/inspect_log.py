"""Logs of inspect_ai: ``.eval``, a zip of JSON files, and ``.json``, the same in one.

Read as documented, without the tool. Its own readers need it installed in a version that
knows the log's; what is needed here has kept its shape.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from handan.costs.importers.files import ZIP, find_files, read_document, read_records, wrong_kind
from handan.costs.importers.inspect_sample import read_sample
from handan.costs.importers.naming import name_items
from handan.costs.importers.reply import Log, Options, Reply
from handan.costs.importers.zipped import open_zip, read_member
from handan.traces.errors import ImportFormatError

KIND = "inspect"
_PADDED = ("hf",)  # providers that report the width of a padded batch, not the lengths of its rows
Content = Mapping[str, Any]


def read(path: str | Path | Sequence[str | Path], options: Options) -> Log:
    """Read logs of inspect_ai.

    Parameters
    ----------
    path : path, or several
        ``.eval`` or ``.json`` logs, or a folder that holds some. Of several logs of one
        run, as retries leave behind, the newest counts.
    options : Options
        `model`, `task`, `item`; `metric` is the name of a scorer.

    Raises
    ------
    ImportFormatError
        When it is another kind of file, is torn, or holds no samples.
    """
    log, runs = Log(), {}
    for file in find_files(path, ("*.eval", "*.json")):
        try:
            header, samples = _open(file)
        except ImportFormatError as error:
            if not isinstance(path, (str, Path)) or Path(path).is_file():
                raise
            log.remarks.append(f"not read: {error}")
            continue
        run = (header["eval"].get("task_id", str(file)), str(header["eval"].get("created", "")))
        runs[(*run, str(file))] = (file, header, samples)
    newest = {task_id: key for key in sorted(runs) for task_id in [key[0]]}
    if len(newest) < len(runs):
        log.remarks.append(
            f"{len(runs) - len(newest)} earlier logs of runs that were tried again are not used"
        )
    for key in newest.values():
        log.extend(_read_log(*runs[key], options))
    if not log.replies:
        raise ImportFormatError(f"{path} holds no samples" + "".join(f"; {remark}" for remark in log.remarks))
    _number_runs(log.replies)
    return log


def _open(path: Path) -> tuple[Content, list[Content]]:
    """Give the header of a log and its samples."""
    try:
        with path.open("rb") as file:
            start = file.read(len(ZIP))
    except OSError as error:
        raise ImportFormatError(f"{path} can't be read: {error.strerror or error}") from None
    header, samples = _open_zip(path) if start == ZIP else _open_json(path)
    if not isinstance(header, dict) or not isinstance(header.get("eval"), dict):
        raise wrong_kind(path, KIND, header)
    return header, list(samples)


def _open_zip(path: Path) -> tuple[Content, Iterator[Content]]:
    with open_zip(path) as archive:
        names = archive.namelist()
        header = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
        if header is None:
            raise ImportFormatError(f"{path} is a zip file, but no log of inspect_ai: it has no header.json")
        samples = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
        content = [_parsed(read_member(archive, name), f"{path}: {name}") for name in [header, *samples]]
    return content[0], iter(content[1:])


def _open_json(path: Path) -> tuple[Content, Iterator[Content]]:
    try:
        whole = read_document(path)
    except ImportFormatError:
        raise wrong_kind(path, KIND, read_records(path)[0][0][1]) from None
    return whole, iter(whole.get("samples") or [] if isinstance(whole, dict) else [])


def _parsed(raw: bytes, where: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ImportFormatError(f"{where} is not JSON: {error}") from None


def _read_log(path: Path, header: Content, samples: Sequence[Content], options: Options) -> Log:
    spec = header["eval"]
    provider = str(spec.get("model", "")).split("/")[0]
    padded = provider in _PADDED
    log = Log()
    if header.get("status", "started") != "success":
        log.remarks.append(f"{path.name}: the run did not finish (status {header.get('status', 'started')})")
    if padded:
        log.remarks.append(
            f"inspect's provider {provider} reports the width of a padded batch as the length of each reply: "
            "its counts are not used"
        )
    problems = [(sample.get("id"), sample.get("metadata")) for sample in samples]
    items, tasks, how = name_items(problems, options, options.task or str(spec.get("task", "")), "sample id")
    log.remarks += how
    limit = (header.get("plan") or {}).get("config", {}).get("max_tokens")
    for sample, item, task in zip(samples, items, tasks, strict=True):
        about = Reply(f"{path.name} sample {sample.get('id')} epoch {sample.get('epoch')}",
                      options.model or str(spec.get("model", "")), task, item, limit=limit)  # fmt: skip
        said = read_sample(sample, about, options.metric, counts=not padded, model=str(spec.get("model")))
        log.extend(Log([about], said))
    return log


def _number_runs(replies: Sequence[Reply]) -> None:
    """Let the samples of a second run of the same model and task follow those of the first."""
    runs: dict[tuple[str, str], dict[str, list[Reply]]] = defaultdict(lambda: defaultdict(list))
    for reply in replies:
        runs[reply.model, reply.task][reply.where.split(" sample ")[0]].append(reply)
    for by_run in runs.values():
        first = 0
        for run in by_run.values():
            for reply in run:
                reply.sample = first + (reply.sample or 0)
            first = 1 + max(reply.sample or 0 for reply in run)
