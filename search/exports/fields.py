"""The fields of a file, read one by one: each must be there and of its type."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")
LARGEST_WHOLE = 2**63 - 1  # torch takes no larger seed


class UnusableField(ValueError):
    """A field that is missing or holds another type; `field` is its path, as `value.metric`."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Fields:
    """One mapping of a file. Every method raises UnusableField for a field it cannot return."""

    def __init__(self, plain: Any, path: str = "") -> None:
        """Take the mapping that stands at `path` in the file; "" is the whole file."""
        if not isinstance(plain, Mapping):
            raise UnusableField(path)
        self._plain, self._path = plain, path

    def text(self, name: str) -> str:
        """Return a string."""
        return self._typed(name, str)

    def optional_text(self, name: str) -> str | None:
        """Return a string, or None where the field holds null."""
        return None if self._value(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        return self._typed(name, bool)

    def whole(self, name: str) -> int:
        """Return a whole number."""
        value = self._typed(name, int)
        if abs(value) > LARGEST_WHOLE:
            raise UnusableField(self._place(name))
        return value

    def optional_number(self, name: str) -> float | None:
        """Return a number, or None where the field holds null."""
        return None if self._value(name) is None else self._number(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the strings of a list."""
        inside = self._items(name)
        return tuple(inside.text(each) for each in inside.names)

    def wholes(self, name: str) -> tuple[int, ...]:
        """Return the whole numbers of a list."""
        inside = self._items(name)
        return tuple(inside.whole(each) for each in inside.names)

    def numbers(self, *, without: str) -> dict[str, float]:
        """Return every field of this mapping but one; all are numbers."""
        return {name: self._number(name) for name in self.names if name != without}

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a mapping from strings as it is, its values not looked at."""
        plain = dict(self._typed(name, dict))
        if not all(isinstance(key, str) for key in plain):
            raise UnusableField(self._place(name))
        return plain

    def text_mapping(self, name: str) -> dict[str, str]:
        """Return a mapping whose values are strings."""
        inside = self.within(name)
        return {each: inside.text(each) for each in inside.names}

    def within(self, name: str) -> "Fields":
        """Return the fields of a mapping inside this one."""
        return Fields(self._value(name), self._place(name))

    def each(self, name: str) -> "list[Fields]":
        """Return the fields of every mapping in a list."""
        inside = self._items(name)
        return [inside.within(each) for each in inside.names]

    def has(self, name: str) -> bool:
        """Say whether there is such a field."""
        return name in self._plain

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields, in the order of the file."""
        return tuple(map(str, self._plain))

    def _items(self, name: str) -> "Fields":
        """Return a list as a mapping whose names are the positions: `value.epochs.0`."""
        items = enumerate(self._typed(name, list))
        return Fields({str(index): item for index, item in items}, self._place(name))

    def _number(self, name: str) -> float:
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, float | int):
            raise UnusableField(self._place(name))
        return value

    def _typed(self, name: str, kind: type[T]) -> T:
        value = self._value(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise UnusableField(self._place(name))
        return value

    def _value(self, name: str) -> Any:
        if name not in self._plain:
            raise UnusableField(self._place(name))
        return self._plain[name]

    def _place(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name
