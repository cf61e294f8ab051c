"""tap.py - a proxy between two MTAs that keeps every octet that crosses, can hold or cut a connection, and writes what it
saw as a capture file with Ethernet, IP and TCP headers around it. Needs no privilege."""
import contextlib
import socket
import struct
import threading
import time

SEGMENT_MAX = 32000


class Crossing:
    """One connection: a list of (seconds, from_initiator, octets)."""

    def __init__(self, peer_port):
        self.peer_port = peer_port
        self.flow, self.ended = [], False
        self.sockets = []


class Tap:
    def __init__(self, lab, target_port, listen_port):
        self.target, self.port = target_port, listen_port
        self.crossings, self.change = [], threading.Condition()
        self.holding = False      # takes octets, passes none on
        self.refusing = False     # closes what connects
        self.cut_after = None     # octets from the initiator of one connection: then all are cut, once
        self.open = True
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()
        lab.closers.append(self.close)

    def _accept(self):
        while True:
            try:
                client, where = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            crossing = Crossing(where[1])
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            crossing.sockets = [client, server]
            for s in crossing.sockets:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.change:
                self.crossings.append(crossing)
                self.change.notify_all()
            left = [2]
            for a, b, forth in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(crossing, a, b, forth, left), daemon=True).start()

    def _carry(self, crossing, a, b, forth, left):
        while True:
            try:
                octets = a.recv(65536)
            except OSError:
                octets = b""
            with self.change:
                while self.holding and octets and self.open:
                    self.change.wait()
                if octets:
                    crossing.flow.append((time.time(), forth, octets))
                cutting = forth and self.cut_after is not None and sum(len(o) for _, f, o in crossing.flow if f) >= self.cut_after
                if cutting:
                    self.cut_after = None
                self.change.notify_all()
            if cutting:
                self.cut()
            try:
                if not octets:
                    b.shutdown(socket.SHUT_WR)
                    break
                b.sendall(octets)
            except OSError:
                break
        with self.change:
            left[0] -= 1
            if left[0] == 0:
                crossing.ended = True
                for s in crossing.sockets:
                    s.close()
            self.change.notify_all()

    def hold(self, on):
        with self.change:
            self.holding = on
            self.change.notify_all()

    def cut(self):
        """Ends every connection, as a broken cable would be noticed."""
        with self.change:
            for crossing in self.crossings:
                for s in crossing.sockets:
                    with contextlib.suppress(OSError):
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        s.shutdown(socket.SHUT_RDWR)
            self.change.notify_all()

    def wait_ended(self, n, patience):
        """Waits until n connections have come and all are over."""
        until = time.monotonic() + patience
        with self.change:
            while len(self.crossings) < n or not all(c.ended for c in self.crossings):
                if time.monotonic() > until:
                    return False
                self.change.wait(0.5)
        return True

    def close(self):
        with self.change:
            self.open = False
            self.holding = False
            self.change.notify_all()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()


# --- capture files (libpcap format, Ethernet) ---

def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Writer:
    def __init__(self, path):
        self.f = open(path, "wb")
        self.f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        self.ident = 0

    def packet(self, when, src, dst, seq, ack, flags, octets=b""):
        hosts = socket.inet_aton(src[0]) + socket.inet_aton(dst[0])
        tcp = struct.pack("!HHIIBBHHH", src[1], dst[1], seq & 0xffffffff, ack & 0xffffffff, 5 << 4, flags, 65535, 0, 0)
        pseudo = hosts + struct.pack("!BBH", 0, 6, len(tcp) + len(octets))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + octets)) + tcp[18:]
        self.ident = (self.ident + 1) & 0xffff
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(octets), self.ident, 0x4000, 64, 6, 0) + hosts
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        frame = b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp + octets
        self.f.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)

    def connection(self, crossing, server_port):
        """SYN, the data each acknowledged by what goes the other way, FIN."""
        ends = {True: ("10.0.0.1", crossing.peer_port), False: ("10.0.0.2", server_port)}
        seq = {True: 1000, False: 5000}
        when = crossing.flow[0][0] if crossing.flow else time.time()
        self.packet(when, ends[True], ends[False], 1000, 0, 0x02)
        self.packet(when, ends[False], ends[True], 5000, 1001, 0x12)
        self.packet(when, ends[True], ends[False], 1001, 5001, 0x10)
        seq = {True: 1001, False: 5001}
        for when, forth, octets in crossing.flow:
            for at in range(0, len(octets), SEGMENT_MAX):
                piece = octets[at:at + SEGMENT_MAX]
                self.packet(when, ends[forth], ends[not forth], seq[forth], seq[not forth], 0x18, piece)
                seq[forth] += len(piece)
                self.packet(when, ends[not forth], ends[forth], seq[not forth], seq[forth], 0x10)
        if crossing.ended:
            self.packet(when, ends[True], ends[False], seq[True], seq[False], 0x11)
            self.packet(when, ends[False], ends[True], seq[False], seq[True] + 1, 0x11)
            self.packet(when, ends[True], ends[False], seq[True] + 1, seq[False] + 1, 0x10)

    def close(self):
        self.f.close()


def read_pcap(path):
    """The connections of a capture, in order of their SYN: dicts with client, server ports and the octets of each side."""
    data = open(path, "rb").read()
    order = "<" if struct.unpack("<I", data[:4])[0] in (0xa1b2c3d4, 0xa1b23c4d) else ">"
    link_type = struct.unpack(order + "I", data[20:24])[0]
    at, connections, by_ends = 24, [], {}
    while at + 16 <= len(data):
        kept = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + kept]
        at += 16 + kept
        start = {1: 14, 113: 16, 0: 4, 101: 0, 276: 20}[link_type]
        ip = frame[start:]
        if not ip or ip[0] >> 4 != 4 or ip[9] != 6:
            continue
        total, ip_length = struct.unpack("!H", ip[2:4])[0], (ip[0] & 15) * 4
        tcp = ip[ip_length:total]
        sport, dport, seq = struct.unpack("!HHI", tcp[:8])
        flags, body = tcp[13], tcp[(tcp[12] >> 4) * 4:]
        src, dst = (ip[12:16], sport), (ip[16:20], dport)
        if flags & 0x12 == 0x02:
            c = {"client": sport, "server": dport, "start": {}, "parts": {True: {}, False: {}}}
            connections.append(c)
            by_ends[src, dst], by_ends[dst, src] = (c, True), (c, False)
        if (src, dst) not in by_ends:
            continue
        c, forth = by_ends[src, dst]
        if flags & 0x02:
            c["start"][forth] = seq + 1
        elif body:
            c["parts"][forth][(seq - c["start"][forth]) & 0xffffffff] = body
    for c in connections:
        for forth, name in ((True, "from_initiator"), (False, "from_responder")):
            octets = b""
            for offset in sorted(c["parts"][forth]):
                piece = c["parts"][forth][offset]
                if offset <= len(octets):
                    octets += piece[len(octets) - offset:]
            c[name] = octets
    return connections
