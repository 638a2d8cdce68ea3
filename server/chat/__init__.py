"""The rules of the chat. No sockets, no SQL: `ports` declares what the rest implements."""
