"""Draw the README's figure: how closely teachers, students and bases follow difficulty, with verdicts.

Every number is computed from the recorded studies, in the way of ``handan claims``. The picture
keeps a hash of its numbers, its alternative text and its caption, so that a test can tell whether
it still shows what the data say.

Usage: python scripts/readme_figure.py [PICTURE]
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.drawing import ROLE_MARKERS, role_colours, style
from handan.figures_claims import LOOKS
from handan.formats import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURE = Path(__file__).resolve().parents[1] / "book/static/theme/main.png"
ROLES = {"teacher": "teachers", "student": "students", "baseline": "baselines"}
CONDITIONS = {"teacher": "teacher", "student-matched": "student", "base": "baseline"}
VERDICTS = {"collapse": "Students below\nown teacher?", "negative-transfer": "Students below\ntrue base?"}
PUBLISHED = {"teachers-align": "teacher", "students-align": "student"}
# From what was measured with a clock to what a language model judged.
MEASURES = {
    "pnas-r1": "response times",
    "organism (carry)": "response times; tiny models",
    "organism (equal)": "response times; tiny models",
    "gpqa-minutes": "minutes reported by experts",
    "mip-math": "levels given by people",
    "mip-gsm8k": "steps of a human solution",
    "pretrained-bases": "steps and levels",
    "pm-bench": "grades by a language model",
}


@dataclass(frozen=True)
class Numbers:
    """What the picture shows.

    Attributes
    ----------
    levels : DataFrame
        A row per study × role: ``study, role, r, low, high``.
    verdicts : DataFrame
        A row per study × claim: ``study, claim, ours, low, high, verdict``.
    published : dict of str to float
        The paper's mean r by role.
    """

    levels: pd.DataFrame
    verdicts: pd.DataFrame
    published: dict[str, float]

    @property
    def digest(self) -> str:
        """SHA-256 of the numbers as they are printed, to two digits."""
        tables = [table.round(2).to_dict("records") for table in (self.levels, self.verdicts)]
        return hashlib.sha256(json.dumps([*tables, self.published]).encode()).hexdigest()


def compute() -> Numbers:
    """Compute the numbers from the recorded studies and the packaged families; takes some seconds."""
    from handan.battery import Sizes, battery
    from handan.findings.claims import claims
    from handan.findings.ledger import ledger
    from handan.gather import gather

    given, sizes = gather(), Sizes()
    steps = ("alignment", "collapse", "transfer")
    found = battery(given.inputs, given.lineage, given.families, sizes, only=steps, jobs=1)
    judged = claims(found.tables, found.facts, n_boot=sizes.n_boot).rows
    judged = judged[judged["claim"].isin(VERDICTS)]
    columns = ["study", "claim", "ours", "low", "high", "verdict"]
    said = {PUBLISHED[one.name]: float(one.paper) for one in ledger() if one.name in PUBLISHED}
    return Numbers(_levels(found.tables), judged[columns].reset_index(drop=True), said)


def _levels(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    means = tables["means"].rename(columns={"group": "role", "mean_r": "r"})
    tiny = tables["families_conditions"].query("task == 'all'").copy()
    tiny = tiny[tiny["condition"].isin(CONDITIONS)]
    tiny["study"] = tiny["study"] + " (" + tiny["repertoire"] + ")"
    tiny["role"] = tiny["condition"].map(CONDITIONS)
    # where a seed's cost never varies, r counts as 0, as in the ledger
    tiny = tiny.drop(columns=["r", "low", "high"])
    tiny = tiny.rename(columns={"r_or_zero": "r", "zero_low": "low", "zero_high": "high"})
    both = pd.concat([means, tiny])[["study", "role", "r", "low", "high"]]
    if unknown := set(both["study"]) ^ set(MEASURES):
        raise LookupError(f"MEASURES in {__file__} does not fit the studies: {', '.join(sorted(unknown))}")
    order = [list(MEASURES).index(study) for study in both["study"]]
    kept = both.assign(order=order)[both["role"].isin(ROLES)]
    return kept.sort_values("order", kind="stable").drop(columns="order").reset_index(drop=True)


def draw(numbers: Numbers) -> Figure:
    """Draw the levels of r at the left and the verdicts on their differences at the right."""
    import matplotlib.pyplot as plt

    with plt.rc_context({**style(), "font.size": 10, "axes.labelsize": 10, "xtick.labelsize": 9.5}):
        fig = plt.figure(figsize=(8, 5.5), facecolor="white")
        left = fig.add_axes((0.232, 0.09, 0.4, 0.765))
        right = fig.add_axes((0.645, 0.09, 0.35, 0.765), sharey=left)
    for axes in (left, right):
        for row in range(0, len(MEASURES), 2):
            axes.axhspan(row - 0.5, row + 0.5, color="0.955", linewidth=0, zorder=-1)
    _draw_levels(left, numbers)
    _draw_verdicts(right, numbers.verdicts)
    left.set_ylim(len(MEASURES) - 0.5, -0.5)
    return fig


def _draw_levels(axes: Axes, numbers: Numbers) -> None:
    colours, rows = role_colours(), list(MEASURES)
    for k, (role, name) in enumerate(ROLES.items()):
        part = numbers.levels[numbers.levels["role"] == role]
        heights = [rows.index(study) + 0.24 * (k - 1) for study in part["study"]]
        error = [part["r"] - part["low"], part["high"] - part["r"]]
        look = dict(fmt=ROLE_MARKERS[role], color=colours[role], markersize=6.5, linewidth=1.7, label=name)
        axes.errorbar(part["r"], heights, xerr=error, **look)
    for role, r in numbers.published.items():
        axes.axvline(r, color=colours[role], linewidth=1.3, linestyle=(0, (5, 3)), zorder=0)
        side = "left" if r == max(numbers.published.values()) else "right"
        said = f"the paper's\n{ROLES[role]}: {r:.2f}"
        axes.annotate(said, (r, 1.0), (9 if side == "left" else -9, 3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="center", va="bottom", fontsize=9.5)  # fmt: skip
    axes.axvline(0, color="0.6", linewidth=0.9, zorder=0)
    axes.set(xlim=(-0.2, 0.92), xlabel="mean r of log tokens with difficulty, 95 % interval")
    axes.set_yticks(range(len(rows)), [""] * len(rows))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for row, (study, measure) in enumerate(MEASURES.items()):
        _label(axes, row, study, measure)
    look = dict(frameon=False, fontsize=10, labelspacing=0.35, handletextpad=0.4)
    axes.figure.legend(
        *axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0.0, 0.995), **look
    )


def _label(axes: Axes, row: int, study: str, measure: str) -> None:
    """Name a line: the study, and below it what stands for difficulty."""
    place = dict(xycoords=("axes fraction", "data"), textcoords="offset points", ha="right")
    axes.annotate(study, (0, row), (-6, 1), va="bottom", fontsize=10, weight="bold", **place)
    axes.annotate(measure, (0, row), (-6, -1), va="top", fontsize=8.6, color="0.3", **place)


def _draw_verdicts(axes: Axes, verdicts: pd.DataFrame) -> None:
    import seaborn as sns

    palette, rows = sns.color_palette("colorblind"), list(MEASURES)
    for k, (claim, title) in enumerate(VERDICTS.items()):
        axes.annotate(title, (k + 0.04, 1.0), (0, 3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", va="bottom", fontsize=10, weight="bold")  # fmt: skip
        part = verdicts[verdicts["claim"] == claim].set_index("study")
        for row, study in enumerate(rows):
            if study not in part.index:
                axes.annotate("no such pair", (k + 0.04, row), va="center", fontsize=9, color="0.5")
                continue
            one = part.loc[study]
            colour, marker = LOOKS[one["verdict"]]
            axes.plot(k + 0.09, row - 0.16, marker, color=palette[colour], markersize=8, markeredgewidth=2.5)
            axes.annotate(one["verdict"], (k + 0.175, row - 0.16), va="center", fontsize=10, weight="bold")
            said = interval(one["ours"], one["low"], one["high"])
            axes.annotate(said, (k + 0.04, row + 0.21), va="center", fontsize=8.8, color="0.3")
    axes.set(xlim=(0, 2), xticks=[])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(axis="y", length=0)


def caption(numbers: Numbers) -> str:
    """Say what the picture found, in Markdown."""
    counts = {claim: _counts(numbers, claim) for claim in VERDICTS}
    said = numbers.published
    return (
        f"**What we find.** The paper reports that teachers follow human difficulty at a mean r of "
        f"{said['teacher']:.2f} and their students at {said['student']:.2f}. Students below their own "
        f"teacher: {counts['collapse']}. Students below the checkpoint they were made from: "
        f"{counts['negative-transfer']}. Left: means over the models of a role. Right: differences within "
        "matched pairs, teacher − student and student − base, with 95 % intervals. Under the name of a study "
        "stands what difficulty is there: times of people at the top, grades by a language model at the "
        "bottom. The organism, our own tiny models, is there twice: once for each repertoire of its bases."
    )


def alt_text(numbers: Numbers) -> str:
    """Say what the picture shows, for somebody who cannot see it."""
    lines = []
    for study, part in numbers.levels.groupby("study", sort=False):
        means = part.set_index("role")["r"]
        levels = ", ".join(f"{name} {means[role]:.2f}" for role, name in ROLES.items() if role in means.index)
        judged = numbers.verdicts[numbers.verdicts["study"] == study].set_index("claim")["verdict"]
        names = {"collapse": "collapse", "negative-transfer": "negative transfer"}
        told = [f"{names[claim]} {judged[claim]}" for claim in names if claim in judged.index]
        lines.append(f"{study}: {'; '.join([levels, *told])}")
    return f"Mean correlation of tokens with difficulty by study and role, with verdicts. {'. '.join(lines)}."


def _counts(numbers: Numbers, claim: str) -> str:
    found = numbers.verdicts.loc[numbers.verdicts["claim"] == claim, "verdict"].value_counts()
    parts = [f"{verdict} {found.get(verdict, 0)}" for verdict in LOOKS]
    return ", ".join(parts)


def save(fig: Figure, path: Path, metadata: dict[str, str], dpi: int = 200) -> None:
    """Write a picture with few colours and its metadata; matplotlib's own files are three times as large."""
    from io import BytesIO

    from PIL import Image, PngImagePlugin

    drawn = BytesIO()
    fig.savefig(drawn, format="png", dpi=dpi, facecolor=fig.get_facecolor())
    drawn.seek(0)
    about = PngImagePlugin.PngInfo()
    for name, text in metadata.items():
        about.add_itxt(name, text)
    picture: Any = Image.open(drawn).convert("RGB").quantize(128)
    picture.save(path, optimize=True, pnginfo=about, dpi=(dpi, dpi))


def main(picture: Path = PICTURE) -> None:
    """Draw, write, and print the Markdown that shows the picture."""
    numbers = compute()
    alt, said = alt_text(numbers), caption(numbers)
    save(draw(numbers), picture, {"Numbers": numbers.digest, "Description": alt, "Caption": said})
    print(f"![{alt}](book/static/theme/{picture.name})\n\n{said}")


if __name__ == "__main__":
    import matplotlib as mpl

    mpl.use("Agg")
    main(*map(Path, sys.argv[1:]))
