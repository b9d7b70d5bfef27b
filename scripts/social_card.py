"""Draw the card that a link to the book shows elsewhere (1200 × 630), and the icon for home screens.

The verdicts on the card are those of the README's figure. The card keeps a hash of them.

Usage: python scripts/social_card.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from readme_figure import VERDICTS, Numbers, compute, save

from handan.drawing import style
from handan.figures_claims import LOOKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THEME = Path(__file__).resolve().parents[1] / "book/static/theme"
CARD, ICON = "card.png", "apple-touch-icon.png"
SIZE, ICON_SIZE = (1200, 630), 180
TITLE = "Mimicry or mastery?"
LINE = "Do reasoning models that learn by imitation keep\ntheir teacher's sense of when to think long?"
SOURCE = "An open reproduction of arXiv:2601.05019, with human response times"
QUESTIONS = {"collapse": "Below their own teacher?", "negative-transfer": "Below their own base?"}
# The logo: a teacher's steps rise with the problem; the student's keep the stride and lose the rise.
STEPS = {
    "#1f6f8b": [(14, 68), (34, 68), (34, 50), (54, 50), (54, 32), (74, 32), (74, 14)],
    "#d9822b": [(14, 80), (34, 80), (34, 68), (54, 68), (54, 75), (74, 75), (74, 63)],
}


def draw(numbers: Numbers) -> Figure:
    """Draw the card: title, question, and one mark per verdict."""
    import matplotlib.pyplot as plt

    with plt.rc_context(style()):
        fig = plt.figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), facecolor="white")
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, SIZE[0]), ylim=(SIZE[1], 0))
    axes.axis("off")
    axes.text(70, 118, TITLE, fontsize=50, weight="bold", va="center", color="0.1")
    axes.text(70, 228, LINE, fontsize=26, va="center", color="0.25", linespacing=1.35)
    _steps(axes, left=985, top=48, scale=1.75, width=10)
    for row, (claim, question) in enumerate(QUESTIONS.items()):
        axes.text(70, 362 + 108 * row, question, fontsize=22, weight="bold", va="center", color="0.1")
        _marks(axes, 362 + 108 * row, verdicts_of(numbers, claim))
    axes.text(70, 582, SOURCE, fontsize=19, va="center", color="0.35")
    return fig


def _marks(axes: Axes, height: float, verdicts: list[str]) -> None:
    """Draw a mark for each study, and say below each kind what it means."""
    import seaborn as sns

    palette, x = sns.color_palette("colorblind"), 622.0
    for verdict, (colour, marker) in LOOKS.items():
        count = verdicts.count(verdict)
        if not count:
            continue
        places = [x + 48 * k for k in range(count)]
        look = dict(color=palette[colour], markersize=25, markeredgewidth=5 if marker == "_" else 1)
        axes.plot(places, [height - 12] * count, marker, **look)
        axes.text(x - 17, height + 27, verdict, fontsize=17, va="center", color="0.2")
        x += max(48 * count, 13 * len(verdict)) + 26


def _steps(axes: Axes, left: float, top: float, scale: float, width: float) -> None:
    for colour, points in STEPS.items():
        x, y = zip(*points, strict=True)
        place = [left + scale * value for value in x], [top + scale * value for value in y]
        axes.plot(*place, color=colour, linewidth=width, solid_capstyle="round", solid_joinstyle="round")


def icon() -> Any:
    """Draw the icon: the logo's steps on white; the phone rounds the corners itself."""
    from PIL import Image, ImageDraw

    scale, fine = ICON_SIZE / 100, 4
    picture = Image.new("RGB", (ICON_SIZE * fine, ICON_SIZE * fine), "white")
    pen = ImageDraw.Draw(picture)
    width = round(9 * scale * fine)
    for colour, points in STEPS.items():
        line = [((x + 6) * scale * fine, (y + 3) * scale * fine) for x, y in points]
        pen.line(line, fill=colour, width=width, joint="curve")
        for x, y in (line[0], line[-1]):  # round ends
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)
    return picture.resize((ICON_SIZE, ICON_SIZE), Image.Resampling.LANCZOS)


def verdicts_of(numbers: Numbers, claim: str) -> list[str]:
    """List the verdicts on a claim, a study each."""
    return numbers.verdicts.loc[numbers.verdicts["claim"] == claim, "verdict"].tolist()


def alt_text(numbers: Numbers) -> str:
    """Say what the card shows."""
    said = []
    for claim, question in QUESTIONS.items():
        found = verdicts_of(numbers, claim)
        said.append(f"{question} " + ", ".join(f"{verdict} {found.count(verdict)}" for verdict in LOOKS))
    return f"{TITLE} {' '.join(LINE.split())} {'. '.join(said)}."


def main(folder: Path = THEME) -> None:
    """Draw and write both, and print the card's alternative text."""
    if set(QUESTIONS) != set(VERDICTS):
        raise LookupError(f"the card and the README's figure ask about different claims: {set(QUESTIONS)}")
    numbers = compute()
    alt = alt_text(numbers)
    save(draw(numbers), folder / CARD, {"Numbers": numbers.digest, "Description": alt}, dpi=100)
    icon().save(folder / ICON, optimize=True)
    print(alt)


if __name__ == "__main__":
    import matplotlib as mpl

    mpl.use("Agg")
    main(*map(Path, sys.argv[1:]))
