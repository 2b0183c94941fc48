"""How lamps of different makes speak MQTT: one port (protocol.py), one module per family."""
