"""The sections of a report, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from handan.findings.claims import VERDICTS, tally
from handan.lineage import NOT_PLACED, OTHER_SETTINGS, set_apart
from handan.report.catalogue import OTHER, Part, placed
from handan.report.columns import Look
from handan.report.compose import Composer, Picture
from handan.report.method import PAPER, method
from handan.report.pictures import pictures, verdicts
from handan.report.summary import gaps, lines, paragraph, verdict_table
from handan.report.words import few

if TYPE_CHECKING:
    from handan.report.material import Material

_VERDICTS = {
    "title": "claim", "study": "study", "paper": "paper says", "ours": "we got [95 %]", "verdict": "verdict",
    "on_edge": "on the edge", "selected": "compared", "certainty": "claim is", "n_items": "items",
    "ceiling": "ceiling", "truncated": "cut",
}  # fmt: skip
# With more studies than that, verdicts are counted instead of listed.
FEW = 3
_TALLY = {"title": "claim", **{name: name for name in VERDICTS}, "studies": "verdicts"}
_FACTS = {
    "study": "study", "measure": "measure", "n_models": "models", "n_tasks": "tasks", "n_items": "items",
    "n_rows": "cost rows used", "excluded": "left out", "ceiling": "ceiling", "truncated": "cut",
}  # fmt: skip
_TASKS = {
    "study": "study", "task": "task", "models": "models", "items": "items used",
    "no_norm": "items without norm or cost", "no_cost": "norms never asked",
    "reliability": "reliability", "ceiling": "ceiling",
}  # fmt: skip
_MODELS = {
    "study": "study", "model": "model", "role": "role", "items": "items", "rows": "cost rows", "used": "used",
    "failed": "failed", "zero": "cost 0", "missing": "no cost", "cut": "cut", "correct": "correct",
    "mean_cost": "mean cost", "teacher": "teacher", "base": "base", "sibling": "instruct sibling",
}  # fmt: skip


def compose(material: Material) -> Composer:
    """Lay out every section.

    Parameters
    ----------
    material : Material
        Everything that a report shows.
    """
    page = Composer(redundant=("study",) if len(material.studies) == 1 else ())
    _verdicts(page, material)
    _data(page, material)
    for part, names in placed(material.battery.tables):
        missed = any(one.startswith(part.starts) for one in material.battery.skipped["finding"])
        if names or (missed and part is not OTHER):
            _findings(page, material, part, names)
    _gaps(page, material)
    _method(page, material)
    _again(page, material)
    return page


def _verdicts(page: Composer, material: Material) -> None:
    page.section("Verdicts")
    page.say(paragraph(material.claims, material.studies), "lead")
    rows = material.claims.rows
    if len(material.studies) <= FEW:
        page.items(lines(material.claims))
    if rows.empty:
        return
    page.picture(verdicts(rows))
    caption = (
        "The paper says, we got. Intervals are 95 %, from resampled items; cut is the share of cut traces."
    )
    if len(material.studies) > FEW:
        page.table(tally(rows), "Verdicts by claim, counted over studies.", seen=Look(_TALLY, {}))
    page.table(verdict_table(material.claims), caption, seen=Look(_VERDICTS, {"ours": ("low", "high")}))


def _data(page: Composer, material: Material) -> None:
    page.section("Data card")
    page.table(material.battery.facts, "The studies.", seen=Look(_FACTS, {}))
    page.table(material.tasks, "Tasks, and items on both sides.", seen=Look(_TASKS, {}))
    page.table(material.models, f"Models. Cost is {material.cost}.", seen=Look(_MODELS, {}))
    page.heading("What takes no part")
    _apart(page, material.models)
    if material.left_out.empty:
        page.say("No cost row was left out.")
    page.table(material.left_out, "Cost rows that could not be used, by reason.")
    page.heading("Files")
    page.table(material.files, "Files that were read.")
    for card in material.cards:
        page.heading(card["title"])
        page.say(f"{card['cite']} Licence: {card['licence']}.")
        page.items(card["caveats"])


def _apart(page: Composer, models: pd.DataFrame) -> None:
    """Say which models are never compared, and why."""
    words = {NOT_PLACED: "Without a place in the lineage", OTHER_SETTINGS: "Made under other settings"}
    apart = set_apart(dict(zip(models["model"], models["role"], strict=True)))
    for why, names in apart.items():
        page.say(f"{words[why]}, and so never compared: {few(names, 40)}.")
    if not apart:
        page.say("Every model has a place in the lineage.")


def _findings(page: Composer, material: Material, part: Part, names: Sequence[str]) -> None:
    page.section(part.title)
    page.say(part.about)
    tables = {name: material.battery.tables[name] for name in names}
    if all(frame.empty for frame in tables.values()):
        page.say("Nothing could be computed here from these data; the section on gaps says why.")
    for name, frame in tables.items():
        for drawn in pictures(name, material.battery.tables):
            page.picture(drawn) if isinstance(drawn, Picture) else page.say(drawn, "note")
        shown = part.shown(name)
        page.table(frame, shown.caption, shown.columns, most=shown.most)
        if "sentence" in frame and shown.sentences:
            page.items(str(text) for text in frame["sentence"].dropna() if text)


def _gaps(page: Composer, material: Material) -> None:
    page.section("Gaps: what could not be computed, and why")
    silent, skipped = gaps(material.claims), material.battery.skipped
    empty = [name for name, frame in material.battery.tables.items() if frame.empty]
    page.table(silent, "Claims that cannot be judged.", seen=Look(_headed(silent), {}))
    page.table(skipped, "Findings that a study does not support.", seen=Look(_headed(skipped), {}))
    if empty:
        page.say(f"Computed, and without a row: {', '.join(empty)}.")
    if material.battery.remarks:
        page.say("Remarks on the input:")
        page.items(material.battery.remarks)
    if silent.empty and skipped.empty and not empty:
        page.say("Every finding was computed for every study, and every claim judged.")


def _method(page: Composer, material: Material) -> None:
    page.section("Method in short")
    page.items(method(material.cost, material.battery.sizes))


def _again(page: Composer, material: Material) -> None:
    page.section("Versions, citation, and how to repeat this")
    page.facts(material.software.items())
    page.say("The command:")
    page.code(material.command or "(made from Python: handan.report)")
    page.say(f"The paper whose claims are tested: {PAPER}")
    version = material.software.get("handan", "")
    page.say(
        f"This page: The handan authors. handan {version}: a literate reproduction of that paper. Cite "
        "both, and the sources of the data."
    )


def _headed(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(name) for name in frame}
