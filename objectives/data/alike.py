"""Names that are equal to the eye and different to the machine."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# Letters of other alphabets, after case folding, with the Latin letters that look like them.
CYRILLIC = dict(zip("авекмнорстухіјѕһ", "abekmhopctyxijsh", strict=True))
GREEK = dict(zip("αεικνορτυχ", "aeikvoptyx", strict=True))
QUOTES = {**dict.fromkeys("‘’ʼ′`´", "'"), **dict.fromkeys("“”″", '"')}
LOOKALIKES = str.maketrans({**CYRILLIC, **GREEK, **QUOTES, "ı": "i", "\u0307": ""})

MINUS = "−"
NEGATIVE = re.compile(r"(?<!\S)-(?=\d)")
SEPARATORS = re.compile(r"-+")
BETWEEN_LETTERS = re.compile(r"(?<!\d)-|-(?!\d)")
LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
ZERO_FRACTION = re.compile(r"(?<![\d.,])(\d+)(?:\.0+|,0{1,2})(?![\d.,])")


def as_read(name: str) -> str:
    """Return a key that is equal for names that a person reads as one.

    Names are equal up to Unicode form, case, letters of other alphabets that look alike, invisible
    characters, leading zeros, a fraction of zero (0 and 0.0), and the kind and number of spaces,
    hyphens and underscores. Between two digits a separator keeps its place: 1-2 is not 12. The sign
    of a number stays, too.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    text = "".join(map(_visible, folded.translate(LOOKALIKES))).strip()
    text = NEGATIVE.sub(MINUS, text)
    text = SEPARATORS.sub("-", re.sub(r"[\s_]", "-", text)).strip("-")
    return ZERO_FRACTION.sub(r"\1", LEADING_ZEROS.sub("", BETWEEN_LETTERS.sub("", text)))


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the sets of different names that a person reads as one, in order of appearance."""
    spellings: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name in names:
        spellings[as_read(name)][name] = None
    return [tuple(each) for each in spellings.values() if len(each) > 1]


def _visible(character: str) -> str:
    """Return a space for any space, a hyphen for any dash, and nothing for what cannot be seen."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Pd" or character == MINUS:
        return "-"
    is_selector = "\ufe00" <= character <= "\ufe0f"  # chooses the form of the character before it
    return "" if category in ("Cc", "Cf") or is_selector else character
