"""Who sends, as far as an address tells: what one of them can draw for nothing is one."""

from __future__ import annotations

import ipaddress

_OF_ONE = 64
# what providers give to one customer: a home has the first, who asks for it the second
_OF_CUSTOMERS = (56, 48)


def sender(address: str) -> str:
    """The address; of IPv6 its /64, which a host has whole; as it is where it is no address.

    >>> sender("2001:db8:1:2:3::4"), sender("::ffff:192.0.2.7"), sender("192.0.2.7"), sender("-")
    ('2001:db8:1:2::', '192.0.2.7', '192.0.2.7', '-')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> _OF_ONE << _OF_ONE))


def networks(address: str) -> tuple[str, ...]:
    """Who sends, and what is given to one customer that they may be in: the narrowest first.

    >>> networks("2001:db8:1:2ff::4"), networks("192.0.2.7")
    (('2001:db8:1:2ff::', '2001:db8:1:200::/56', '2001:db8:1::/48'), ('192.0.2.7',))
    """
    one = sender(address)
    try:
        wider = [ipaddress.IPv6Network((one, bits), strict=False) for bits in _OF_CUSTOMERS]
    except ValueError:
        # of IPv4, or no address at all
        return (one,)
    return (one, *map(str, wider))
