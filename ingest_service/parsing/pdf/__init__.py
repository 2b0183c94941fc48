"""PDF: layout by liteparse, raw text and rasters by pdfium, and the mending of both."""
