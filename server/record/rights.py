"""Who may do what: one table, for every kind of room. `general`, which everyone is in, stands for the whole server."""

from enum import IntEnum, auto
from typing import Final, Literal

from server.protocol.frames import RoleName


class Role(IntEnum):
    """How someone stands in a room; in `general`: on the server. Each may do what those below may."""

    STRANGER = 0
    INVITED = 1
    GUEST = 2
    """In it, without an account."""
    MEMBER = 3
    """In it, with an account."""
    MODERATOR = 4
    ADMIN = 5
    OWNER = 6
    """Of a room: who made it, account or not."""


ROLES: Final[dict[RoleName, Role]] = {
    "guest": Role.GUEST,
    "member": Role.MEMBER,
    "moderator": Role.MODERATOR,
    "admin": Role.ADMIN,
    "owner": Role.OWNER,
}
"""By the names they have on the wire."""

NAMES: Final[dict[Role, RoleName]] = {role: name for name, role in ROLES.items()}


class Act(IntEnum):
    """Something that can be done in a room, or in `general` on the server."""

    ENTER = auto()
    LEAVE = auto()
    """Of the invited: decline."""
    READ = auto()
    SAY = auto()
    SAY_ALWAYS = auto()
    """Also where it is read-only, and as often as one likes in slow mode."""
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
    PACE = auto()
    """Slow mode, read-only."""
    KEEP = auto()
    """How long messages are kept."""
    INVITE = auto()
    REVOKE = auto()
    """An own invitation."""
    REVOKE_OTHERS = auto()
    KICK = auto()
    BAN = auto()
    SILENCE = auto()
    APPOINT = auto()
    """Below one's own role; an owner makes owners, too."""
    REPORT = auto()
    SEE_BANS = auto()
    SEE_AUDIT = auto()
    # Of the server alone.
    MAKE = auto()
    """A room."""
    MAKE_DIRECT = auto()
    BAN_RANGE = auto()
    SEE_REPORTS = auto()
    """And settle them."""
    SEE_ACCOUNTS = auto()
    GIVE_TICKETS = auto()
    SET = auto()
    """How the server takes people."""
    ERASE_OTHERS = auto()


Sort = Literal["general", "public", "private", "direct"]
"""The kinds of rooms, and the one that everyone is in."""

_SORTS: Final[tuple[Sort, ...]] = ("general", "public", "private", "direct")
_S, _I, _G, _M, _A, _O = Role.STRANGER, Role.INVITED, Role.GUEST, Role.MODERATOR, Role.ADMIN, Role.OWNER
_NOBODY = None

LEAST: Final[dict[Act, dict[Sort, Role | None]]] = {
    act: dict(zip(_SORTS, roles, strict=True))
    for act, roles in {
        #                   general  public   private  direct
        Act.ENTER:         (_G,      _S,      _I,      _G),
        Act.LEAVE:         (_NOBODY, _I,      _I,      _NOBODY),
        Act.READ:          (_G,      _G,      _G,      _G),
        Act.SAY:           (_G,      _G,      _G,      _G),
        Act.SAY_ALWAYS:    (_M,      _M,      _M,      _NOBODY),
        Act.CALL_ALL:      (_M,      _M,      _G,      _G),
        Act.EDIT:          (_G,      _G,      _G,      _G),
        Act.DELETE:        (_G,      _G,      _G,      _G),
        Act.DELETE_OTHERS: (_M,      _M,      _M,      _NOBODY),
        Act.REACT:         (_G,      _G,      _G,      _G),
        Act.PIN:           (_G,      _G,      _G,      _G),
        Act.TOPIC:         (_G,      _G,      _G,      _NOBODY),
        Act.RENAME:        (_A,      _A,      _A,      _NOBODY),
        Act.ARCHIVE:       (_NOBODY, _A,      _A,      _NOBODY),
        Act.PACE:          (_M,      _M,      _M,      _NOBODY),
        Act.KEEP:          (_O,      _O,      _O,      _NOBODY),
        Act.INVITE:        (_NOBODY, _G,      _G,      _NOBODY),
        Act.REVOKE:        (_NOBODY, _G,      _G,      _NOBODY),
        Act.REVOKE_OTHERS: (_NOBODY, _M,      _M,      _NOBODY),
        Act.KICK:          (_M,      _M,      _M,      _NOBODY),
        Act.BAN:           (_M,      _M,      _M,      _NOBODY),
        Act.SILENCE:       (_M,      _M,      _M,      _NOBODY),
        Act.APPOINT:       (_A,      _A,      _A,      _NOBODY),
        Act.REPORT:        (_G,      _G,      _G,      _G),
        Act.SEE_BANS:      (_M,      _M,      _M,      _NOBODY),
        Act.SEE_AUDIT:     (_A,      _A,      _A,      _NOBODY),
        Act.MAKE:          (_G,      _NOBODY, _NOBODY, _NOBODY),
        Act.MAKE_DIRECT:   (_G,      _NOBODY, _NOBODY, _NOBODY),
        Act.BAN_RANGE:     (_A,      _NOBODY, _NOBODY, _NOBODY),
        Act.SEE_REPORTS:   (_M,      _NOBODY, _NOBODY, _NOBODY),
        Act.SEE_ACCOUNTS:  (_M,      _NOBODY, _NOBODY, _NOBODY),
        Act.GIVE_TICKETS:  (_A,      _NOBODY, _NOBODY, _NOBODY),
        Act.SET:           (_A,      _NOBODY, _NOBODY, _NOBODY),
        Act.ERASE_OTHERS:  (_O,      _NOBODY, _NOBODY, _NOBODY),
    }.items()
}  # fmt: skip
"""The least role that may; None where nobody may. What only members may know of stays unknown to others."""

ON_PEOPLE: Final = frozenset({Act.KICK, Act.BAN, Act.SILENCE, Act.APPOINT})
"""What is done to somebody: only to those of a lower role. An owner may appoint other owners, and nobody can be put out
of a room by somebody who is below them on the server."""

WHEN_ARCHIVED: Final = frozenset(
    {
        Act.ENTER, Act.LEAVE, Act.READ, Act.ARCHIVE, Act.REVOKE, Act.REVOKE_OTHERS, Act.KEEP, Act.KICK, Act.BAN,
        Act.SILENCE, Act.APPOINT, Act.REPORT, Act.DELETE, Act.DELETE_OTHERS, Act.SEE_BANS, Act.SEE_AUDIT,
    }
)  # fmt: skip
"""What is still done in a room that is archived."""

WHEN_SILENCED: Final = frozenset({Act.ENTER, Act.LEAVE, Act.READ, Act.DELETE, Act.REPORT, Act.REVOKE})
"""What is still done by someone who was silenced there, or on the server."""


def may(role: Role, act: Act, sort: Sort) -> bool:
    """Say whether someone in this role may."""
    least = LEAST[act][sort]
    return least is not None and role >= least
