"""The host's shell: `chat-server user list` and the like, on a server that runs or one that does not."""
