#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
passwords.py ADDRESS PORT GUESSER CLIENT NAME:PASSWORD: eight wrong passwords are sent from GUESSER, and then the right one from
CLIENT, before any is answered. Prints the HTTP status of the right one, and "first" where wrong ones are still to be answered
then.
"""
import base64
import select
import socket
import sys

GUESSES = 8


def prepare(at, source, credential):
    word = base64.b64encode(credential.encode()).decode()
    request = f"GET /healthz HTTP/1.1\r\nHost: {at[0]}\r\nAuthorization: Basic {word}\r\n\r\n"
    return socket.create_connection(at, source_address=(source, 0)), request.encode()


def main():
    address, port, guesser, client, credential = sys.argv[1:6]
    at = (address, int(port))
    wrong = credential.split(":")[0] + ":wrong"
    requests = [prepare(at, guesser, wrong) for _ in range(GUESSES)] + [prepare(at, client, credential)]
    for sock, request in requests:
        sock.sendall(request)
    status = requests[-1][0].recv(65536).split()[1].decode()
    answered, _, _ = select.select([sock for sock, _ in requests[:-1]], [], [], 0)
    print(status, "first" if len(answered) < GUESSES else "last")


if __name__ == "__main__":
    main()
