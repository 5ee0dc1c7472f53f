#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Retransmissions that the sender's own firewall drops.

    unsent.py SENDER_NETNS ADDRESS RECEIVER_NETNS ADDRESS PORT

The receiver's network drops what is marked CUT, the sender's own firewall what is marked UNSENT. Prints how many segments
the sender has sent again, as TCP_INFO has it.
"""
import struct
import sys

sys.dont_write_bytecode = True
from wire import CLOSE, CUT, Side, Wire, expect, mark, tcp_info, until, until_state

UNSENT = 34 << 2
AGAIN = 2  # times that a segment is to be dropped as it leaves


def sent_again(sock):
    return struct.unpack_from("I", tcp_info(sock), 100)[0]


def main():
    sender_netns, sender_addr, receiver_netns, receiver_addr, port = sys.argv[1:]
    wire = Wire(Side(receiver_netns, receiver_addr), Side(sender_netns, sender_addr), int(port))
    sender, receiver = wire.pair()
    mark(CUT, sender)
    sender.sendall(b"hello")
    mark(UNSENT, sender)
    before = sent_again(sender)
    until(lambda: sent_again(sender) >= before + AGAIN)
    mark(0, sender)
    expect(receiver.recv(5), b"hello")
    receiver.close()
    expect(sender.recv(1), b"")
    count = sent_again(sender)
    sender.shutdown(2)
    until_state(sender, CLOSE)
    print("again", count)


main()
