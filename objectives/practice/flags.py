"""The practice sets, and the dirt of real data that each can be given.

This module imports nothing, because the help of the command line reads it.
"""

# Each flag and its effect; the rule of `search check` that finds it stands in parentheses.
FLAGS = {
    "leak": "images of one patient stand in several given splits (C01)",
    "duplicates": "the same file once more, under another patient (C02)",
    "labels": "the same file once more, under another label (C02)",
    "near": "flipped and re-encoded copies under another patient (C03)",
    "missing": "files that the table names are missing (C04)",
    "unlisted": "files that the table does not name (C04)",
    "corrupt": "truncated and empty files (C05)",
    "16bit": "images of 16 bits a pixel (C06)",
    "modes": "grey, palette, transparent, CMYK and turned images (C07)",
    "hidden": "a hidden and an empty class folder (C08)",
    "names": "classes that differ by case or spaces (C09)",
    "site": "the site or the size of an image predicts its label (C11)",
    "huge": "one image of 10,001 x 10,001 pixels (C12)",
    "numbers": "ids as floats, decimal commas, the word NaN (C13)",
}
_OF_FILES = ("corrupt", "16bit", "modes", "huge")
_OF_COPIES = ("duplicates", "labels", "near")

SETS = {
    "gleason": ("leak", *_OF_COPIES, "site", *_OF_FILES),
    "derm": (
        "leak",
        *_OF_COPIES,
        "missing",
        "unlisted",
        "names",
        "site",
        "numbers",
        *_OF_FILES,
    ),
    "cifar10": _OF_COPIES,
    "anemia": ("leak", *_OF_COPIES, "hidden", "names", "site", *_OF_FILES),
    "brats": ("duplicates", "labels", "missing", "corrupt", "site"),
}


def dirt_help() -> str:
    """Write the part of the help that explains the flags and lists those of each set."""
    about = [f"  {flag:<11}{meaning}" for flag, meaning in FLAGS.items()]
    sets = [f"  {name:<11}{', '.join(flags)}" for name, flags in SETS.items()]
    return "\n".join(("dirt:", *about, "", "the faults that each set can have:", *sets))
