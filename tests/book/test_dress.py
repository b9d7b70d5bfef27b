import re
import shutil

import nbformat
import pytest

from handan import address
from handan.book.dress import dress, launch_row
from handan.book.project import find_project

GLOSSARY = "# Glossary\n\n```{glossary}\nmean\n  The sum over the number.\n```\n"


@pytest.fixture
def project(copied):
    """The miniature book with a glossary, and one chapter that readers can open elsewhere."""
    (copied / "book/glossary.md").write_text(GLOSSARY)
    toc = copied / "book/_toc.yml"
    toc.write_text(toc.read_text() + "      - file: book/glossary\n")
    for path in (address.student("01_people"), address.instructor("01_people")):
        (copied / path).parent.mkdir(parents=True, exist_ok=True)
        (copied / path).write_text("{}")
    return find_project(copied)


def dressed(project, chapter="01_people"):
    return dress(nbformat.read(project.executed(chapter), as_version=4), project, chapter)


def shown(notebook):
    return [
        output.data["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]


def test_a_figure_links_to_the_line_of_the_cell_that_made_it(project):
    source = project.source("01_people").read_text().splitlines()
    figure, table = shown(dressed(project))[:2]
    for html, first, what in [
        (figure, "fig, ax = plt.subplots(figsize=(5, 3))", "figure"),
        (table, 'wide = pd.DataFrame({f"column_{i}": [i * 1.5, -i / 7, None] for i in range(12)})', "table"),
    ]:
        place = address.source("notebooks/01_people.py", source.index(first) + 1)
        assert html.count("handan-code") == 1
        assert f'href="{place}" title="the code that made this {what}"' in html
        assert re.search(r"handan-code.*?</a></figcaption>", html)


def test_html_of_others_is_left_alone(project):
    notebook = nbformat.read(project.executed("01_people"), as_version=4)
    html = '<div><figure class="handan-figure"><figcaption>a</figcaption></figure></div>'
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    assert html in shown(dress(notebook, project, "01_people"))


def test_a_chapter_links_to_its_copies_and_to_no_other_s(project):
    row = launch_row(project, "01_people")
    targets = re.findall(r'href="([^"]+)"( download)?', row)
    assert (address.colab(address.student("01_people")), "") in targets
    assert ("../course/student/01_people.ipynb", " download") in targets
    assert len(targets) > 3
    assert [target for target, _ in targets if "01_people" not in target] == []
    first = dressed(project).cells[0].source
    assert first.startswith(f"# People\n\n{row}")


def test_solutions_are_offered_where_there_are_exercises(project):
    assert "instructor" not in launch_row(project, "01_people")
    with project.source("01_people").open("a") as source:
        source.write('\n# %% tags=["solution"]\nx = 1\n')
    assert 'href="../course/instructor/01_people.ipynb" download' in launch_row(project, "01_people")


def test_what_is_not_in_the_tree_is_not_offered(project):
    row = launch_row(project, "02_costs")
    assert "colab" not in row
    assert "ipynb" not in row


def test_a_project_without_copies_and_slides_gets_no_row(book):
    shutil.rmtree(book / "book/static/slides")
    assert launch_row(find_project(book), "01_people") == ""


def test_the_first_mention_of_a_term_is_linked(project):
    text = "\n".join(cell.source for cell in dressed(project).cells if cell.cell_type == "markdown")
    assert "The {term}`mean` of $n$ values" in text
    assert text.count("{term}`mean`") == 1


def test_no_glossary_page_no_links(copied):
    text = "\n".join(cell.source for cell in dressed(find_project(copied)).cells)
    assert "{term}" not in text


@pytest.mark.parametrize(("width", "boxes"), [(640, 0), (900, 1)])
def test_only_a_wide_figure_gets_a_box_to_scroll_in(project, width, boxes):
    notebook = nbformat.read(project.executed("01_people"), as_version=4)
    html = f'<figure class="handan-figure"><img src="data:," alt="a" width="{width}" style=""><figcaption>b</figcaption></figure>'
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    changed = shown(dress(notebook, project, "01_people"))[0]
    assert (
        changed.count('<div class="handan-wide" role="region" tabindex="0" aria-label="A wide figure"><img ')
        == boxes
    )
    assert changed.count("<img ") == 1
