#!/usr/bin/env python3
"""The console before clients that mean no good: requests that make no sense, are too long, too slow or too many, lead elsewhere, come from
other sites or guess passwords. All are refused, told in events, bounded; mail does not notice, not even the console's death."""
import concurrent.futures
import http.client
import os
import resource
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from browser import with_console  # noqa: E402
from console import Console, Stream  # noqa: E402
from posthorn import PATIENCE_S, expect, main, same, wait_for  # noqa: E402


def alone(lab, **more):
    """London with a console, and a link to nobody."""
    london, paris = lab.pair()
    london.link(paris, open_interval="60 s")
    with_console(lab, london, **more)
    london.start()
    return london


def status_of(octets):
    """Of the first answer in it; 0: it was closed without one."""
    return int(octets.split(b" ", 2)[1]) if octets.startswith(b"HTTP/") else 0


def request(c, line, *headers, body=b""):
    sent = [line, b"Host: %s:%d" % (c.host.encode(), c.port), b"Connection: close", *headers]
    return status_of(c.raw(b"\r\n".join(sent) + b"\r\n\r\n" + body))


def test_requests_that_make_no_sense(lab):
    london = alone(lab)
    c = Console(london)
    senseless = (b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\0" * 3000, b"GET / HTTP/1.1\r\n\r\n",
                   b"GET / HTTP/1.1\nno colon here\n\n", b"POST /api/login HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: -1\r\n\r\n" % (c.host.encode(), c.port),
                   b"POST /api/login HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: 99999999999999999999\r\n\r\n" % (c.host.encode(), c.port))
    with concurrent.futures.ThreadPoolExecutor(len(senseless)) as pool:  # what may still become a request is waited for, 10 s
        answers = list(pool.map(lambda octets: c.raw(octets, half=True), senseless))
    for octets, answer in zip(senseless, answers):
        got = status_of(answer)
        expect(got in (0, 400, 411, 413, 421, 505), "refused: %r" % octets[:40], got)
    london.event("console.malformed", why="no request of HTTP")
    london.event("console.malformed", why="headers make no sense")
    login = b"POST /api/login HTTP/1.1"
    same(request(c, b"PUT /api/login HTTP/1.1", b"Content-Length: 0"), 405, "another method")
    same(request(c, b"DELETE / HTTP/1.1"), 405, "and another")
    same(request(c, b"GET /api/login HTTP/1.1"), 405, "the method of another address")
    same(request(c, login), 411, "a POST without length")
    same(request(c, login, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 411, "chunks")
    same(request(c, login, b"Content-Length: 2", b"Content-Length: 3", body=b"{}"), 400, "two lengths")
    same(request(c, login, b"Host: evil.example", b"Content-Length: 2", b"Content-Type: application/json", body=b"{}"), 400, "two hosts")
    same(request(c, b"GET / HTTP/1.1", b"Content-Length: 2", body=b"{}"), 400, "a GET with a body")
    same(request(c, login, b"Content-Length: 2", body=b"{}"), 415, "a body of no type")
    for body in (b"", b"{", b"[]", b"null", b'{"name":1,"password":""}', b'{"name":"","password":"x"}', b'{"name":"a","name":"b","password":""}', b"[" * 3000,
                 b'{"name":"a\\u0000b","password":"x"}', b'{"name":"\xff","password":"x"}', b'{"name":"' + b"x" * 65 + b'","password":""}'):
        same(request(c, login, b"Content-Type: application/json", b"Content-Length: %d" % len(body), body=body), 400, "body %r" % body[:30])
    london.event("console.malformed")
    Console(london, "operator").overview()


def test_requests_that_are_too_long(lab):
    london = alone(lab)
    c = Console(london)
    same(request(c, b"GET /" + b"a" * 4090 + b" HTTP/1.1"), 414, "an address of 4 K")
    expect(request(c, b"GET /" + b"a" * 60000 + b" HTTP/1.1") in (0, 414, 431), "an address of 60 K")
    expect(request(c, b"GET / HTTP/1.1", b"X: " + b"y" * 40000) in (0, 431), "a header of 40 K")
    expect(request(c, b"GET / HTTP/1.1", *[b"X-%d: y" % i for i in range(5000)]) in (0, 431), "5,000 headers")
    same(request(c, b"POST /api/login HTTP/1.1", b"Content-Type: application/json", b"Content-Length: 65537"), 413, "a body over 64 K, before it has come")
    same(request(c, b"GET /api/queue?" + b"&".join(b"a%d=b" % i for i in range(30)) + b" HTTP/1.1"), 400, "30 parameters")
    expect(london.usage("console.0")[1] < 200 << 20, "memory", london.usage("console.0"))


def test_addresses_that_lead_elsewhere(lab):
    london = alone(lab)
    c = Console(london)
    for path in (b"/../etc/passwd", b"/%2e%2e/etc/passwd", b"/%2E%2e%2fetc%2fpasswd", b"/..%2f..%2fetc/passwd", b"/api/%2e%2e/index.html", b"//etc/passwd", b"/api//session",
                 b"/./main.js", b"/main.js%00.html", b"/..\\..\\x", b"/main.js/", b"/%", b"/%zz", b"/index.html%2f", b"/etc/passwd", b"/main.js/main.js", b"http://evil.example/",
                 b"*", b"/a%0d%0aX:y"):
        got = request(c, b"GET " + path + b" HTTP/1.1")
        expect(got in (400, 404), "refused: %r" % path, got)
    for path in ("/", "/index.html", "/main.js", "/style.css"):
        same(c.ask("GET", path).status, 200, "the page itself: " + path)
    tag = c.ask("GET", "/main.js").headers["etag"]
    same(c.ask("GET", "/main.js", headers={"If-None-Match": tag}).status, 304, "what the browser has already")


def test_requests_from_other_sites(lab):
    london = alone(lab)
    c = Console(london, "operator")
    here = "%s:%d" % (c.host, c.port)
    for host in ("evil.example", "evil.example:%d" % c.port, "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:%d" % c.port, "", "127.0.0.1:%d:80" % c.port):
        same(c.ask("GET", "/api/overview", headers={"Host": host}).status, 421 if host else 400 if c.ask("GET", "/", headers={"Host": host}).status == 400 else 421,
             "Host %r (a name that was made to point here)" % host)
    same(c.ask("GET", "/api/overview", headers={"Host": "localhost:%d" % c.port}).status, 200, "localhost is ours")
    same(c.ask("GET", "/metrics", headers={"Host": "mta.example:9"}).status, 421, "metrics are for whoever asks, but by our name")
    for origin in ("http://evil.example", "null", "https://" + here, "http://" + here + ".evil.example", "http://localhost:1"):
        same(c.ask("POST", "/api/queue/hold", {"ids": [1]}, {"Origin": origin}).status, 403, "Origin %s" % origin)
    same(c.ask("POST", "/api/queue/hold", {"ids": [1]}, {"Origin": "http://" + here}).status, 200, "our own")
    same(c.ask("POST", "/api/queue/hold", {"ids": [1]}, {"Sec-Fetch-Site": "cross-site"}).status, 403, "as a browser says")
    same(c.ask("POST", "/api/queue/hold", {"ids": [1]}, {"X-Posthorn-CSRF": None}).status, 403, "without the token")
    same(c.ask("POST", "/api/queue/hold", {"ids": [1]}, {"X-Posthorn-CSRF": c.csrf[:-1] + ("0" if c.csrf[-1] != "0" else "1")}).status, 403, "with another token")
    same(c.ask("POST", "/api/queue/hold", b"ids=1", {"Content-Type": "application/x-www-form-urlencoded"}).status, 415, "as a form would")
    same(c.ask("POST", "/api/logout", {}, {"X-Posthorn-CSRF": None}).status, 403, "nor logs out")
    london.event("console.refused", why="another site")
    london.event("console.refused", why="Host")
    london.event("console.refused", why="token")
    c.get("/api/session")
    for cookie in ("posthorn=x", c.cookie + "0", c.cookie[:-1], "%s=%s" % (c.cookie.split("=")[0], "0" * 64), "a=b; " * 200 + "x=y", "=;=;;=", ""):
        same(c.ask("GET", "/api/session", headers={"Cookie": cookie}).status, 401, "cookie %r" % cookie[:40])
    same(c.ask("GET", "/api/session", headers={"Cookie": "a=b; %s ; c=d" % c.cookie}).status, 200, "among others")


def test_a_login_ends_the_session_before(lab):
    """Of the same browser: its cookie is overwritten, and nobody could end that session any more."""
    london = alone(lab)
    c, other = Console(london, "viewer"), Console(london, "viewer")
    before = c.cookie
    c.login("operator", "correct horse")
    expect(c.cookie != before, "another session")
    same(c.ask("GET", "/api/session", headers={"Cookie": before}).status, 401, "the one before is over")
    same(c.get("/api/session")["role"], "operator", "the new one is not")
    other.get("/api/session")
    other.login("operator", "wrong", 401)
    same(other.get("/api/session")["user"], "viewer", "a login that fails ends nothing")


def test_the_cookie_behind_tls(lab):
    """Its name says that no other host, no path and no connection without TLS has set it (RFC 6265bis 4.1.3.2)."""
    london = alone(lab, origin="https://mta.example")
    c = Console(london)
    answer = c.ask("POST", "/api/login", {"name": "viewer", "password": "only looking"}, {"Host": "mta.example", "Origin": "https://mta.example"})
    said = answer.headers["set-cookie"]
    expect(said.startswith("__Host-posthorn=") and "; Secure" in said and "; Path=/;" in said and "Domain" not in said, "the cookie", said)
    same(c.ask("GET", "/api/session", headers={"Host": "mta.example", "Cookie": said.split(";")[0]}).status, 200, "it is known")
    same(c.ask("GET", "/api/session", headers={"Host": "mta.example", "Cookie": said.split(";")[0].replace("__Host-", "")}).status, 401, "no other is looked at")


def test_metrics_with_a_token(lab):
    c = Console(alone(lab, **{"metrics-token": "a token of 20 octets"}), "operator")
    for said, status in ((None, 401), ("a token of 20 octets", 401), ("Bearer a token of 20 octet", 401), ("Bearer a token of 20 octets", 200)):
        same(c.ask("GET", "/metrics", headers={"Host": "mta.example:9", "Authorization": said}).status, status, "Authorization: %s" % said)


def at_once(guess, right):
    """The answer to a right password of who has just been slowed. It is asked for within the 2 s that the second failure too many costs, or it shows nothing."""
    def tried():
        wait_for(lambda: guess() == 429, "who goes on is slowed")
        failed = wait_for(lambda: (lambda begun: guess() == 401 and begun)(time.monotonic()), "he may try once more")
        answer = right()
        return answer if time.monotonic() - failed < 2 else None
    return wait_for(tried, "an answer soon enough")


def test_guessed_passwords(lab):
    london = alone(lab)
    c = Console(london)
    told = set()
    for name in ("operator", "nobody"):
        for i in range(2):
            answer = c.ask("POST", "/api/login", {"name": name, "password": "guess %d" % i})
            told.add((answer.status, answer.octets))
    same(len(told), 1, "a wrong password and a wrong name are told in the same words: %s" % told)
    answer = at_once(lambda: c.ask("POST", "/api/login", {"name": "operator", "password": "guess"}).status,
                     lambda: c.ask("POST", "/api/login", {"name": "operator", "password": "correct horse"}))
    same(answer.status, 429, "and the right password is not looked at then")
    expect(int(answer.headers["retry-after"]) >= 1, "it says when", answer.headers)
    london.event("console.login-failed", user="operator")
    london.event("console.login-slowed")

    def at_last():
        answer = c.ask("POST", "/api/login", {"name": "operator", "password": "correct horse"})
        time.sleep(0.0 if answer.status == 200 else min(2, int(answer.headers["retry-after"])))
        return answer.status == 200
    wait_for(at_last, "in the end he gets in")


def test_passwords_guessed_through_a_proxy(lab):
    """The proxy is believed whom it speaks for, so that who guesses slows himself; anybody else who says so is not."""
    login = {"name": "operator", "password": "guess"}
    london = alone(lab, **{"trusted-proxies": ["127.0.0.1"]})
    c = Console(london)

    def guess(said, name="operator", password="guess"):
        return c.ask("POST", "/api/login", {**login, "name": name, "password": password}, {"X-Forwarded-For": said}).status
    slowed = at_once(lambda: guess("198.51.100.1, 203.0.113.7"), lambda: guess("203.0.113.7", "viewer", "only looking"))
    same(slowed, 429, "who guesses is slowed, whatever he says was before him, and with another name, too")
    same(london.event("console.login-failed", user="operator")["fields"]["peer"], "203.0.113.7", "who it was")
    same(guess("203.0.113.8", "viewer", "only looking"), 200, "another address is not")
    london.settings["console"]["trusted-proxies"] = ["mta.example"]
    london.write()
    london.command("reload", "-c", london.path, status=78)
    london.settings["console"]["trusted-proxies"] = []
    london.write()
    mark = london.mark()
    london.command("reload", "-c", london.path)
    london.event("config.reloaded", after=mark)
    wait_for(lambda: guess("203.0.113.%d" % mark) == 401 and london.find("console.login-failed", after=mark, peer="127.0.0.1"), "who is not trusted speaks for himself alone")


def test_slow_clients(lab):
    london = alone(lab)
    c = Console(london, "operator")
    drips = []
    begun = time.monotonic()
    for _ in range(20):
        s = socket.create_connection((c.host, c.port))
        s.sendall(b"GET / HTTP/1.1\r\nX")
        drips.append(s)
    ended = set()
    while len(ended) < len(drips):
        expect(time.monotonic() - begun < PATIENCE_S, "a request that drips is ended", len(ended))
        for s in drips:
            if s in ended:
                continue
            try:
                s.sendall(b"y")
                s.setblocking(False)
                if s.recv(100) == b"":
                    ended.add(s)
            except BlockingIOError:
                pass
            except OSError:
                ended.add(s)
            finally:
                s.setblocking(True)
        c.get("/api/session")
        time.sleep(0.3)
    expect(time.monotonic() - begun >= 8, "but not at once", time.monotonic() - begun)


def slow_question(c, path):
    """A connection on which this was asked, and of whose answer nobody takes more than the first words; its status."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(PATIENCE_S)
    s.connect((c.host, c.port))
    s.sendall(b"GET %s HTTP/1.1\r\nHost: %s:%d\r\nCookie: %s\r\n\r\n" % (path.encode(), c.host.encode(), c.port, c.cookie.encode()))
    return s, status_of(s.recv(64))


def test_answers_that_are_not_taken(lab):
    """Who is slow to take long answers on many connections is told to come again; nobody else is, and memory has an end."""
    london = alone(lab, viewers=1000)
    operator, viewer = Console(london, "operator"), Console(london, "viewer")
    ids = [london.send(london.alice, "G=Claude; S=Monet; O=Office; P=PARIS; A=POSTHORN; C=FR", "number %d" % i) for i in range(10)]
    for i in range(50):  # 500 events, each of some 1.2 KB
        same(operator.act(("hold", "release")[i % 2], {"all": True}, why='"' * 300)["done"], len(ids), "acts")
    path = "/api/events?max=500&category=operator"
    size = len(wait_for(lambda: (lambda a: a.octets if len(a.octets) > 400000 else None)(operator.ask("GET", path)), "a long answer"))
    before, held, status = london.usage("console.0")[1], [], 200
    while status == 200:
        expect(len(held) * size < 100 << 20, "an end of what is held for one user", len(held), size)
        s, status = slow_question(viewer, path)
        held.append(s)
    same(status, 503, "who holds too much is told")
    expect(len(held) * size > 30 << 20, "but not soon", len(held), size)
    answer = viewer.ask("GET", path)
    same((answer.status, answer.headers["retry-after"]), (503, "5"), "on another connection, too")
    london.event("console.answers-held", of="user viewer")
    same(viewer.ask("GET", "/api/session").status, 200, "a short answer is had all the same")
    same(operator.ask("GET", path).status, 200, "and others have theirs")
    memory = london.usage("console.0")[1]
    expect(memory - before < 100 << 20, "memory", before, memory)
    for s in held:
        s.close()
    wait_for(lambda: viewer.ask("GET", path).status == 200, "and so has he, when he has taken or left what was his")
    return "%d answers of %d KB, %d MB" % (len(held), size >> 10, memory >> 20)


def test_ten_thousand_connections(lab):
    london = alone(lab)
    c = Console(london, "operator")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(10000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 200), hard))
    held, refused = [], 0
    for i in range(n):
        s = socket.socket()
        s.settimeout(5)
        try:
            s.connect((c.host, c.port))
            held.append(s)
        except OSError:
            refused += 1
            s.close()
        if len(held) >= 2000:  # those that were turned away are of no more use
            held = [x for x in held if not closed(x)]
    descriptors, memory = london.usage("console.0")
    expect(descriptors < 4500 and memory < 400 << 20, "what they cost", descriptors, memory)
    # from another address there is room at once
    other = http.client.HTTPConnection(c.host, c.port, timeout=PATIENCE_S, source_address=("127.0.0.2", 0))
    other.request("GET", "/api/session", headers={"Host": "%s:%d" % (c.host, c.port), "Cookie": c.cookie})
    same(other.getresponse().status, 200, "from another address")
    for s in held:
        s.close()
    wait_for(lambda: works(c), "and from this one when they have gone")
    return "%d connections, %d descriptors, %d MB" % (n, descriptors, memory >> 20)


def closed(s):
    try:
        s.setblocking(False)
        gone = s.recv(1) == b""
    except BlockingIOError:
        gone = False
    except OSError:
        gone = True
    if gone:
        s.close()
    return gone


def works(c):
    try:
        return c.ask("GET", "/api/session").status == 200
    except OSError:
        return False


def test_the_consoles_death_stops_no_mail(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    with_console(lab, london)
    london.start()
    paris.start()
    c = Console(london, "operator")
    streams = [Stream(c) for _ in range(5)]
    stop = threading.Event()

    def hammer():
        while not stop.is_set():
            try:
                c.ask("GET", "/api/overview", judged=False)
            except (OSError, http.client.HTTPException):
                pass
    threads = [threading.Thread(target=hammer) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for i in range(3):
            mark, pid = london.mark(), london.pids()["console.0"]
            os.kill(pid, signal.SIGKILL)
            london.send(london.alice, paris.claude, "--text", "letter %d" % i)
            paris.wait_mail("claude", i + 1)
            london.event("process.started", mark, name="console.0")
    finally:
        stop.set()
        for t in threads:
            t.join()
    for s in streams:
        s.close()
    wait_for(lambda: status(c, "/api/session") == 401, "its sessions are gone")
    c.login("operator", "correct horse")
    wait_for(lambda: status(c, "/api/overview") == 200, "and it works")
    same(london.find("process.fault"), None, "nobody died by a fault")


def status(c, path):
    try:
        return c.ask("GET", path).status
    except (OSError, http.client.HTTPException):
        return 0


main(test_requests_that_make_no_sense, test_requests_that_are_too_long, test_addresses_that_lead_elsewhere, test_requests_from_other_sites, test_a_login_ends_the_session_before, test_the_cookie_behind_tls, test_metrics_with_a_token, test_guessed_passwords,
     test_passwords_guessed_through_a_proxy, test_slow_clients, test_answers_that_are_not_taken, test_ten_thousand_connections, test_the_consoles_death_stops_no_mail)
