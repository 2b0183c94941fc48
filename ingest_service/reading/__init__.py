"""From bytes to blocks, seen from the service: what is read in which reading process, and what is kept of it."""
