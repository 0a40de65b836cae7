"""Names of instruments and accounts. Rule: they fit into stream names and paths as they are."""

import re

SYMBOL = re.compile(r"[A-Za-z0-9._-]{1,32}", re.ASCII)
ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
NAME_CHARACTERS = "letters, digits, . _ -"
