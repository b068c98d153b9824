"""How many connections the listener on a port lets wait: what `ss -lnt` calls Send-Q.

Runs in the container of a server, whose network is its own: `python -c SOURCE PORT`.
"""

import socket
import struct
import sys

# linux/inet_diag.h and linux/netlink.h
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
TCP_LISTEN = 10
HEADER = struct.Struct("=IHHII")
#: family, protocol, extensions, padding, states, and a socket's id, which a dump ignores.
REQUEST = struct.Struct("=BBBBI48x")
#: family, state, timer, retransmits; two ports, big-endian; the rest of the id; expires; queues.
MESSAGE = struct.Struct("=BBBB2s2s44xIII")


def backlogs(port: int) -> list[int]:
    """Of every TCP listener on that port."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as netlink:
        for family in (socket.AF_INET, socket.AF_INET6):
            body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN)
            flags = NLM_F_REQUEST | NLM_F_DUMP
            size = HEADER.size + len(body)
            netlink.send(HEADER.pack(size, SOCK_DIAG_BY_FAMILY, flags, 0, 0) + body)
            done = False
            while not done:
                data = netlink.recv(65536)
                while data:
                    size, kind, *_ = HEADER.unpack_from(data)
                    if kind == NLMSG_ERROR:
                        raise OSError("the kernel does not tell of its sockets")
                    if kind == NLMSG_DONE:
                        done = True
                    else:
                        message = MESSAGE.unpack_from(data, HEADER.size)
                        if int.from_bytes(message[4]) == port:
                            found.append(message[-1])
                    data = data[(size + 3) & ~3 :]
    return found


if __name__ == "__main__":
    print(*backlogs(int(sys.argv[1])))
