"""The official suites of what we speak, on our production classes and on our peers'."""
