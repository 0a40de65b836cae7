"""TLS of a venue: which files the configuration asks for, and what a hangup signal does to them.

Rule: no state of the files ends a running venue; only a start refuses bad ones.
"""

import logging
from pathlib import Path

from jayx_stream.app.config import Server
from jayx_stream.app.tls_dev import DevCertificate, dev_certificate
from jayx_stream.doors.tls import ServerTls, TlsError

log = logging.getLogger(__name__)


class VenueTls:
    """The certificate that is configured, or that `--tls-dev` makes, or none."""

    def __init__(self, config: Server, data_dir: Path) -> None:
        """Raises TlsError."""
        self._config = config
        self._data_dir = data_dir
        self.dev: DevCertificate | None = None
        """What `--tls-dev` made."""
        self.server: ServerTls | None = None
        """For the listener; None: there is no TLS."""
        if config.tls_dev:
            self.dev = self._make()
            # A browser that learns to come to localhost by TLS only would not get to anything else there.
            self.server = ServerTls(self.dev.cert, self.dev.key, is_strictly_secure=False)
        elif config.tls_cert is not None and config.tls_key is not None:
            self.server = ServerTls(Path(config.tls_cert), Path(config.tls_key))

    def hang_up(self) -> str:
        """Read the files again; gives what is to be said. What is wrong with them is logged."""
        if self.server is None:
            return "jayx-stream was sent SIGHUP: there is no TLS certificate to read again"
        try:
            if self.dev is not None:
                self.dev = self._make()
            self.server.reload()
        except TlsError as error:
            log.error("the TLS certificate stays as it was: %s", error)
            return "jayx-stream was sent SIGHUP: the TLS certificate stays as it was"
        return "jayx-stream has read the TLS certificate again: new connections get it"

    def told(self) -> str | None:
        """What clients need to trust a certificate that nobody vouches for."""
        if self.dev is None:
            return None
        return (
            f"jayx-stream made its own certificate, for development only: {self.dev.cert}, "
            f"SHA-256 {self.dev.fingerprint}"
        )

    def _make(self) -> DevCertificate:
        try:
            return dev_certificate(self._data_dir, self._config.host)
        except OSError as error:
            reason = f"can't make a certificate for --tls-dev: {error.filename}: {error.strerror}"
            raise TlsError(reason) from error
        except ValueError as error:
            raise TlsError(
                f"no certificate can be for host {self._config.host}: {error}"
            ) from error
