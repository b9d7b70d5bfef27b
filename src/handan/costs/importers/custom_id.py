"""From the ``custom_id`` of a batch request to task, item and sample."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from handan.costs.importers.files import read_records, wrong_kind
from handan.costs.importers.reply import Options
from handan.norms import task, tasks
from handan.norms.bank import load_bank
from handan.traces.errors import ImportFormatError

Name = tuple[str, str, int | None]
_FIELDS = {"task": r"(?P<task>.+?)", "item": r"(?P<item>.+)", "sample": r"(?P<sample>\d+)"}


class Names:
    """Knows what the ids of a batch stand for.

    Parameters
    ----------
    known : mapping of str to (task, item, sample)
        Ids of the request file, empty without one.
    pattern : str or None
        For example ``{task}:{item}:{sample}``.
    task : str or None
        Task of the ids that say none.
    remarks : list of str
        What was said on the way.

    Raises
    ------
    ImportFormatError
        When the pattern makes no sense.
    """

    def __init__(
        self, known: Mapping[str, Name], pattern: str | None, task: str | None, remarks: list[str]
    ) -> None:
        self.known = known
        self.remarks = remarks
        self._pattern = None if pattern is None else _compiled(pattern)
        self._task = task
        self._unmatched: list[str] = []

    def of(self, custom_id: str) -> Name:
        """Name an id: by the request file, else by the pattern, else the id is the item.

        Raises
        ------
        ImportFormatError
            When nothing says which task it belongs to.
        """
        if custom_id in self.known:
            return self.known[custom_id]
        found = self._pattern.fullmatch(custom_id) if self._pattern else None
        fields = found.groupdict() if found else {}
        name = fields.get("task") or self._task
        if found is None:
            self._unmatched.append(custom_id)
        if name is None and self.known:
            raise ImportFormatError(
                f"custom_id {custom_id!r} is not in the request file: is it of another batch?"
            )
        if name is None:
            raise ImportFormatError(
                f"nothing says which task custom_id {custom_id!r} belongs to: name the request file "
                "(requests=), the shape of the ids (pattern='{task}:{item}:{sample}'), or the task (task=)"
            )
        return name, fields.get("item") or custom_id, int(fields["sample"]) if fields.get("sample") else None

    def unmatched(self) -> list[str]:
        """Remark on the ids that are taken as items, as nothing says more about them."""
        if not self._unmatched:
            return []
        return [
            f"{len(self._unmatched)} ids are taken as items as they are, for example {self._unmatched[0]!r}"
        ]


def naming(options: Options) -> Names:
    """Find out how the ids of a batch are to be read.

    Raises
    ------
    ImportFormatError
        When the request file or the pattern is none.
    """
    if options.requests is None:
        return Names({}, options.pattern, options.task, [])
    path = Path(options.requests)
    records, remarks = read_records(path)
    by_id = Names({}, options.pattern, options.task, [])
    known: dict[str, Name] = {}
    for _, record in records:
        body = record.get("body")
        if "custom_id" not in record or not isinstance(body, dict):
            raise wrong_kind(path, "requests", record)
        known[str(record["custom_id"])] = (
            _said(body) or _asked(body, options) or by_id.of(str(record["custom_id"]))
        )
    return Names(known, options.pattern, options.task, [*remarks, *by_id.unmatched()])


def _said(body: Mapping[str, Any]) -> Name | None:
    """Read the name that a request carries in its metadata."""
    about = body.get("metadata")
    if not isinstance(about, dict) or not {"task", "item"} <= about.keys():
        return None
    sample = str(about.get("sample", ""))
    return str(about["task"]), str(about["item"]), int(sample) if sample.isdecimal() else None


def _asked(body: Mapping[str, Any], options: Options) -> Name | None:
    """Recognise a problem of the item bank by its wording; several requests for it are its samples."""
    if options.pattern is not None:
        return None
    messages = body.get("messages")
    last = messages[-1].get("content") if isinstance(messages, list) and messages else body.get("prompt")
    found = _wordings().get(last) if isinstance(last, str) else None
    return None if found is None else (*found, None)


@cache
def _wordings() -> dict[str, tuple[str, str]]:
    bank = load_bank([name for name in tasks() if task(name).has_prompt])
    return {
        task(name).prompt(item): (name, item) for name, item in zip(bank["task"], bank["item"], strict=True)
    }


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w*)\}", pattern)
    names = parts[1::2]
    if "item" not in names or len(set(names)) < len(names) or not set(names) <= set(_FIELDS):
        raise ImportFormatError(
            f"the pattern {pattern!r} must hold {{item}} once, and may hold {{task}} and {{sample}} once"
        )
    pieces = [_FIELDS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(pieces), re.DOTALL)
