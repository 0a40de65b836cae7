"""The only place that knows everyone: it makes a venue out of the rooms, and a command out of a venue."""
