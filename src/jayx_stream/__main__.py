"""`python -m jayx_stream` is the `jayx-stream` command."""

from jayx_stream.app.cli import main

if __name__ == "__main__":
    main()
