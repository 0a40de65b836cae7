"""Speaks: the clients' protocol without a socket. Sessions, stream names, messages and their texts."""
