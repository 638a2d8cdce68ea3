"""What is read: the database file, its projections, and pages of history."""
