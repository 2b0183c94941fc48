"""The product killed at any moment of an ingestion, and what must be there after the restart."""
