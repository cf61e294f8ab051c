"""What do 100 pages that follow live cost the switch, and how long does the console take to answer when a million messages wait?

 cost     processor time of the switch for a message, relayed as fast as they come, without viewers and with VIEWERS, by turns in one run: what the
          switch can do is the reciprocal of it. Beside it the rates, in which the console's own time counts too, as it shares the processors.
 answers  the longest of some answers of each page of the console, while mail comes in

usage: tests/bench/viewers.py BUILD [MESSAGES WAITING]      (default 60000 1000000)"""
import http.client, json, os, selectors, shutil, socket, statistics, subprocess, sys, tempfile, threading, time

sys.dont_write_bytecode = True
from common import Failed, Relay, cpu_of, free_ports

VIEWERS, TURNS, ASSOCIATIONS, SIZE = 100, 3, 20, 2048
PASSWORD = "a long password"
WAITING_SETTINGS = """mta:
  name: relay
  domain: "C=GB; A=GOLD; P=LONDON"
store:
  directory: "{directory}"
listen: ["127.0.0.1:{port}"]
links:
  - {{name: TOKYO, address: "127.0.0.1:{dead}", remote-mta-name: tokyo, open-interval: 1 h, max-open-retries: 100000}}
  - {{name: PARIS, address: "127.0.0.1:{dead}", remote-mta-name: paris, open-interval: 1 h, max-open-retries: 100000}}
routes:
  - {{match: "C=GB; A=GOLD; P=LONDON", to: TOKYO}}
mailboxes:
  - {{name: anna, addresses: ["S=Anna; P=HERE; A=GOLD; C=GB"]}}
{console}"""


def console_settings(build, port):
    said = subprocess.run([os.path.join(build, "posthorn"), "console-password", "--name", "bench", "--role", "operator"], input=PASSWORD + "\n", text=True,
                          capture_output=True, check=True).stdout
    return f'console:\n  listen: ["127.0.0.1:{port}"]\n  users:\n' + said


