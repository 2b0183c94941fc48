"""An installation's state taken elsewhere: the database copied, everything in one file, and that file put back."""
