"""Output of the OpenAI batch service and of ``vllm run-batch``, which has the same shape.

One line per request: ``custom_id``, and ``response.body`` with choices and usage, or an
error. Bodies of chat completions, of plain completions and of the responses interface are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handan.costs.importers.batch_body import read_body
from handan.costs.importers.custom_id import Names, naming
from handan.costs.importers.files import find_files, read_records, wrong_kind
from handan.costs.importers.reply import Log, Options, Reply, error_text

KIND = "openai-batch"


def read(path: str | Path | Sequence[str | Path], options: Options) -> Log:
    """Read batch output.

    Parameters
    ----------
    path : path, or several
        Output files, and files of errors, which the service gives apart.
    options : Options
        `model`, `task`, `requests`, `pattern`. With the request file, requests without
        any reply become rows too.

    Raises
    ------
    ImportFormatError
        When it is another kind of file, or nothing says which task a ``custom_id`` belongs to.
    """
    names = naming(options)
    log = Log(remarks=list(names.remarks))
    models: dict[str, None] = {}
    answered: set[str] = set()
    for file in find_files(path, ("*.jsonl", "*.jsonl.gz")):
        records, remarks = read_records(file)
        log.remarks += remarks
        for line, record in records:
            if "custom_id" not in record or not {"response", "error"} & record.keys():
                raise wrong_kind(file, KIND, record)
            replies, said = _replies(record, names, f"{file.name} line {line}")
            log.extend(Log(replies, said))
            answered.add(str(record["custom_id"]))
            models |= {reply.model: None for reply in replies if reply.model}
    log.replies += _unanswered(names, answered)
    _name_models(log, options.model, list(models))
    log.remarks += names.unmatched()
    return log


def _replies(record: Mapping[str, Any], names: Names, where: str) -> tuple[list[Reply], list[str]]:
    task, item, sample = names.of(str(record["custom_id"]))
    response = record.get("response") or {}
    body = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code") if isinstance(response, dict) else None
    about = Reply(where, "", task, item, sample)
    if record.get("error") or not isinstance(body, dict) or body.get("error") or (status or 200) >= 400:
        within = body.get("error") if isinstance(body, dict) else None
        about.error = f"{status or ''} {error_text(record.get('error') or within or 'no body')}".strip()
        return [about], []
    about.model = str(body.get("model") or "")
    return read_body(body, about)


def _unanswered(names: Names, answered: set[str]) -> list[Reply]:
    missing = [custom_id for custom_id in names.known if custom_id not in answered]
    return [
        Reply(f"request {custom_id}", "", *names.of(custom_id), error="no reply in the output of the batch")
        for custom_id in missing
    ]


def _name_models(log: Log, wanted: str | None, found: Sequence[str]) -> None:
    """Failed requests name no model: they get the one of the others, if there is one."""
    only = found[0] if len(found) == 1 else "unknown"
    for reply in log.replies:
        reply.model = wanted or reply.model or only
    if any(reply.model == "unknown" for reply in log.replies):
        log.remarks.append(
            "some replies don't say which model they are of: it is called unknown; name it with model="
        )
