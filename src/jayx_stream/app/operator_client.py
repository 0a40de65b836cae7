"""What operators' commands have in common: where the server is, its token, and one request.

Rule: a command says what went wrong in one line, and the token in none.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from cyclopts import Parameter
from msgspec import DecodeError, json

from jayx_stream.app.config import Config, ConfigError, load
from jayx_stream.app.operator_token import FILE_NAME
from jayx_stream.app.secret_file import SecretFileError, read_secret

ENVIRONMENT = "JAYX_OPERATOR_TOKEN"
ANSWER_S = 30.0
"""Until an answer has to be there."""

ANSWER_BYTES_MAX = 64 * 1024 * 1024
ROWS = 1000
"""Asked for at once."""


class OperatorError(Exception):
    """Why it was not done; for people."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where the server is, and what opens its operator's port."""

    config: Path | None = None
    """The server's configuration: tells address, port, and where the token is."""
    data_dir: Path | None = None
    """The server's folder, in place of the configured one: the token is there."""
    url: str | None = None
    """Of the operator's port, such as http://127.0.0.1:8444, in place of the configured one."""
    token_file: Path | None = None
    """Holds the token; or else it is taken from the environment, JAYX_OPERATOR_TOKEN."""
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
    """Print what the server answers, as JSON."""

    def connect(self) -> "Operator":
        """Find the server and the token. Raises OperatorError; nothing is sent yet."""
        try:
            config = Config() if self.config is None else load(self.config)
        except ConfigError as error:
            raise OperatorError(str(error)) from error
        return Operator(self._url(config), self._token(config))

    def _url(self, config: Config) -> str:
        if self.url is not None:
            return self.url
        host, port = config.admin.host, config.admin.port
        if port == 0:
            raise OperatorError(f"{self.config}: the operator's port is off (admin.port is 0)")
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _token(self, config: Config) -> str:
        if self.token_file is None and ENVIRONMENT in os.environ:
            return os.environ[ENVIRONMENT].strip()
        if self.token_file is not None:
            path = self.token_file
        elif config.admin.token_file is not None:
            path = Path(config.admin.token_file)
        else:
            path = (self.data_dir or Path(config.data.dir)) / FILE_NAME
        try:
            token = read_secret(path)
        except SecretFileError as error:
            raise OperatorError(str(error)) from error
        if token is None:
            wanted = f"--config, --data-dir, --token-file or {ENVIRONMENT}"
            raise OperatorError(f"no token: {path} is not there; say where it is by {wanted}")
        return token


class Operator:
    """The operator's API of one server."""

    def __init__(self, url: str, token: str) -> None:
        """Raises OperatorError if the URL can't be one."""
        self._url = url.rstrip("/")
        wrong = OperatorError(f"{url} is no URL such as http://127.0.0.1:8444")
        try:
            parts = urlsplit(self._url)
            port = parts.port
        except ValueError:
            raise wrong from None
        makes: Mapping[str, Callable[..., HTTPConnection]] = {
            "http": HTTPConnection,
            "https": HTTPSConnection,
        }
        if parts.scheme not in makes or not parts.hostname:
            raise wrong
        self._path = parts.path
        self._connection = makes[parts.scheme](parts.hostname, port, timeout=ANSWER_S)
        self._token = token

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's data. Raises OperatorError."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        content = None if body is None else json.encode(body)
        try:
            self._connection.request(method, f"{self._path}/operator/{path}", content, headers)
            response = self._connection.getresponse()
            answer = json.decode(response.read(ANSWER_BYTES_MAX))
            code, data = answer["code"], answer["data"]
        except (DecodeError, LookupError, TypeError, HTTPException, ValueError):
            raise OperatorError(f"{self._url} answers, but not as jayx-stream does") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise OperatorError(f"no jayx-stream answers at {self._url}: {reason}") from error
        finally:
            self._connection.close()
        if code != "OK":
            raise OperatorError(f"{code}: {answer.get('message', '')}")
        return data

    def all_rows(self, path: str, name: str, **query: str | None) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page; `name` is the field that names a row. Raises OperatorError."""
        after: str | None = None
        while True:
            given = {**query, "limit": str(ROWS), "after": after}
            parameters = urlencode({name: text for name, text in given.items() if text is not None})
            rows = self.ask("GET", f"{path}?{parameters}")
            yield from rows
            if len(rows) < ROWS:
                return
            after = rows[-1][name]


def segment(text: str) -> str:
    """One step of a path, whatever it is."""
    return quote(text, safe="")


def run(reach: Reach, act: Callable[[Operator], None]) -> None:
    """Do it, or say why not and end with exit code 1."""
    try:
        act(reach.connect())
    except OperatorError as error:
        print(f"jayx-stream: {error}", file=sys.stderr)
        sys.exit(1)
