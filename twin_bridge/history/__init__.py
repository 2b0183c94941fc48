"""What the bridge remembers: the last known state of each lamp, and how it came about."""
