#!/usr/bin/env python3
"""TLS around the transport, and IPv6 under it (RFC 2126): two MTAs, certificates made here with openssl."""
import os
import shutil
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import peer as p  # noqa: E402
from posthorn import Skip, expect, free_port, main, same, wait_for  # noqa: E402


class Authority:
    """Signs certificates; files lie in the lab's folder."""

    def __init__(self, lab, name="authority"):
        if shutil.which("openssl") is None:
            raise Skip("no openssl")
        self.root, self.name = lab.root, name
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.file("key"), "-out",
                 self.file("pem"), "-days", "30", "-subj", "/CN=" + name)

    def file(self, kind, who=None):
        return os.path.join(self.root, "%s.%s" % (who or self.name, kind))

    def run(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        expect(done.returncode == 0, "openssl %s" % args[0], done.stderr)

    def certificate(self, who, names, days="30"):
        """The settings of one who has it."""
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.file("key", who), "-out",
                 self.file("csr", who), "-subj", "/CN=" + who)
        with open(self.file("ext", who), "w", encoding="ascii") as f:
            f.write("subjectAltName=%s\n" % names)
        self.run("x509", "-req", "-in", self.file("csr", who), "-CA", self.file("pem"), "-CAkey", self.file("key"), "-CAcreateserial", "-days", days,
                 "-extfile", self.file("ext", who), "-out", self.file("pem", who))
        return {"certificate": self.file("pem", who), "key": self.file("key", who), "authorities": self.file("pem")}


def secure_pair(lab, authority, names="IP:127.0.0.1"):
    """london calls paris with TLS, and the other way round."""
    london, paris = lab.pair()
    for m in (london, paris):
        m.settings["tls"] = authority.certificate(m.name, names)
        m.tls_port = free_port()
        m.settings["listen-tls"] = ["127.0.0.1:%d" % m.tls_port]
    london.link(paris, paris.tls_port, tls="required")
    paris.link(london, london.tls_port, tls="required")
    return london, paris


def tls_both_ways(lab):
    """Short and long messages cross, both ways; what passes is TLS."""
    london, paris = secure_pair(lab, Authority(lab))
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    long = lab.file("long", os.urandom(700000))
    ids = [london.send("alice", paris.claude, "--subject", "short", "hello"), london.send("alice", paris.claude, "--subject", "long", "--file", long)]
    same(sorted(e["id"] for e in paris.wait_mail("claude", 2)), sorted(ids), "in Paris")
    back = paris.send("claude", london.alice, "--subject", "back", "hello")
    same([e["id"] for e in london.wait_mail("alice", 1)], [back], "in London")
    with socket.create_connection(("127.0.0.1", paris.tls_port)) as plain:
        plain.sendall(bytes.fromhex("0300000b06e00000000100"))
        paris.event("link.inbound-refused", why="TLS")
    context = ssl.create_default_context(cafile=paris.settings["tls"]["authorities"])
    context.load_cert_chain(london.settings["tls"]["certificate"], london.settings["tls"]["key"])
    with socket.create_connection(("127.0.0.1", paris.tls_port)) as s, context.wrap_socket(s, server_hostname="127.0.0.1") as other:
        expect(other.version() in ("TLSv1.2", "TLSv1.3"), "another TLS than ours agrees", other.version())
        other.sendall(bytes.fromhex("0300000b06e00000000100"))
        answer = other.recv(100)
        expect(answer[5] >> 4 == 0xD, "it is answered with CC", answer.hex())
    return other.version() or "TLS"


def tls_another_authority(lab):
    """Whose certificate nobody known has signed gets nothing, and the reason is told on both sides; the mail waits."""
    london, paris = secure_pair(lab, Authority(lab))
    london.settings["tls"] = Authority(lab, "stranger").certificate("somebody", "IP:127.0.0.1")
    london.settings["tls"]["authorities"] = paris.settings["tls"]["authorities"]
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "waits", "hello")
    paris.event("link.inbound-refused", why="certificate of the peer")
    london.event("link.open-failed", link="paris", why="TLS")
    same(paris.mail("claude"), [], "nothing came")
    same(len(london.rows("queue")), 1, "it waits")
    return "told on both sides"


