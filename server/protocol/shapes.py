"""What a field of a frame may hold, in a sentence for people."""

import re
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, inspect

from server.protocol import limits

_MISSING: Final = re.compile(r"missing required field `(\w+)`(?: - at `\$([\w.\[\]]*)`)?$")
_WRONG: Final = re.compile(r" - at `\$([\w.\[\]]+)`$")
_STEP: Final = re.compile(r"\.(\w+)|\[(?:\d+|\.\.\.)\]")


def explain(frame: type[Struct], error: str) -> str:
    """Return what is wrong with a frame: `slow is a whole number from 0 to 21600.`; empty where that is not known.

    Args:
        frame: its type.
        error: what msgspec says of it. Nothing that the frame holds gets into the sentence.
    """
    missing = _MISSING.search(error)
    if missing is not None:
        return f"{_dotted(missing[2] or '', missing[1])} is missing."
    wrong = _WRONG.search(error)
    kind: Any = _fields(frame)
    for step in _STEP.finditer(wrong[1]) if wrong is not None else ():
        kind = _inner(kind)
        if step[1] is None:
            kind = getattr(kind, "item_type", None)
        else:
            kind = next((field.type for field in getattr(kind, "fields", ()) if field.encode_name == step[1]), None)
    said = _said(kind)
    return f"{_dotted(wrong[1])} is {said}." if wrong is not None and said else ""


@lru_cache(256)
def _fields(frame: type[Struct]) -> inspect.Type:
    return inspect.type_info(frame)


def _dotted(path: str, field: str = "") -> str:
    """Return `$.resume.seq` as `resume.seq`, and `$.names[3]` as `each of names`."""
    name = f"{path}.{field}" if field else path
    name, item, _ = name.removeprefix(".").partition("[")
    return f"each of {name}" if item else name


def _inner(kind: Any) -> Any:  # noqa: ANN401 - one of msgspec's types
    """Return a type without the nothing that may stand in its place."""
    if isinstance(kind, inspect.UnionType):
        return next(inner for inner in kind.types if not isinstance(inner, inspect.NoneType))
    return kind


def _said(kind: Any) -> str:  # noqa: ANN401 - one of msgspec's types
    """Return what a value of a type is; empty where there are no words for it."""
    match _inner(kind):
        case inspect.IntType(ge=least, le=most):
            if least is None:
                return "a whole number"
            return f"a whole number from {least} {'on' if most in (None, limits.SAFE_INTEGER) else f'to {most}'}"
        case inspect.StrType(pattern=None, max_length=most):
            return "text" if most is None else f"text of at most {most} characters"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=words):
            return " or ".join((", ".join(map(str, words[:-1])), str(words[-1]))) if len(words) > 1 else str(words[0])
        case inspect.ListType(max_length=most):
            return "a list" if most is None else f"a list of at most {most}"
        case inspect.StructType():
            return "an object"
    return ""
