"""Who asks, for which organization, and what they may do."""
