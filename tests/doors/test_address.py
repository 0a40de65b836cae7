"""Whose request it is: nobody chooses his own address (protocol §10)."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jayx_stream.doors.address import client_address, counted_as, is_proxy, read_networks

PROXIES = read_networks(["10.0.0.0/8", "fd00::/8", "192.0.2.7"])

WAYS = {
    "nobody forwards": ("203.0.113.5", [], "203.0.113.5"),
    "a stranger forwards": ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
    "a proxy forwards": ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    "a single address is listed": ("192.0.2.7", ["198.51.100.1"], "198.51.100.1"),
    "a proxy without a header": ("10.0.0.1", [], "10.0.0.1"),
    "a client sent its own header": ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
    "in two lines": ("10.0.0.1", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
    "two proxies": ("10.0.0.1", ["6.6.6.6, 198.51.100.1, 10.2.3.4"], "198.51.100.1"),
    "proxies alone": ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    "with a port": ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
    "IPv6": ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
    "IPv6 in brackets": ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
    "IPv6 with a port": ("10.0.0.1", ["[2001:DB8::1]:443"], "2001:db8::1"),
    "a proxy of IPv6": ("fd00::5", ["2001:db8::1"], "2001:db8::1"),
    "a proxy with a zone": ("fd00::5%eth0", ["2001:db8::1"], "2001:db8::1"),
    "a proxy on a socket for both": ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    "a stranger on a socket for both": ("::ffff:203.0.113.5", ["6.6.6.6"], "203.0.113.5"),
    "IPv4 within IPv6": ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
    "blanks": ("10.0.0.1", ["\t 198.51.100.1 "], "198.51.100.1"),
    "a path that is no address": ("", ["198.51.100.1"], ""),
}


@pytest.mark.parametrize(("peer", "forwarded", "client"), WAYS.values(), ids=WAYS)
def test_the_address_is_the_last_that_no_proxy_has(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


BAD_ENTRIES = [
    "",
    " ",
    "unknown",
    "_hidden",
    "198.51.100.256",
    "198.51.100.01",
    "198.51.100.1:",
    "198.51.100.1:port",
    "198.51.100.1:123456",
    "198.51.100.1:١",
    "198.51.100.1%eth0",
    "198.51.100.1/32",
    "[2001:db8::1",
    "2001:db8::1]",
    "[2001:db8::1]443",
    "[]",
    "[]:443",
    "localhost",
    "for=198.51.100.1",
    '"198.51.100.1"',
]


@pytest.mark.parametrize("bad", BAD_ENTRIES)
def test_what_can_not_be_read_ends_the_way(bad: str) -> None:
    assert client_address("10.0.0.1", [f"6.6.6.6, {bad}"], PROXIES) == "10.0.0.1"
    assert client_address("10.0.0.1", [f"6.6.6.6, {bad}, 10.0.0.2"], PROXIES) == "10.0.0.2"


ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)
STRANGERS = ADDRESSES.filter(lambda each: not is_proxy(str(each), PROXIES))
PROXY_ADDRESSES = st.ip_addresses(v=4, network="10.0.0.0/8") | st.just(IPv6Address("fd00::9"))
ANYTHING = st.lists(st.text(max_size=50) | ADDRESSES.map(str), max_size=5)


def told(address: IPv4Address | IPv6Address) -> str:
    """As it is written in logs and limits."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


@given(peer=STRANGERS, header=ANYTHING)
def test_no_header_changes_the_address_of_who_is_no_proxy(
    peer: IPv4Address | IPv6Address, header: list[str]
) -> None:
    assert client_address(str(peer), header, PROXIES) == told(peer)
    assert client_address(str(peer), header, ()) == told(peer)


@given(peer=PROXY_ADDRESSES, client=STRANGERS, sent=ANYTHING, behind=st.lists(PROXY_ADDRESSES))
def test_behind_proxies_the_address_that_the_outermost_appended_wins(
    peer: IPv4Address | IPv6Address,
    client: IPv4Address | IPv6Address,
    sent: list[str],
    behind: list[IPv4Address | IPv6Address],
) -> None:
    appended = ", ".join(str(each) for each in [client, *behind])
    by_line = client_address(str(peer), [*sent, appended], PROXIES)
    by_comma = client_address(str(peer), [",".join([*sent, appended])], PROXIES)
    assert by_line == by_comma == told(client)


@given(peer=PROXY_ADDRESSES, header=ANYTHING)
def test_the_address_is_one_always(peer: IPv4Address | IPv6Address, header: list[str]) -> None:
    found = client_address(str(peer), header, PROXIES)
    assert str(ip_address(found)) == found


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("", ""),
    ],
)
def test_ipv6_is_counted_by_what_one_client_holds(address: str, group: str) -> None:
    assert counted_as(address) == group


@pytest.mark.parametrize("bad", ["10.0.0.1/8", "10.0.0.0/33", "proxy.example.org", "", "10.0.0"])
def test_what_is_no_network_is_named(bad: str) -> None:
    with pytest.raises(ValueError, match=f"'{bad}'|{bad} has host bits|Empty|'10.0.0.0/33'"):
        read_networks([bad])
