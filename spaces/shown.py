"""A name as it can be shown in one line: what cannot be seen is written out."""


def shown(name: str) -> str:
    r"""Return a name with its line breaks, control and invisible characters as `\n`, `\u200b`."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )
