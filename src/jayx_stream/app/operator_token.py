"""The operator's token. Rule: it stands in one file that only the server's own user can read."""

import secrets
from pathlib import Path

from jayx_stream.app.config import Admin
from jayx_stream.app.secret_file import SecretFileError, read_secret, write_secret

FILE_NAME = "operator.token"
TOKEN_BYTES = 32
TOKEN_CHARACTERS_MIN = 20
"""Of one that somebody chose: nobody may guess it."""


def operator_token(admin: Admin, directory: Path) -> str:
    """The token of its file, which is made if it isn't there. Raises SecretFileError."""
    path = directory / FILE_NAME if admin.token_file is None else Path(admin.token_file)
    token = read_secret(path)
    if token is None:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        write_secret(path, token)
    if len(token) < TOKEN_CHARACTERS_MIN or not token.isprintable() or " " in token:
        reason = f"at least {TOKEN_CHARACTERS_MIN} characters, and no blanks"
        raise SecretFileError(f"{path} holds no operator's token: {reason}")
    return token
