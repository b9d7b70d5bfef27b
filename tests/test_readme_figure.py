"""The README's figure and the card still show what the data say."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def scripts(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "scripts")
        import readme_figure
        import social_card

        yield readme_figure, social_card


@pytest.fixture(scope="module")
def numbers(scripts):
    return scripts[0].compute()


@pytest.fixture(scope="module")
def theme(root):
    return root / "book/static/theme"


def test_the_picture_was_drawn_from_these_numbers(scripts, numbers, theme):
    with Image.open(theme / "main.png") as picture:
        assert picture.text["Numbers"] == numbers.digest, "run python scripts/readme_figure.py"
        assert picture.text["Description"] == scripts[0].alt_text(numbers)
        assert picture.text["Caption"] == scripts[0].caption(numbers)
        assert picture.size[0] == 1600  # twice the width at which the README shows it
    assert (theme / "main.png").stat().st_size < 200_000


def test_the_card_was_drawn_from_these_numbers(scripts, numbers, theme):
    with Image.open(theme / "card.png") as picture:
        assert picture.text["Numbers"] == numbers.digest, "run python scripts/social_card.py"
        assert picture.text["Description"] == scripts[1].alt_text(numbers)
        assert picture.size == (1200, 630)
    with Image.open(theme / "apple-touch-icon.png") as picture:
        assert picture.size == (180, 180)
        assert picture.mode == "RGB"  # a phone would paint transparency black


def test_the_readme_shows_it_with_its_own_words(scripts, numbers, root):
    shown = re.search(r"!\[(.*?)\]\(book/static/theme/main\.png\)\s+(.*)", (root / "README.md").read_text())
    assert shown[1] == scripts[0].alt_text(numbers)
    assert shown[2].strip() == scripts[0].caption(numbers)


def test_the_numbers_are_those_of_the_chapters(numbers):
    """Against values that other tests compute in another way: the mean of the six correlations."""
    from handan.costs import load_study
    from handan.findings.join import join

    study = load_study("pnas-r1")
    wides = [wide for _, _, wide in join(study.costs, study.norms).tasks()]
    mean = np.mean([np.corrcoef(wide["DeepSeek-R1"], wide["human"])[0, 1] for wide in wides])
    levels = numbers.levels.set_index(["study", "role"])
    assert levels.at[("pnas-r1", "teacher"), "r"] == pytest.approx(mean)
    assert (levels["low"] < levels["r"]).all()
    assert (levels["r"] < levels["high"]).all()
    assert numbers.published == {"teacher": 0.64, "student": 0.34}


def test_every_verdict_is_drawn_with_its_word(scripts, numbers):
    figure = scripts[0].draw(numbers)
    words = [text.get_text() for text in figure.axes[1].texts]
    for verdict, count in numbers.verdicts["verdict"].value_counts().items():
        assert words.count(verdict) == count
    places = len(scripts[0].MEASURES) * len(scripts[0].VERDICTS)
    assert words.count("no such pair") == places - len(numbers.verdicts)


def test_nothing_is_cut_off_or_tiny(scripts, numbers):
    for picture, smallest in ((scripts[0].draw(numbers), 8.5), (scripts[1].draw(numbers), 16)):
        picture.canvas.draw()
        page = picture.bbox
        texts = [text for axes in picture.axes for text in axes.texts if text.get_text()]
        assert texts
        for text in texts:
            box = text.get_window_extent()
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1
            assert inside, text.get_text()
            assert text.get_fontsize() >= smallest, text.get_text()


def test_no_words_lie_on_marks_or_on_other_words(scripts, numbers):
    for picture in (scripts[0].draw(numbers), scripts[1].draw(numbers)):
        picture.canvas.draw()
        boxes = [
            (text.get_text(), text.get_window_extent())
            for axes in picture.axes
            for text in axes.texts
            if text.get_text()
        ]
        marks = [
            ("a mark", line.get_window_extent())
            for axes in picture.axes
            for line in axes.lines
            if line.get_marker() not in ("None", "", None) and line.get_linestyle() == "None"
        ]
        for k, (words, box) in enumerate(boxes):
            for other, second in boxes[k + 1 :] + marks:
                assert not box.overlaps(second), (words, other)


def test_another_number_is_another_hash(numbers):
    changed = numbers.levels.assign(r=numbers.levels["r"] + 0.02)
    assert dataclasses.replace(numbers, levels=changed).digest != numbers.digest
    same = numbers.levels.assign(r=numbers.levels["r"] + 1e-9)
    assert dataclasses.replace(numbers, levels=same).digest == numbers.digest


def test_an_unknown_study_is_named(scripts, numbers):
    means = pd.DataFrame([dict(study="new-study", group="teacher", mean_r=0.5, low=0.4, high=0.6)])
    tiny = pd.DataFrame(columns=["study", "task", "repertoire", "condition", "r", "low", "high",
                                 "r_or_zero", "zero_low", "zero_high"])  # fmt: skip
    with pytest.raises(LookupError, match="new-study"):
        scripts[0]._levels({"means": means, "families_conditions": tiny})
