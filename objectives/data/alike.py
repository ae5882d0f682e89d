"""Names that are equal to the eye and different to the machine."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches

# Letters of other alphabets with the Latin letters that look like them: Greek capitals before case
# folding, since a small one looks like another letter, and the others after it.
CAPITALS = str.maketrans(dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)))
CYRILLIC = dict(zip("авекмнорстухіјѕһԁԛԝ", "abekmhopctyxijshdqw", strict=True))
GREEK = dict(zip("αεικνορτυχ", "aeikvoptyx", strict=True))
LATIN = {"ı": "i", "\u0307": "", "ɑ": "a", "ɡ": "g"}
QUOTES = {**dict.fromkeys("‘’ʼ′`´", "'"), **dict.fromkeys("“”″", '"')}
LOOKALIKES = str.maketrans({**CYRILLIC, **GREEK, **LATIN, **QUOTES})
# Drawn as nothing, and neither control nor format characters: fillers, joiners, selectors.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

MINUS = "−"
SIGN = re.compile(r"(?<!\S)-(?=\d)|(?<=[^\s_-])-(?!\S)")  # of -1, of the grade A- and of HER2-
SEPARATORS = re.compile(r"-+")
BETWEEN_LETTERS = re.compile(r"(?<!\d)-|-(?!\d)")
LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
DIGITS = re.compile(r"\d+")
LEAST_LIKE = 0.75  # of two names that one typo tells apart, as difflib measures
WORD = re.compile(r"[^\W_]+")
# Hexadecimal text is a code: without zeros, a05b1c and a5b01c would be equal.
CODE = re.compile(r"(?=.*\d)(?=.*[a-f].*\d.*[a-f]|.*\d.*[a-f].*\d)[\da-f]{6,}")
ZERO_FRACTION = re.compile(r"(?<![\d.,])(\d+)(?:\.0+|,0{1,2})(?![\d.,])")


def as_read(name: str) -> str:
    """Return a key that is equal for names that a person reads as one.

    Names are equal up to Unicode form, case, letters of other alphabets that look alike, invisible
    characters, leading zeros, a fraction of zero (0 and 0.0), and the kind and number of spaces,
    hyphens and underscores; and Ã¶ is ö that was read as Windows-1252. Between two digits a
    separator keeps its place: 1-2 is not 12. The sign of a number or a grade stays, and so does a
    hexadecimal code.
    """
    is_plain = name.isascii() and name.isprintable()
    text = SIGN.sub(MINUS, (name.casefold() if is_plain else _folded(name)).strip())
    text = WORD.sub(_without_zeros, text)
    text = SEPARATORS.sub("-", re.sub(r"[\s_]", "-", text)).strip("-")
    return BETWEEN_LETTERS.sub("", ZERO_FRACTION.sub(r"\1", text))


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the sets of different names that a person reads as one, in order of appearance."""
    spellings: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name in names:
        spellings[as_read(name)][name] = None
    return [tuple(each) for each in spellings.values() if len(each) > 1]


def merged(names: Sequence[str]) -> list[str]:
    """Replace each name by the most frequent of those that a person reads as one.

    Of equally frequent names the first in sorted order counts. An empty name stays empty.
    """
    counts = Counter(filter(None, names))
    usual: dict[str, str] = {}
    for each in alike(counts):
        usual |= dict.fromkeys(each, min(each, key=lambda name: (-counts[name], name)))
    return [usual.get(name, name) for name in names]


def closest(name: str, others: Sequence[str]) -> str:
    """Return the other name that this one may be a typo of; "" where there is none.

    Names that differ in their digits only are no typos: grade 4 and grade 5.
    """
    without = DIGITS.sub("", name)
    words = [each for each in others if not DIGITS.search(name) or DIGITS.sub("", each) != without]
    found = get_close_matches(name, words, 1, LEAST_LIKE)
    return found[0] if found else ""


def spelled(name: str) -> str:
    """Return a name in quotes, with the codes of characters that the eye may take for others."""
    quote = '"' if "'" in name else "'"
    shown = (each if _is_plain(each) else ascii(each)[1:-1] for each in name)
    return f"{quote}{''.join(shown)}{quote}"


def _is_plain(character: str) -> bool:
    """Whether the eye takes a character for no other: an ä is plain, a combining diaeresis not."""
    is_composed = unicodedata.normalize("NFKC", character) == character
    is_alone = is_composed and not unicodedata.combining(character)
    return character.isprintable() and is_alone and _folded(character) == character.casefold()


def _folded(name: str) -> str:
    """Return a name in small letters, each character in the form of those that look like it."""
    capitals = unicodedata.normalize("NFKC", _repaired(name)).translate(CAPITALS)
    folded = unicodedata.normalize("NFKC", capitals.casefold()).translate(LOOKALIKES)
    return "".join(map(_visible, INVISIBLE.sub("", folded)))


def _repaired(name: str) -> str:
    """Return a name that was UTF-8 and was read as Windows-1252 (Ã¶ for ö) as it was."""
    for encoding in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return name.encode(encoding).decode()
    return name


def _visible(character: str) -> str:
    """Return a space for any space, a hyphen for any dash, and nothing for what cannot be seen."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Pd" or character == MINUS:
        return "-"
    return "" if category in ("Cc", "Cf") else character


def _without_zeros(word: re.Match[str]) -> str:
    """Return a word without the zeros before its numbers, a code as it is."""
    text = word.group()
    before = word.string[: word.start()]
    if CODE.fullmatch(text) or before.endswith((".", ",")):
        return text
    return LEADING_ZEROS.sub("", text)
