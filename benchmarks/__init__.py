"""One question a file. Each runs by itself, prints its own table, and asserts no time."""
