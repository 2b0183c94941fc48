"""Lamps: MQTT <-> state <-> WebSocket. Begin with relay.py."""
