"""Our engine and its peers, each driven by the same flow of plain numbers."""
