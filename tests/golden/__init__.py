"""The user's document, byte for byte."""
