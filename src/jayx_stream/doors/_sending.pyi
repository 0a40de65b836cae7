class Sender:
    """Sends to many sockets: with a ring of io_uring's if the kernel gives one, else one by one."""

    def __new__(cls, *, ring: bool = True) -> Sender: ...
    @property
    def has_ring(self) -> bool:
        """Whether the kernel gave one."""
    def send_many(self, descriptors: list[int], frames: list[bytes], /) -> list[tuple[int, int]]:
        """See `hub.turn.WriteMany`. Other threads run meanwhile; none of them may call this."""
