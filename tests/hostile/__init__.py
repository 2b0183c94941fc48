"""Files made to break, slow down or fool a reader: each case is one function that makes the bytes."""
