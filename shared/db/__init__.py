"""The relational database: one engine, one migration history, rows that carry owner and time."""
