"""One question a file. Each runs by itself, prints its own table, and asserts no time. SIGTERM ends it as
Ctrl-C does: what it started ends with it.
"""

import signal
import sys

signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
