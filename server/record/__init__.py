"""What is so, by the log alone: its events, what they made, who may do what. No I/O, no clock, no settings."""
