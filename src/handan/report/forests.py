"""Figures of estimates with intervals: a line per row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handan import figures, figures_claims
from handan.formats import number
from handan.report.compose import Picture
from handan.report.words import clean, labels

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 40
SHORTENED = " Names are shortened here; the table has them in full."
# What a table of pooled differences is about.
DIFFERENCES = {
    "collapse": "r of teachers minus r of students",
    "transfer": "r of students minus r of baselines",
    "advantage": "r of teachers minus r of baselines",
    "allocation": "likeness to the baseline minus likeness to the teacher (r)",
}


def alignment(name: str, frame: pd.DataFrame) -> Picture | None:
    """Draw r of every task and model of one study."""
    rows = frame[frame["r"].notna()]
    several = len(rows["task"].unique()) > 1
    names = rows["task"] + " – " + rows["model"] if several else rows["model"]
    look = dict(value="r", low="boot_low", high="boot_high", ceiling="ceiling")
    what = "r of log cost with the human measure"
    where = f"In {clean(rows['study'].iloc[0])}, of" if len(rows) else "Of"
    return _forest(rows, names, look, what, counted(rows, what, ("boot_low", "boot_high"), where=where))


def means(name: str, frame: pd.DataFrame) -> Picture | None:
    """Draw the mean r of every role and study."""
    rows = frame[frame["mean_r"].notna()]
    look = dict(value="mean_r", low="low", high="high", group="group")
    return _forest(rows, rows["study"], look, "mean r, by role", counted(rows, "the mean r of a role"))


def differences(name: str, frame: pd.DataFrame) -> Picture | None:
    """Draw pooled differences of r."""
    rows = frame[frame["difference"].notna()]
    what = DIFFERENCES.get(name, f"the difference in {name.replace('_', ' ')}")
    look = dict(value="difference", low="low", high="high", group=_group(rows))
    return _forest(rows, rows["study"], look, what, counted(rows, what))


def forms(name: str, frame: pd.DataFrame) -> Picture | None:
    """Draw whether the student's distribution of effort lies nearer to the teacher's."""
    rows = frame[frame["form"].notna()]
    what = "distance of the student minus that of the baseline (ln cost)"
    look = dict(value="form", low="form_low", high="form_high", group=_group(rows))
    return _forest(rows, rows["study"], look, what, counted(rows, what, ("form_low", "form_high")))


def multipliers(name: str, frame: pd.DataFrame) -> Picture | None:
    """Draw pooled multipliers."""
    from handan import figures_effort

    rows, ends = frame[frame["multiplier"] > 0], ("multiplier_low", "multiplier_high")
    if rows.empty:
        return None
    lines = rows.head(MOST_LINES)
    shown = lines.assign(label=drawable(lines["study"] + ", " + lines["relation"]))
    caption = counted(rows, "the multiplier", ends, level=1)
    fig = figures_effort.multipliers(shown, {"multiplier": "mean ratio (geometric)"})
    return Picture(fig, caption + _cut(rows), _alt(rows["multiplier"], "multipliers"))


def changes(name: str, frame: pd.DataFrame) -> Picture | None:
    """Draw the change of multipliers with difficulty, beside the band that counts as constant."""
    from handan import figures_effort
    from handan.findings.constancy import WITHIN

    rows = frame[frame["change"].notna() & (frame["change_low"] > 0)]
    if rows.empty:
        return None
    lines = rows.head(MOST_LINES)
    inside = int(((rows["change_low"] >= 1 / WITHIN) & (rows["change_high"] <= WITHIN)).sum())
    caption = counted(
        rows, "the change of the multiplier with difficulty", ("change_low", "change_high"), level=1
    )
    caption += f" {inside} within a factor of {WITHIN:.2f}, which counts as constant."
    fig = figures_effort.changes(lines.assign(label=drawable(lines["study"])), WITHIN)
    return Picture(fig, caption + _cut(rows), _alt(rows["change"], "factors per standard deviation"))


def counted(
    rows: pd.DataFrame,
    what: str,
    ends: tuple[str, str] = ("low", "high"),
    *,
    level: float = 0,
    where: str = "Of",
) -> str:
    """Say how many intervals lie above and below a value as a whole.

    Parameters
    ----------
    rows : DataFrame
        A row per interval.
    what : str
        What is estimated.
    ends : tuple of (str, str)
        Columns of the ends.
    level : float
        The value.
    where : str
        Beginning of the sentence.
    """
    above, below = int((rows[ends[0]] > level).sum()), int((rows[ends[1]] < level).sum())
    lines = f"{len(rows)} {plural('interval', len(rows))}"
    verb = "lies" if above == 1 else "lie"
    return f"{where} {lines} of {what} (95 %) {above} {verb} above {level:g} as a whole, {below} below."


def drawable(names: pd.Series) -> pd.Series:
    """Names as matplotlib shows them literally: it takes a pair of dollar signs for a formula."""
    return labels(names).map(figures_claims.literal)


def plural(word: str, n: int) -> str:
    """Give a word in the number that fits."""
    return word if n == 1 else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _forest(
    rows: pd.DataFrame, names: pd.Series, look: Mapping[str, Any], what: str, finding: str
) -> Picture | None:
    if rows.empty:
        return None
    given = names.head(MOST_LINES)
    shown = rows.head(MOST_LINES).assign(line=drawable(given))
    changed = SHORTENED if list(labels(given)) != list(given) else ""
    fig = figures.intervals(shown, label="line", xlabel=what, **look)
    return Picture(fig, finding + _cut(rows) + changed, _alt(rows[look["value"]], what))


def _group(rows: pd.DataFrame) -> str | None:
    return "relation" if "relation" in rows else None


def _cut(rows: pd.DataFrame) -> str:
    return f" The first {MOST_LINES} of {len(rows):,} lines." if len(rows) > MOST_LINES else ""


def _alt(values: pd.Series, what: str) -> str:
    n = len(values)
    ends = f"from {number(values.min())} to {number(values.max())}"
    return f"{n} {plural('estimate', n)} with 95 % intervals ({what}), {ends}."
