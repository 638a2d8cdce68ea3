"""Every bound of the wire, each with its reason. Sizes are bytes unless the name says otherwise."""

from typing import Final

LINE: Final = 64 * 1024
"""One frame, its newline included, in either direction: what one connection may make the other side hold."""

TEXT: Final = 16 * 1024
"""A message's text as it stands in JSON: a page of them still fits a line, and nobody reads more at once."""

NAME_CHARS: Final = 32
"""A nick, in characters: more than any grid shows, few enough for a line of notices."""

ROOM_CHARS: Final = 48
"""A room's handle, in characters."""

ROOMS: Final = 250
"""Rooms that one person may be in: their handles fit the one line of the welcome, whatever the alphabet."""

REF_CHARS: Final = 64
"""A request's `ref`: it is carried back as it came, so it is bounded; a UUID takes 36."""

REASON_CHARS: Final = 200
"""A reason given for leaving: one line on a wide terminal."""

SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8259, section 6)."""

PAGE: Final = 50
"""Messages in a page of history that names no limit: one screen, and a little more."""

PAGE_MOST: Final = 500
"""Messages in the largest page; pages are cut by LINE too."""

TOPIC_CHARS: Final = 200
"""A room's title or topic, in characters: more than a line shows."""

DIRECT: Final = 7
"""Others in one direct room: of more, a private room with a name is clearer."""

QUERY_CHARS: Final = 500
"""What is searched for, in characters."""

MENTIONS: Final = 50
"""People that one message names: of more, each is none."""

EMOJI: Final = 20
"""Different reactions to one message."""

REACTIONS: Final = 1000
"""All reactions to one message: with them it still fits a line."""

PEOPLE: Final = 400
"""People whose names are asked for at once: the answer fits a line, whatever the alphabet."""

WHO: Final = 200
"""Names in one answer to `who`: more than a screen shows; where they are long ones, as many as fit a line."""

UNREAD: Final = 1000
"""Unread messages of a room are counted up to here."""

VERSIONS: Final = 200
"""Times that one message is edited."""

DEVICE_CHARS: Final = 60
"""How a device is called, in characters."""

DEVICE_MINUTES: Final = 10
"""Minutes for which a code for another device is good: it is typed there at once."""

SECRET_CHARS: Final = 256
"""A password or code, in characters: more than any passphrase has, little enough to hash."""

PASSWORD_LEAST: Final = 8
"""Characters that a password has at least (NIST SP 800-63B, 5.1.1.2)."""

MINUTES: Final = 5_256_000
"""The longest ban that ends, in minutes: ten years."""

RANGE_CHARS: Final = 64
"""An address range, in characters: an IPv6 address has 45 at most."""

RANGES: Final = 1000
"""Address ranges that are kept out: each connection is compared with all of them."""

SLOW: Final = 21_600
"""Slow mode, in seconds between two messages: six hours."""

KEEP_DAYS: Final = 36_500
"""How long messages are kept at most where that is bounded at all, in days."""

TICKET_USES: Final = 1000
"""How often one ticket is good."""

TICKET_HOURS: Final = 8760
"""How long a ticket is good, in hours: a year."""

NAMES: Final = 5
"""Names that one account has had: all stay its own, so that nobody takes one over."""
