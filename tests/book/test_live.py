"""The line that is written over, in a real kernel and without one."""

import nbformat
import pytest

from handan.book.live import Line


def test_without_a_notebook_every_text_is_printed(capsys):
    line = Line()
    line.write("1 of 2")
    line.write("2 of 2")
    assert capsys.readouterr().out == "1 of 2\n2 of 2\n"


def test_in_a_notebook_only_the_last_text_stays():
    nbclient = pytest.importorskip("nbclient")
    code = (
        "from handan.book.live import Line\nline = Line()\n"
        "for text in ('1 of 3', '2 of 3', '<b>3 of 3</b>'):\n    line.write(text)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    assert [dict(one.data) for one in outputs] == [{"text/plain": "<b>3 of 3</b>"}]
