#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A service manager's side of sd_notify(3).

manager.py NAME SECONDS
    Prints what comes to the socket NAME, one assignment a line.
manager.py NAME run COMMAND...
    Starts COMMAND with the socket NAME and the descriptors that it had stored before (sd_pid_notify_with_fds(3)). SIGHUP
    restarts it, and what it stores meanwhile is kept, as systemd does; SIGTERM stops it, and drops all. Prints a line
    "started PID" and "stored N" for each start and end.
"""
import array
import os
import signal
import socket
import sys

FIRST = 3  # SD_LISTEN_FDS_START


def listen(ear, seconds):
    ear.settimeout(seconds)
    try:
        while True:
            print(ear.recv(65536).decode(), flush=True)
    except TimeoutError:
        sys.exit(0)


class Service:
    def __init__(self, ear, path, command):
        self.ear, self.path, self.command = ear, path, command
        self.store = {}  # descriptor by name
        self.pid = None

    def start(self):
        names, fds = list(self.store), list(self.store.values())
        self.pid = os.fork()
        if self.pid == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD])
            # First out of the way, then to where they are expected.
            fds = [os.dup2(fd, 1000 + i) for i, fd in enumerate(fds)]
            for i, fd in enumerate(fds):
                os.dup2(fd, FIRST + i, inheritable=True)
                os.close(fd)
            os.closerange(FIRST + len(fds), 1000)
            os.environ.update(NOTIFY_SOCKET=self.path, LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)),
                              LISTEN_FDNAMES=":".join(names))
            os.execvp(self.command[0], self.command)
        print(f"started {self.pid}", flush=True)

    def hear(self):
        """What has come by now."""
        while True:
            fds = array.array("i")
            try:
                text, control, _, _ = self.ear.recvmsg(65536, socket.CMSG_SPACE(64 * fds.itemsize), socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            for _, _, data in control:
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
            said = dict(line.split("=", 1) for line in text.decode().splitlines() if "=" in line)
            name = said.get("FDNAME", "stored")
            if "FDSTOREREMOVE" in said and name in self.store:
                os.close(self.store.pop(name))
            if "FDSTORE" in said and fds:
                self.store[name] = fds.pop()
            for fd in fds:  # a barrier's, too: it falls where it is closed
                os.close(fd)

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self.hear()
            signal.sigtimedwait([signal.SIGCHLD], 0.005)
        self.hear()
        print(f"stored {len(self.store)}", flush=True)

    def run(self):
        signals = [signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD]
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self.start()
        while True:
            came = signal.sigtimedwait(signals, 0.01)
            self.hear()
            if not came or (came.si_signo == signal.SIGCHLD and os.waitpid(self.pid, os.WNOHANG)[0] == 0):
                continue
            if came.si_signo == signal.SIGCHLD:
                sys.exit(1)
            self.stop()
            if came.si_signo == signal.SIGTERM:
                return
            self.start()


path = sys.argv[1]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
    ear.bind(path)
    try:
        if sys.argv[2] == "run":
            Service(ear, path, sys.argv[3:]).run()
        else:
            listen(ear, float(sys.argv[2]))
    finally:
        os.unlink(path)
