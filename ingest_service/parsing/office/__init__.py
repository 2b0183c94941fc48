"""Word, slides and sheets, today's and legacy ones."""
