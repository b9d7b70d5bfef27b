"""The page itself: one HTML file that runs nothing and fetches nothing."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from handan.report.words import html

if TYPE_CHECKING:
    from handan.report.compose import Composer
    from handan.report.material import Material

# No script, no frame, no form, no font and no picture from anywhere: the page is all there is.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def document(material: Material, composed: Composer, json_name: str) -> str:
    """Write the HTML document.

    Parameters
    ----------
    material : Material
        Gives title and date.
    composed : Composer
        The sections.
    json_name : str
        Name of the JSON file that lies beside the page.
    """
    style = files("handan.report").joinpath("style.css").read_text(encoding="utf-8")
    when = material.made.strftime("%d %B %Y, %H:%M UTC").lstrip("0")
    contents = "".join(
        f'<li><a href="#{anchor}">{html(title)}</a></li>' for anchor, title in composed.contents
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{html(material.title)}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdicts</a>
<header>
<h1>{html(material.title)}</h1>
<p class="note">{html(when)} · handan {html(material.software.get("handan", ""))} · all tables in full:
{html(json_name)}, beside this page</p>
</header>
<nav aria-label="Contents"><h2>Contents</h2><ol>{contents}</ol></nav>
<main id="main" tabindex="-1">
{composed.body}
</main>
</body>
</html>
"""
