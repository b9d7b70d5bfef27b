import base64
from io import BytesIO

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image

from handan.course import expected
from handan.course.answers import make_record
from handan.course.expected import Picture


def png(pixels):
    out = BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(out, format="PNG")
    return out.getvalue()


def line(width=900, thickness=6, row=150, height=300):
    pixels = np.full((height, width, 3), 255)
    pixels[row : row + thickness] = 30
    return png(pixels)


def inside(markdown):
    return Image.open(BytesIO(base64.b64decode(markdown.split("base64,")[1].split(")")[0])))


def test_wide_pictures_are_made_narrower_and_narrow_ones_are_not():
    wide = inside(expected.markdown(Picture(line(900), "", ""), "1.1", None))
    assert wide.size == (640, 213)
    assert inside(expected.markdown(Picture(line(300), "", ""), "1.1", None)).size == (300, 300)
    assert np.asarray(wide.convert("L")).min() < 60


def test_a_picture_on_no_ground_is_put_on_white():
    clear = np.zeros((40, 60, 4))
    shown = inside(expected.markdown(Picture(png(clear), "", ""), "1.1", None))
    assert (np.asarray(shown.convert("L")) == 255).all()


def test_words_of_others_stay_words():
    text = expected.markdown(Picture(line(), "a ](x) <b> $y$ `z`", "*so* <script> [l](u)"), "1.1", None)
    assert r"![a \](x) \<b\> \$y\$ \`z\`](data:image" in text
    assert text.endswith(r"\*so\* \<script\> \[l\](u)")


@pytest.mark.parametrize(
    ("answer", "telling", "silent"),
    [
        (
            0.456,
            ["r = 0.46", "about 0.456.", "from 0.46, to 1", "46 %", "45.6% of"],
            ["r = 0.64", "49 %", "46", ""],
        ),
        (-0.5, ["it is −0.50", "it is -0.5"], ["it is 0.5"]),
        (12408, ["12,408 tokens", "12408"], ["12,409", "1, 2"]),
        (3, ["3, 4 and 5", "n = 3"], ["30", "three"]),
        ("QwQ-32B", ["best is QwQ-32B.", "(qwq-32b)"], ["QwQ-32", "R1"]),
        ("negative transfer", ["a Negative  transfer, then"], ["no transfer"]),
        (True, [], ["yes", "True"]),
    ],
)
def test_an_answer_is_seen_in_a_caption(answer, telling, silent):
    record = make_record("1.1", answer, hint="-", wrong={}, digits=2, points=1)
    for text in telling:
        shown = expected.markdown(Picture(line(), text, text), "1.1", record)
        assert shown.endswith(")")
        assert "![Figure of exercise 1.1]" in shown
    for text in silent:
        assert expected.markdown(Picture(line(), "an alt", text), "1.1", record).endswith(text or ")")


def test_figures_are_found_as_the_book_and_as_jupyter_show_them():
    source = base64.b64encode(line()).decode()
    html = (
        f'<figure><img src="data:image/png;base64,{source}" alt="a &amp; b" width="9">'
        "<figcaption><strong>Figure 3.</strong> It &lt;rises&gt;.</figcaption></figure>"
    )
    shown = expected.picture(new_code_cell(outputs=[new_output("display_data", {"text/html": html})]))
    assert shown == Picture(line(), "a & b", "It <rises>.")
    plain = expected.picture(
        new_code_cell(outputs=[new_output("display_data", {"image/png": source + "\n"})])
    )
    assert plain == Picture(line(), "", "")
    assert expected.picture(new_code_cell(outputs=[new_output("stream", text="no")])) is None


def test_a_picture_that_looks_the_same_stays_as_it_was():
    old = expected.markdown(Picture(line(), "a", "b"), "1.1", None)
    redrawn = expected.markdown(Picture(line(thickness=7), "a", "b"), "1.1", None)
    moved = expected.markdown(Picture(line(row=20), "a", "b"), "1.1", None)
    larger = expected.markdown(Picture(line(height=310), "a", "b"), "1.1", None)
    reworded = expected.markdown(Picture(line(), "a", "c"), "1.1", None)
    assert expected.steady(redrawn, old) == old
    for other in (moved, larger, reworded):
        assert expected.steady(other, old) == other
    assert expected.steady("no picture", old) == "no picture"
