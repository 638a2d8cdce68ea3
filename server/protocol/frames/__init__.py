"""The frames: what each line on the wire may say. docs/protocol.md describes them for people.

A struct's tag is its frame's `type`. Strings are bounded here only so far that a decoder can't be abused; what a name,
a room or a text may be is `server.protocol.text`'s.
"""

from server.protocol.frames.base import *  # noqa: F403 - one name for each frame: frames.Hello
from server.protocol.frames.client import *  # noqa: F403
from server.protocol.frames.server import *  # noqa: F403
