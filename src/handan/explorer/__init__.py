"""The explorer: a page of the book on which a reader looks at every item of every study.

`evidence` computes what the page says of one recorded study, `tiny_traces` lets the packaged
tiny models work through the items, and `show` puts the page's data into a notebook. Its script
(``book/static/theme/explorer.js``) draws and filters; it computes no result.
"""

from handan.explorer.evidence import Evidence, evidence, evidence_of, table
from handan.explorer.page import show
from handan.explorer.samples import Samples, tiny_traces

__all__ = ["Evidence", "Samples", "evidence", "evidence_of", "show", "table", "tiny_traces"]
