"""Tests of the doors, through real sockets to a real venue in this process."""
