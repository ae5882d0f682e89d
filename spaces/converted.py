"""Dataclass fields that accept a list from the author of a study and hold a tuple or a space."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Given = TypeVar("Given", contravariant=True)
Held = TypeVar("Held", covariant=True)


class Converted(Generic[Given, Held]):
    """A dataclass field that converts each value on its way in; see "Descriptor-typed fields" of
    the `dataclasses` documentation.

    convert: makes the value that the field holds.
    default: the field's default, already converted; without one the field is required.
    """

    def __init__(self, convert: Callable[[Given], Held], **default: Held) -> None:
        self._convert = convert
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Held:
        if instance is not None:
            held: Held = instance.__dict__[self._name]
            return held
        if "default" not in self._default:  # this is how dataclass learns that it is required
            raise AttributeError(self._name)
        return self._default["default"]

    def __set__(self, instance: Any, value: Given) -> None:
        instance.__dict__[self._name] = self._convert(value)
