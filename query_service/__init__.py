"""Questions in, answers with proof out. Start reading at `ask.py`."""
