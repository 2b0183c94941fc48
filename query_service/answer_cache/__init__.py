"""Answers that were given before, for the same question over the same documents."""