def tls_another_name(lab):
    """A certificate of the right authority with another name: not the MTA that the link means."""
    authority = Authority(lab)
    london, paris = secure_pair(lab, authority)
    london.settings["links"][0]["tls-name"] = "paris.example"
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "waits", "hello")
    london.event("link.open-failed", link="paris", why="hostname mismatch")
    paris.send("claude", london.alice, "--subject", "waits too", "hello")
    london.event("link.tls-failed", link="paris", why="paris.example")
    same(london.mail("alice"), [], "nothing came")
    london.stop()
    paris.settings["tls"] = authority.certificate("right", "IP:127.0.0.1,DNS:paris.example")
    paris.stop()
    paris.start()
    london.start()
    paris.wait_mail("claude", 1)
    london.wait_mail("alice", 1)
    return "refused both ways; with the right name it goes"


def tls_caller_without(lab):
    """A caller of a link that wants TLS, on the port without: refused, with the reason."""
    london, _ = secure_pair(lab, Authority(lab))
    london.start()
    caller = p.Peer.dial(london.port)
    answer = caller.bind("paris", "secret-paris")
    expect(answer[0] == p.RF and b"\x02\x01\x02" in answer, "authentication error", answer.hex())
    london.event("link.tls-failed", link="paris", why="wants TLS")
    return "refused"


def tls_files_that_are_not_there(lab):
    """One link's certificate cannot be read: that link fails and says why, the other one goes on."""
    london, paris = secure_pair(lab, Authority(lab))
    london.link(paris)["name"] = "plain"
    paris.settings["links"][0]["tls"] = "never"  # it takes London either way
    london.settings["routes"][-1] = {"match": "C=FR; A=POSTHORN; P=PARIS; O=Office; S=Plain", "to": "plain"}
    paris.mailbox("plain", "Plain")
    london.settings["links"][0]["tls-own"] = {"certificate": os.path.join(lab.root, "nowhere.pem")}
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    london.event("link.tls-failed", link="paris", why="nowhere.pem")
    london.send("alice", paris.claude, "--subject", "waits", "hello")
    london.event("link.open-failed", link="paris", why="nowhere.pem")
    london.send("alice", "G=Plain; S=Plain; O=Office; P=PARIS; A=POSTHORN; C=FR", "--subject", "goes", "hello")
    paris.wait_mail("plain", 1)
    return "that link alone"


def tp_19_over_ipv6(lab):
    """TP-19: listeners and links with IPv6 literals, with TLS and without."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as e:
        raise Skip("no IPv6 on loopback: %s" % e) from None
    london, paris = secure_pair(lab, Authority(lab), "IP:::1")
    for m in (london, paris):
        m.settings["listen"] = ["[::1]:%d" % m.port]
        m.settings["listen-tls"] = ["[::1]:%d" % m.tls_port]
    london.settings["links"][0]["address"] = "[::1]:%d" % paris.tls_port
    paris.settings["links"][0].update({"address": "[::1]:%d" % london.port, "tls": "never"})
    london.settings["links"][0]["tls"] = "required"
    paris.start(wait=False)
    london.start()
    paris.event("supervisor.up")
    london.send("alice", paris.claude, "--subject", "over TLS", "hello")
    paris.wait_mail("claude", 1)
    came = paris.event("link.inbound")
    expect("[::1]" in str(came), "it came over IPv6", came)
    london.stop()
    london.settings["links"][0].update({"address": "[::1]:%d" % paris.port, "tls": "never"})
    london.start()
    paris.send("claude", london.alice, "--subject", "in clear", "hello")
    wait_for(lambda: london.mail("alice"), "the answer, in clear")
    return "both ways"


def a_trace_is_in_clear(lab):
    """posthorn link trace of a link with TLS: an operator sees what is said, of the calls that we make and of those that we take."""
    london, paris = secure_pair(lab, Authority(lab))
    paris.start()
    london.start()
    london.command("link", "trace", "-c", london.path, "paris", "on")
    london.send("alice", paris.claude, "--subject", "said over TLS", "hello")
    paris.wait_mail("claude", 1)
    paris.send("claude", london.alice, "--subject", "answered over TLS", "hello")
    london.wait_mail("alice", 1)
    london.command("link", "trace", "-c", london.path, "paris", "off")
    file = london.event("link.trace-ended")["fields"]["file"]
    shown = lab.command("decode", os.path.join(london.directory, file))
    for said in ("said over TLS", "answered over TLS"):
        expect(said in shown, "\"%s\" in the trace" % said, shown[:2000])


if __name__ == "__main__":
    main(tls_both_ways, a_trace_is_in_clear, tls_another_authority, tls_another_name, tls_caller_without, tls_files_that_are_not_there, tp_19_over_ipv6)
