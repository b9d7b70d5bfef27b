"""What models spent: recorded studies, and the token accounting of traces.

`load_study` gives a recorded study. `account` turns stored traces into a costs table, by
the rules of `handan.costs.tags`; `summarise` says what such a table holds, with regard to
traces that were cut; `handan.costs.wrong` counts as one should not.
"""

from handan.costs.account import account
from handan.costs.censoring import summarise
from handan.costs.decoder import Decoder, TokenizerError
from handan.costs.recorded import ORGANISM, Study, card, load_study, studies
from handan.costs.split import split_text
from handan.costs.tags import Tags

__all__ = [
    "ORGANISM",
    "Decoder",
    "Study",
    "Tags",
    "TokenizerError",
    "account",
    "card",
    "load_study",
    "split_text",
    "studies",
    "summarise",
]
