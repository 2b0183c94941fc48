"""E-mail with its attachments."""
