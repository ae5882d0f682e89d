"""Forms that change something: each carries a word that only a page of the same session knows."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

FIELD = "csrf"
MOST_BYTES = 65_536
MOST_FIELDS = 100


def csrf_token(request: Request) -> str:
    """Return the word for the hidden field `csrf` of a form on this visitor's page."""
    return str(request.state.sessions.confirmation(request.state.session))


def check_csrf(request: Request, given: str) -> None:
    """Raise HTTPException with status 403 for a word that is not this session's."""
    if not request.state.sessions.is_confirmed(request.state.session, given):
        raise HTTPException(403, "this page is too old to act from; load it again")


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, each once; HTTPException for what is no small form."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "this form is too large; send less")
    try:
        return dict(parse_qsl(body.decode(), True, True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "this is not a form; send one as a browser does") from None


async def read_confirmed_form(request: Request) -> dict[str, str]:
    """Return the fields of a form whose word is this session's, without the word."""
    form = await read_form(request)
    check_csrf(request, form.pop(FIELD, ""))
    return form
