"""Text recognition by Tesseract."""