class Client:
    def __init__(self, port):
        self.port, self.cookie, self.csrf = port, None, None
        status, headers, body = self.ask("POST", "/api/login", {"name": "bench", "password": PASSWORD})
        if status != 200:
            raise Failed(f"no login: {status} {body}")
        self.cookie, self.csrf = headers["Set-Cookie"].split(";")[0], json.loads(body)["csrf"]

    def ask(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", "Cookie": self.cookie or "", "X-Posthorn-CSRF": self.csrf or ""}
        c.request(method, path, None if body is None else json.dumps(body), headers)
        r = c.getresponse()
        try:
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def timed(self, method, path, body=None):
        began = time.monotonic()
        status, _, octets = self.ask(method, path, body)
        took = time.monotonic() - began
        if status != 200:
            raise Failed(f"{path}: {status} {octets[:200]}")
        return took, json.loads(octets)


class Viewers(threading.Thread):
    """Pages that read whatever comes."""

    def __init__(self, client, n):
        super().__init__(daemon=True)
        self.selector, self.octets, self.open = selectors.DefaultSelector(), 0, True
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", client.port))
            s.sendall(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nCookie: {client.cookie}\r\n\r\n".encode())
            self.selector.register(s, selectors.EVENT_READ)
        self.start()

    def run(self):
        while self.open:
            for key, _ in self.selector.select(0.2):
                self.octets += len(key.fileobj.recv(1 << 20))

    def close(self):
        self.open = False
        self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def cost(build, root, messages):
    port, = free_ports(1)
    relay = Relay(build, root, ASSOCIATIONS, more=console_settings(build, port))
    try:
        client = Client(port)
        rows = {0: [], VIEWERS: []}
        relay.load(ASSOCIATIONS, SIZE, messages // 4, messages // 4, 60)
        for _ in range(TURNS):
            for n in rows:
                viewers = Viewers(client, n) if n else None
                switch, console = relay.pid_of("switch"), relay.pid_of("console")
                before = cpu_of(switch), cpu_of(console)
                result = relay.load(ASSOCIATIONS, SIZE, 0, messages, 60)
                rows[n].append(((cpu_of(switch) - before[0]) * 1e6 / result["messages"], result["msgs_per_s"], (cpu_of(console) - before[1]) * 1e6 / result["messages"]))
                if viewers:
                    viewers.close()
                    if viewers.octets == 0:
                        raise Failed("the viewers have seen nothing")
    finally:
        relay.close()
    best = {n: (min(r[0] for r in v), max(r[1] for r in v), min(r[2] for r in v)) for n, v in rows.items()}
    for n, (us, rate, console) in best.items():
        print(f"{n:4} viewers: switch {us:6.1f} us a message, {rate:7.0f} messages/s, console {console:6.1f} us a message")
    lost = 1 - best[0][0] / best[VIEWERS][0]
    print(f"{VIEWERS} viewers take {100 * lost:.1f} % of what the switch can do (want under 5), rate {best[VIEWERS][1] / best[0][1]:.2f} of that without them")
    return lost < 0.05


def answers(build, root, waiting):
    directory = os.path.join(root, "store")
    port, listen, dead = free_ports(3)
    began = time.monotonic()
    subprocess.run([os.path.join(build, "tests/bench/store_fill"), directory, str(waiting), str(int(time.time() * 1000) + 30 * 86400 * 1000)], check=True)
    print(f"a store of {waiting} messages made in {time.monotonic() - began:.0f} s")
    config = os.path.join(root, "waiting.yaml")
    with open(config, "w") as f:
        f.write(WAITING_SETTINGS.format(directory=directory, port=listen, dead=dead, console=console_settings(build, port)))
    program = os.path.join(build, "posthorn")
    log = open(os.path.join(root, "log"), "w")
    mta = subprocess.Popen([program, "run", "-c", config], stderr=log, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    stop = threading.Event()

    def mail():
        while not stop.is_set():
            subprocess.run([program, "send", "-c", config, "--from", "anna", "--to", "S=X; P=LONDON; A=GOLD; C=GB", "moving"], capture_output=True)
            stop.wait(0.1)
    try:
        until = time.monotonic() + 120
        while True:
            try:
                client = Client(port)
                if json.loads(client.ask("GET", "/api/overview")[2]).get("switch"):
                    break
            except (OSError, Failed):
                pass
            if time.monotonic() > until or mta.poll() is not None:
                raise Failed("the MTA does not start")
            time.sleep(0.5)
        mover = threading.Thread(target=mail, daemon=True)
        mover.start()
        return ask_all(client)
    finally:
        stop.set()
        mta.terminate()
        mta.wait(60)
        log.close()


def ask_all(client):
    longest = {}

    def ask(path, method="GET", body=None, name=None):
        took, answer = client.timed(method, path, body)
        name = name or path.split("&after")[0]
        longest[name] = max(longest.get(name, 0), took)
        return answer
    seen, after = [], 0
    for _ in range(20):
        page = ask(f"/api/queue?max=200&after={after}")
        seen += [r["transfer"] for r in page["rows"]]
        after = page["next"]
    stable = seen == sorted(set(seen)) and len(seen) > 0
    for path in ("/api/queue?link=PARIS", "/api/queue?recipient=operations", "/api/queue?recipient=nobody-at-all", "/api/queue?id=LONDON-0000000000000000",
                 "/api/queue?larger=50000", "/api/queue?held=1", "/api/overview", "/api/links/TOKYO", "/api/quarantine", "/api/history", "/api/events",
                 f"/api/message/transfer/{seen[0]}", f"/api/message/transfer/{seen[0]}/text", "/api/trace?id=LONDON-0000000000000000",
                 "/api/track?address=C%3DGB%3B+A%3DGOLD%3B+P%3DLONDON%3B+O%3DExample%3B+OU1%3DOperations%3B+S%3DSender%3B+G%3DSome"):
        for _ in range(3):
            ask(path)
    held = ask("/api/queue/hold", "POST", {"filter": {"link": "PARIS"}, "why": "bench"}, "POST /api/queue/hold, a slice of all PARIS")
    ask("/api/queue/release", "POST", {"filter": {"held": True}, "why": "bench"}, "POST /api/queue/release, a slice of what is held")
    for name, took in sorted(longest.items(), key=lambda x: -x[1]):
        print(f"{took * 1000:7.0f} ms  {name}")
    print(f"a slice held {held['done']} of PARIS; paging is {'stable' if stable else 'NOT STABLE'} while mail moves: {len(seen)} rows, each once, in order")
    slow = {n for n, took in longest.items() if took >= 1 and not n.startswith("POST")} | {n for n, took in longest.items() if took >= 3}
    print(f"longest answer {max(t for n, t in longest.items() if not n.startswith('POST')) * 1000:.0f} ms (want under 1000)")
    return stable and not slow


def main():
    build = os.path.abspath(sys.argv[1])
    messages, waiting = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (60000, 1000000)
    root = tempfile.mkdtemp(prefix="viewers-")
    try:
        good = cost(build, root, messages)
        good = answers(build, root, waiting) and good
    finally:
        shutil.rmtree(root, ignore_errors=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
