"""Who may do what in a room: one table, for every kind of room."""

from enum import IntEnum, auto
from typing import Final, Literal


class Role(IntEnum):
    """How someone stands in a room. Each may do what those below may."""

    STRANGER = 0
    INVITED = 1
    MEMBER = 2
    OWNER = 3
    """Who made it."""


class Act(IntEnum):
    """Something that can be done in a room."""

    ENTER = auto()
    LEAVE = auto()
    """Of the invited: decline."""
    READ = auto()
    SAY = auto()
    CALL_ALL = auto()
    """Name everyone by `@here`."""
    EDIT = auto()
    """An own message."""
    DELETE = auto()
    """An own message."""
    DELETE_OTHERS = auto()
    REACT = auto()
    PIN = auto()
    TOPIC = auto()
    RENAME = auto()
    ARCHIVE = auto()
    INVITE = auto()
    REVOKE = auto()
    """An own invitation."""
    REVOKE_OTHERS = auto()


Sort = Literal["general", "public", "private", "direct"]
"""The kinds of rooms, and the one that everyone is in: it has no owner."""

_SORTS: Final[tuple[Sort, ...]] = ("general", "public", "private", "direct")
_S, _I, _M, _O, _NOBODY = Role.STRANGER, Role.INVITED, Role.MEMBER, Role.OWNER, None

LEAST: Final[dict[Act, dict[Sort, Role | None]]] = {
    act: dict(zip(_SORTS, roles, strict=True))
    for act, roles in {
        #                   general  public   private  direct
        Act.ENTER:         (_M,      _S,      _I,      _M),
        Act.LEAVE:         (_NOBODY, _I,      _I,      _NOBODY),
        Act.READ:          (_M,      _M,      _M,      _M),
        Act.SAY:           (_M,      _M,      _M,      _M),
        Act.CALL_ALL:      (_NOBODY, _O,      _M,      _M),
        Act.EDIT:          (_M,      _M,      _M,      _M),
        Act.DELETE:        (_M,      _M,      _M,      _M),
        Act.DELETE_OTHERS: (_NOBODY, _O,      _O,      _NOBODY),
        Act.REACT:         (_M,      _M,      _M,      _M),
        Act.PIN:           (_M,      _M,      _M,      _M),
        Act.TOPIC:         (_M,      _M,      _M,      _NOBODY),
        Act.RENAME:        (_NOBODY, _O,      _O,      _NOBODY),
        Act.ARCHIVE:       (_NOBODY, _O,      _O,      _NOBODY),
        Act.INVITE:        (_NOBODY, _M,      _M,      _NOBODY),
        Act.REVOKE:        (_NOBODY, _M,      _M,      _NOBODY),
        Act.REVOKE_OTHERS: (_NOBODY, _O,      _O,      _NOBODY),
    }.items()
}  # fmt: skip
"""The least role that may; None where nobody may. What only members may know of stays unknown to others."""

WHEN_ARCHIVED: Final = frozenset({Act.ENTER, Act.LEAVE, Act.READ, Act.ARCHIVE, Act.REVOKE, Act.REVOKE_OTHERS})
"""What is still done in a room that is archived."""


def may(role: Role, act: Act, sort: Sort) -> bool:
    """Say whether someone in this role may."""
    least = LEAST[act][sort]
    return least is not None and role >= least
