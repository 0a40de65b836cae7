"""How all peers here that are uWebSockets through socketify are served."""

from socketify import CompressOptions


def serve(app, compression=CompressOptions.DISABLED, **events):
    """On a free port, which is printed, until the process is killed; `events` by socketify's names."""
    settings = {
        "compression": compression,
        "max_payload_length": 65536,
        "max_backpressure": 64 * 1024 * 1024,
        "idle_timeout": 120,
    }
    app.ws("/*", settings | events)
    app.listen({"port": 0, "host": "127.0.0.1"}, lambda config: print(config.port, flush=True))
    app.run()
