"""The client's side: what is needed to follow a venue's streams."""
