"""The one durable log: what is acknowledged has reached the disk."""
