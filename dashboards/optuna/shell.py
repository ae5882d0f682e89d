"""The one HTML of all of optuna-dashboard's pages, with our stylesheet and a link back to ours."""

from importlib.metadata import distribution
from pathlib import Path

FILES = "/dashboard/static"
# (its own text, ours)
REPLACED = (
    ('src="/static/bundle.js"', f'src="{FILES}/bundle.js"'),
    (
        "</head>",
        f'<link rel="stylesheet" href="{FILES}/optuna.css">'
        f'<link rel="icon" href="{FILES}/favicon.ico"></head>',
    ),
    ("<title>Optuna Dashboard</title>", "<title>Optuna · search</title>"),
    ("</body>", '<a id="to-search" href="/">← search</a></body>'),
)


def shell() -> str:
    """Return optuna-dashboard's page, changed so that it only reads and leads back.

    Raises ValueError where another release of optuna-dashboard has another page.
    """
    page = distribution("optuna-dashboard").locate_file("optuna_dashboard/index.html")
    html = Path(str(page)).read_text(encoding="utf-8")  # found without its imports, 1.5 s
    for theirs, ours in REPLACED:
        if html.count(theirs) != 1:
            raise ValueError(f"optuna-dashboard's page has no {theirs}; read its index.html again")
        html = html.replace(theirs, ours)
    return html
