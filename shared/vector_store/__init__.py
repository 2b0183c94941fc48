"""The vector store port and its adapters: Qdrant Edge in process, a Qdrant server by `qdrant-client`."""
