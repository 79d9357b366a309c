"""Keys that name parameters, such as `welcome:{user_id}`, filled from a call's own arguments."""

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rotulus._text.names import LONGEST_KEY, check_key, did_you_mean
from rotulus.errors import OptionError


@dataclass(frozen=True)
class KeyTemplate:
    """A key with parameter names in braces.

    Args:
        text: the key; `{name}` stands for the value of a parameter, `{{` for a brace.
        option: the option it was given as, for messages.

    Raises:
        OptionError: the braces do not match, or hold more than a name.
    """

    text: str
    option: str = "key"
    _names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_key(self.text, self.option)
        try:
            parts = list(string.Formatter().parse(self.text))
        except ValueError as error:
            raise OptionError(f"{self.option}={self.text!r} is not allowed: {error}") from None
        for _, name, form, conversion in parts:
            if name is not None and (not name.isidentifier() or form or conversion):
                raise OptionError(
                    f"{self.option}={self.text!r} is not allowed: braces hold the name of a "
                    f"parameter and nothing else"
                )
        names = frozenset(name for _, name, _, _ in parts if name)
        object.__setattr__(self, "_names", names)

    def __str__(self) -> str:
        """Returns the key as it was written."""
        return self.text

    def check(self, parameters: Collection[str]) -> None:
        """Raise `OptionError` unless each name is one of these parameters."""
        for name in sorted(self._names - set(parameters)):
            raise OptionError(
                f"{self.option}={self.text!r} names {name!r}, which is not a parameter of the "
                f"task{did_you_mean(name, parameters)}"
            )

    def fill(self, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
        """The key of one call. Raises `OptionError` when it is too long or not printable."""
        filled = {name: values.get(name, defaults.get(name)) for name in self._names}
        try:
            return check_key(self.text.format_map(filled), self.option)
        except OptionError:
            raise OptionError(
                f"{self.option}={self.text!r} cannot be filled from this call: a key is printable "
                f"text of 1 to {LONGEST_KEY} characters"
            ) from None
