"""Documents in: an API and a watched folder feed jobs; workers turn documents into searchable chunks."""
