"""The wire contract of both programs. No I/O; the standard library and msgspec only."""
