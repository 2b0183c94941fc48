"""The HTTP routes: shapes in, the story, shapes out."""
