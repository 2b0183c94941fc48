"""What a document is: how it arrives, changes, is found in the catalogue and goes."""
