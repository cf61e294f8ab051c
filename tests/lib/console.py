"""console.py - the console's API as a program uses it, and docs/openapi.yaml as a judge of every answer."""
import http.client
import json
import os
import socket

from browser import PASSWORDS
from posthorn import PATIENCE_S, Skip, expect, same, source, wait_for

try:
    import yaml
    with open(source("docs", "openapi.yaml"), encoding="utf-8") as f:
        CONTRACT = yaml.safe_load(f)
except ImportError:
    yaml = None


def judge(value, schema, where):
    """Every field of a real answer stands in the contract, with its type; what the contract requires is there."""
    while "$ref" in schema:
        schema = CONTRACT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if value is None:
        expect(schema.get("nullable"), "%s may not be null" % where)
        return
    kind = schema["type"]
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}
    expect(isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool)), "%s is of type %s" % (where, kind), value)
    if "enum" in schema:
        expect(value in schema["enum"], "%s is one of %s" % (where, schema["enum"]), value)
    if kind == "array":
        for i, x in enumerate(value):
            judge(x, schema["items"], "%s[%d]" % (where, i))
    if kind == "object":
        known = schema.get("properties", {})
        missing, unknown = set(schema.get("required", ())) - set(value), set(value) - set(known)
        expect(not missing and not unknown, "%s has the fields of the contract" % where, "missing %s, unknown %s" % (sorted(missing), sorted(unknown)))
        for name, x in value.items():
            judge(x, known[name], "%s.%s" % (where, name))


def operation(method, path):
    """What the contract says of a path as it was asked for."""
    parts = path.split("?")[0].strip("/").split("/")
    for pattern, methods in CONTRACT["paths"].items():
        wanted = pattern.strip("/").split("/")
        if len(wanted) == len(parts) and all(w == p or w.startswith("{") for w, p in zip(wanted, parts)) and method.lower() in methods:
            return methods[method.lower()]
    return None


class Answer:
    def __init__(self, response, octets):
        self.status, self.octets = response.status, octets
        self.headers = {k.lower(): v for k, v in response.getheaders()}

    @property
    def json(self):
        return json.loads(self.octets)


def rest(sock):
    """What comes until the connection ends."""
    octets = b""
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return octets
            octets += piece
    except ConnectionError:
        return octets


