"""Used signatures outlive the process: they are in the journal, and in the exchange's state."""

from jayx_stream.engine import Exchange
from jayx_stream.model.commands import RememberSignature
from jayx_stream.model.events import Commit


def remember(exchange: Exchange, name: str, used_ms: int, expires_ms: int) -> Commit:
    """Journal that a signature was used; gives the commit."""
    digest = name.encode().ljust(16)
    command = RememberSignature(digest=digest, used_ms=used_ms, expires_ms=expires_ms)
    events = exchange.decide(command)
    assert isinstance(events, tuple)
    commit = Commit(exchange.seq + 1, used_ms, events)
    exchange.apply(commit)
    return commit


def names(exchange: Exchange) -> dict[str, int]:
    return {digest.decode().strip(): ms for digest, ms in exchange.signatures.items()}


def test_a_signature_is_kept_until_its_timestamp_is_too_old() -> None:
    exchange = Exchange()
    remember(exchange, "first", 1000, 6000)
    remember(exchange, "second", 5000, 9000)
    assert names(exchange) == {"first": 6000, "second": 9000}
    remember(exchange, "third", 6001, 11_001)
    assert names(exchange) == {"second": 9000, "third": 11_001}


def test_a_replay_and_a_restored_state_know_the_same_signatures() -> None:
    exchange, replayed, restored = Exchange(), Exchange(), Exchange()
    commits = [remember(exchange, f"s{each}", each * 900, each * 900 + 5000) for each in range(9)]
    for commit in commits:
        replayed.apply(commit)
    restored.restore(exchange.state())
    assert names(exchange) == names(replayed) == names(restored)
    assert len(names(exchange)) == 6
