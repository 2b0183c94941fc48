"""Work on documents: the ledger, whose turn it is, and what becomes of a run."""
