"""Writing the answer from passages: by a language model, or from the documents' own sentences."""
