"""Documents that lie in a folder: events are hints, the scan is the truth."""
