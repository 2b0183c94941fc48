"""Lamps that are not there: the other end of the wire, played as the real makes speak.

No code is shared with the bridge's reading and writing of payloads, so that the two prove each other.
"""
