"""Sockets: from bytes to lines, and back."""
