"""chat-tui: the chat in a terminal."""
