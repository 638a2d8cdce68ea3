"""Spares the first paint what Textual loads for the sake of one name."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_TYPES = "textual.types"


class _Names(ModuleType):
    """Stands for `textual.types`, which loads a dozen widgets to have the names of what belongs to them."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever that module holds
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            from textual import _types

            return getattr(_types, name)
        except (ImportError, AttributeError):  # it belongs to a widget, or Textual is another: then the real one
            sys.modules.pop(_TYPES, None)
            from textual import types

            return getattr(types, name)


@contextmanager
def without_widgets() -> Iterator[None]:
    """Have what is imported meanwhile take the names of `textual.types` from where they are defined.

    Textual's command palette needs one of them, for its annotations. Whoever imports the module later gets it whole.
    """
    if _TYPES in sys.modules:
        yield
        return
    names = sys.modules[_TYPES] = _Names(_TYPES)
    try:
        yield
    finally:
        if sys.modules.get(_TYPES) is names:
            del sys.modules[_TYPES]
