"""The yardstick: a broadcast server as one writes it first, with asyncio streams, a write and a drain for each member.

It speaks just enough of the wire for the load of `benchmarks.load`. It keeps nothing, checks nothing and lets anyone
take any name: whatever it manages, it manages with less to do.
"""

import asyncio
import itertools
import json
from datetime import UTC, datetime
from typing import Any

Room = set[asyncio.StreamWriter]

rooms: dict[str, Room] = {"general": set()}
numbers = itertools.count(1)


async def tell(room: Room, frame: dict[str, Any]) -> None:
    """Write a frame to every member."""
    line = json.dumps(frame).encode() + b"\n"
    for member in list(room):
        member.write(line)
        await member.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Talk to one client until it leaves."""
    name, user = "", next(numbers)
    try:
        while line := await reader.readline():
            frame = json.loads(line)
            match frame["type"]:
                case "hello":
                    name = frame["name"]
                    welcome = {"type": "welcome", "name": name, "user": user, "session": "", "epoch": "", "seq": 0}
                    await tell({writer}, welcome)
                    await enter(rooms["general"], "general", name, writer)
                case "join":
                    handle = frame["room"]
                    await enter(rooms.setdefault(handle, set()), handle, name, writer)
                    await tell({writer}, {"type": "ok", "ref": frame["ref"]})
                case "send":
                    message = {"type": "message", "seq": next(numbers), "room": frame["room"], "id": frame["id"]}
                    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                    message |= {"user": user, "sender": name, "time": now, "text": frame["text"]}
                    await tell(rooms[frame["room"]], message)
    except ConnectionError:
        pass
    finally:
        for room in rooms.values():
            room.discard(writer)
        writer.close()


async def enter(room: Room, handle: str, name: str, writer: asyncio.StreamWriter) -> None:
    """Make someone a member and say so to all."""
    room.add(writer)
    await tell(room, {"type": "joined", "room": handle, "names": [name]})


async def main() -> None:
    """Listen at a free port, and say at which."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    print(f"Listening on 127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
