"""What all three HTTP services share: problem documents, request ids, limits, health and metrics pages."""
