"""The chat server. Imports nothing by itself."""
