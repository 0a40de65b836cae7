"""Files that hold one secret. Rule: nobody but the server's own user can read them."""

import contextlib
import os
import stat
from pathlib import Path

SECRET_BYTES_MAX = 4096
"""Of a file; what is longer is no secret of ours."""


class SecretFileError(Exception):
    """The file can't be used; the message names it and says why, and nothing of what it holds."""


def read_secret(path: Path) -> str | None:
    """What a file holds, without the blanks around it; None if it isn't there. Raises SecretFileError
    if others could read it.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(SECRET_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretFileError(f"can't read {path}: {error.strerror}") from error
    if mode & 0o077:
        raise SecretFileError(f"{path} can be read by others (mode {mode:04o}): chmod 600 it")
    if len(content) > SECRET_BYTES_MAX:
        raise SecretFileError(f"{path} has more than {SECRET_BYTES_MAX} bytes")
    try:
        return content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise SecretFileError(f"{path} is no plain text") from None


def write_secret(path: Path, text: str) -> None:
    """Make a file that wasn't there, whole or not at all, and durable. Raises SecretFileError."""
    unfinished = path.with_name(f"{path.name}.new")
    try:
        if path.exists():
            raise SecretFileError(f"{path} is there already")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with contextlib.closing(os.fdopen(descriptor, "w")) as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(descriptor)
        unfinished.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise SecretFileError(f"can't write {path}: {error.strerror}") from error
