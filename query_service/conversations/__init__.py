"""What was said: conversations and their messages, kept, and what later questions take from them."""