class Console:
    """One client, with a session once it has logged in. Every answer below /api is judged."""

    def __init__(self, m, user=None, password=None):
        if yaml is None:
            raise Skip("no python3-yaml here: tools/install-deps test")
        self.host, port = m.console.rsplit("/", 1)[1].split(":")
        self.port = int(port)
        self.cookie = self.csrf = None
        if user is not None:
            self.login(user, PASSWORDS[user] if password is None else password)

    def ask(self, method, path, body=None, headers=(), judged=True):
        c = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)
        sent = {"Host": "%s:%d" % (self.host, self.port)}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if method == "POST":
            sent["Content-Type"] = "application/json"
            if self.csrf:
                sent["X-Posthorn-CSRF"] = self.csrf
        sent.update(headers)
        sent = {k: v for k, v in sent.items() if v is not None}
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        try:
            c.request(method, path, data if data is not None or method != "POST" else b"{}", sent)
            r = c.getresponse()
            answer = Answer(r, r.read())
        finally:
            c.close()
        if judged and path.startswith("/api/"):
            self.judge(method, path, answer)
        return answer

    def judge(self, method, path, answer):
        if answer.status >= 400:
            judge(answer.json, {"$ref": "#/components/schemas/Error"}, "%s %s: %d" % (method, path, answer.status))
            return
        said = operation(method, path)
        expect(said is not None, "the contract has %s %s" % (method, path))
        content = said["responses"][str(answer.status)]["content"]
        same(answer.headers["content-type"].split(";")[0], next(iter(content)), "type of %s" % path)
        if "application/json" in content:
            judge(answer.json, content["application/json"]["schema"], path)
        same(answer.headers.get("x-content-type-options"), "nosniff", "header of %s" % path)
        expect("default-src 'self'" in answer.headers.get("content-security-policy", ""), "a strict policy", answer.headers)
        if path != "/api/openapi.yaml":
            same(answer.headers.get("cache-control"), "no-store", "Cache-Control of %s" % path)

    def get(self, path, status=200, **headers):
        answer = self.ask("GET", path, headers=headers)
        same(answer.status, status, "status of GET %s (%s)" % (path, answer.octets[:200]))
        return answer.json if answer.headers.get("content-type", "").startswith("application/json") else answer.octets

    def post(self, path, body=None, status=200, **headers):
        answer = self.ask("POST", path, {} if body is None else body, headers)
        same(answer.status, status, "status of POST %s (%s)" % (path, answer.octets[:200]))
        return answer.json

    def overview(self):
        """How it is now; waits while the console does not know yet."""
        def now():
            answer = self.ask("GET", "/api/overview")
            expect(answer.status in (200, 503), "status of /api/overview", answer.status, answer.octets[:200])
            return answer.json if answer.status == 200 else None
        return wait_for(now, "an overview")

    def login(self, user, password, status=200):
        answer = self.ask("POST", "/api/login", {"name": user, "password": password})
        same(answer.status, status, "status of a login (%s)" % answer.octets[:200])
        if status == 200:
            said = answer.headers["set-cookie"]
            expect("HttpOnly" in said and "SameSite=Strict" in said and "Path=/" in said, "the cookie is for us alone", said)
            self.cookie, self.csrf = said.split(";")[0], answer.json["csrf"]
        return answer

    def pages(self, path, rows=50):
        """All rows of a list, page by page."""
        after, found = None, []
        while True:
            page = self.get("%s%smax=%d%s" % (path, "&" if "?" in path else "?", rows, "" if after is None else "&after=%d" % after))
            found += page["rows"]
            after = page["next"]
            if after is None:
                return found

    def act(self, what, selection, **more):
        """An act on all of the queue that a selection finds, to the end; one answer has what was done in a moment. Gives {found, done}."""
        sums, after = {"found": 0, "done": 0}, {}
        while True:
            got = self.post("/api/queue/" + what, {"filter": selection, **more, **after})
            for name in sums:
                sums[name] += got[name]
            if got["next"] is None:
                return sums
            after = {"after": got["next"]}

    def raw(self, octets, patience=PATIENCE_S, half=False):
        """What comes back for these octets, until the other side closes; half: no more comes from us."""
        with socket.create_connection((self.host, self.port), timeout=patience) as s:
            s.sendall(octets)
            if half:
                s.shutdown(socket.SHUT_WR)
            return rest(s)


class Stream:
    """Server-sent events, one at a time. after: the number of the last one that was heard before; window: octets the system takes in for who
    does not read."""

    def __init__(self, console, after=None, window=None, query=""):
        self.c = http.client.HTTPConnection(console.host, console.port, timeout=PATIENCE_S)
        if window is not None:
            self.c.sock = socket.socket()
            self.c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            self.c.sock.settimeout(PATIENCE_S)
            self.c.sock.connect((console.host, console.port))
        headers = {"Host": "%s:%d" % (console.host, console.port), "Cookie": console.cookie or ""}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        self.c.request("GET", "/api/stream" + query, headers=headers)
        self.response = self.c.getresponse()
        self.status = self.response.status

    def next(self):
        """(event, data); None at the end."""
        event, data = None, None
        while True:
            line = self.response.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line == "" and event is not None:
                return event, json.loads(data)
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data":
                data = value

    def until(self, event, wanted=lambda data: True):
        while True:
            got = self.next()
            expect(got is not None, "%s comes before the end of the stream" % event)
            if got[0] == event and wanted(got[1]):
                return got[1]

    def close(self):
        self.c.close()
