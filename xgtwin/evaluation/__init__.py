"""Measuring the product on question sets (`xgtwin eval`). Start reading at `run.py`; sets: docs/evaluation.md."""
