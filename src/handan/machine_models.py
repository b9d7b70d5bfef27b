"""Which models of the lineage a machine holds: computed from their shapes, for one answer of full length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pandas as pd

from handan.lineage import load_lineage, paper_design
from handan.profiles import Hardware, profile
from handan.tables import packaged, read_table
from handan.traces.budget import Machine, Shape, machines, paper_shapes, shape_of, stated
from handan.traces.choose import Kind, Options
from handan.traces.models import TINY, tiny

MAX_NEW_TOKENS = 8192
PROMPT = 512  # tokens, more than any problem of the bank takes
# A card with room for fewer answers side by side spends its time on reading weights: hours become days.
_SIDE_BY_SIDE = 8
# Their owner wants a licence accepted before anything can be downloaded.
_ASKS_FIRST = "meta-llama/"


def cards() -> dict[str, Machine]:
    """Machines that a profile can rest on, by name: those of the plan, and Colab's own cards.

    Where both have a name, it means Colab's: its A100 has half the memory of the plan's.
    """
    return {**machines(), **{name: Machine(**entry) for name, entry in stated()["cards"].items()}}


def fitting(hardware: Hardware, max_new_tokens: int = MAX_NEW_TOKENS) -> pd.DataFrame:
    """Say of every model whose shape is known whether the hardware holds it with one full answer.

    Parameters
    ----------
    hardware : Hardware
        The GPUs.
    max_new_tokens : int
        Longest answer; its cache must fit beside the weights.

    Returns
    -------
    DataFrame
        A row per model: ``model, role, params, disk`` (bytes to download), ``memory`` (bytes of
        weights and the cache of one answer), ``gpus`` (of this kind, for one copy), ``room``
        (for enough answers side by side), ``asks_first`` (a licence must be accepted before
        the download), ``fits``.
    """
    lineage, context = _lineage().set_index("model"), max_new_tokens + PROMPT
    endless = replace(machine_of(hardware), gpus=2**20)
    rows = [
        {
            "model": model,
            "role": lineage.at[model, "role"],
            "params": shape.params,
            "disk": shapes()[model].weights,
            "memory": shape.memory(1, context),
            "gpus": endless.gpus_per_copy(shape, context),
            "room": machine_of(hardware).gpus_per_copy(shape, _SIDE_BY_SIDE * context) is not None,
            "asks_first": str(lineage.at[model, "hf_id"]).startswith(_ASKS_FIRST),
        }
        for model, shape in shapes(hardware.dtype).items()
    ]
    table = pd.DataFrame(rows)
    return table.assign(fits=table["gpus"] <= hardware.gpus)


def family(hardware: Hardware, max_new_tokens: int = MAX_NEW_TOKENS) -> tuple[str, ...]:
    """Choose the largest student that has room, with its base and sibling, and a teacher if one fits.

    Families whose weights can't be downloaded by everybody are passed over. A student's own
    teacher is preferred; where it doesn't fit, the largest other one that does is taken.

    Parameters
    ----------
    hardware, max_new_tokens
        As for `fitting`.

    Returns
    -------
    tuple of str
        Teacher (if any), student, base, sibling; nothing where no student fits.
    """
    table = fitting(hardware, max_new_tokens)
    table = table[table["fits"] & ~table["asks_first"]]
    roomy = set(table.loc[table["room"], "model"])
    students = _students().sort_values("params", ascending=False, kind="stable")
    for student in students.itertuples():
        relatives = [name for name in (student.base, student.sibling) if pd.notna(name)]
        if roomy.issuperset([student.model, *relatives]):
            return (*_teacher(student.teacher, table), student.model, *relatives)
    return ()


def chosen(hardware: Hardware | None) -> tuple[str, ...]:
    """Choose the models of a profile.

    Parameters
    ----------
    hardware : Hardware or None
        Without any, or where no student fits, the tiny family of the package is taken.

    Returns
    -------
    tuple of str
        A teacher where one fits, a student, its base, and its sibling where it has one.
    """
    return (family(hardware) if hardware else ()) or tiny_family()


def planned(names: Sequence[str], max_new_tokens: int = MAX_NEW_TOKENS) -> pd.DataFrame:
    """List what profiles ask.

    Parameters
    ----------
    names : sequence of str
        Profiles.
    max_new_tokens : int
        Longest answer.

    Returns
    -------
    DataFrame
        A row per profile: ``profile, gpus, each`` (bytes of one GPU), ``models`` (their names),
        ``largest`` (bytes that the largest model takes). NaN where there is no GPU.
    """
    rows = []
    for one in map(profile, names):
        row = {"profile": one.name, "gpus": 0, "models": ", ".join(one.models)}
        if one.hardware:
            memory = fitting(one.hardware, max_new_tokens).set_index("model")["memory"]
            row |= {"gpus": one.hardware.gpus, "each": one.hardware.memory}
            row |= {"largest": memory[list(one.models)].max()}
        rows.append(row)
    return pd.DataFrame(rows, columns=["profile", "gpus", "each", "models", "largest"])


def options(model: str, hardware: Hardware | None) -> Options:
    """Choose the engine for a model: on several GPUs Ray with vLLM, else transformers.

    Parameters
    ----------
    model : str
        Name in the lineage; what is unknown is taken to need one GPU.
    hardware : Hardware or None
        The GPUs.
    """
    if hardware is None or hardware.gpus == 1:
        return Options()
    table = fitting(hardware).set_index("model")
    group = int(table.at[model, "gpus"]) if model in table.index else 1
    return Options(Kind.RAY, gpus=group, actors=max(1, hardware.gpus // group), inner=Kind.VLLM)


def tiny_family() -> tuple[str, ...]:
    """Teacher, student and base of the family that comes with the package."""
    table = tiny_lineage()
    here = table[table["model"].isin(tiny()) & (table["base"] == TINY)]
    student = here[here["role"] == "student"].iloc[0]
    return student["teacher"], student["model"], student["base"]


def tiny_lineage() -> pd.DataFrame:
    """Lineage of the tiny models of all families."""
    return read_table(packaged("organism/lineage.csv"))


@cache
def shapes(dtype: str = "bfloat16") -> dict[str, Shape]:
    """Shape of every model of the paper, of its true base, and of the teachers of known families.

    Fine-tuning leaves a shape as it was, so a base has the shape of its student.

    Parameters
    ----------
    dtype : str
        Number format of the weights.
    """
    lineage = load_lineage().set_index("model")
    known = paper_shapes(dtype)
    for student in _students().itertuples():
        params = float(lineage.at[student.base, "params"])
        known.setdefault(student.base, replace(known[student.model], params=params, active=params))
    for teacher in lineage[lineage["role"] == "teacher"].itertuples():
        if pd.notna(teacher.base) and teacher.base in stated()["shapes"]:
            known.setdefault(teacher.Index, shape_of(teacher.base, float(teacher.params), dtype))
    return known


def machine_of(hardware: Hardware) -> Machine:
    """Describe hardware as a machine: the speed of its card, the size that it really has."""
    card = cards()[hardware.card]
    return replace(card, gpus=hardware.gpus, memory=hardware.memory)


@cache
def _students() -> pd.DataFrame:
    lineage = _lineage()
    papers = set(paper_design()["model"])
    return lineage[(lineage["role"] == "student") & lineage["model"].isin(papers)]


@cache
def _lineage() -> pd.DataFrame:
    return load_lineage()


def _teacher(own: str, usable: pd.DataFrame) -> list[str]:
    teachers = usable[usable["role"] == "teacher"].sort_values("params", ascending=False, kind="stable")
    return [own] if own in set(teachers["model"]) else teachers["model"].tolist()[:1]
