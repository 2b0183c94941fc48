"""Pictures: decoding, rasters, marking a passage."""
