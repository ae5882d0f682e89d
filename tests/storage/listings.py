"""The statements of SQL that the documentation gives its readers."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def statements(page: str, word: str) -> list[str]:
    """Read the statements of a page's listings in SQL that have this word."""
    listings = re.findall(r"^```sql\n(.*?)^```", (DOCS / page).read_text(), re.M | re.DOTALL)
    each = [statement.strip() for listing in listings for statement in listing.split(";")]
    return [statement for statement in each if word in statement]
