"""HTML, Markdown, and what pandoc makes HTML of."""
