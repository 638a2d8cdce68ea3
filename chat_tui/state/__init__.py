"""What the screen shows, as plain data. No Textual."""
