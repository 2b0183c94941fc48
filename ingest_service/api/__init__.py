"""HTTP: routes, and the JSON they take and give."""
