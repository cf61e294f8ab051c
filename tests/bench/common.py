"""What the cases of the bench share: processes and what they use, the relay."""
import json, os, re, shutil, signal, socket, subprocess, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = """# The relay of the bench. As an operator of a busy relay on two cores would set it: up to 20 associations to the next hop
# for ordinary mail (one more is kept for urgent mail), opened as soon as there is more than one message for each; content up
# to 128 K in the database, whose one commit for a whole group a busy disk does sooner than a file for each message.
mta:
  name: relay
  domain: "C=FR; A=BENCH; P=RELAY"
store:
  directory: "{directory}/store"
  inline-content: 128 K
  cache: 16 M
listen: ["127.0.0.1:{port}"]
processes:
  links: {links}
links:
  - name: load
    remote-mta-name: load
    remote-password: secret
    checkpoint-size: {checkpoint}
  - name: sink
    address: "127.0.0.1:{sink}"
    remote-mta-name: load
    threshold: 1
    max-associations: {associations}
    open-interval: {interval}
    max-open-retries: 100000
    checkpoint-size: {checkpoint}
{more_links}routes:
  - match: "C=SE; A=BENCH; P=SINK"
    to: sink
{more}"""


class Failed(Exception):
    pass


def free_ports(n):
    held = []
    for _ in range(n):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        held.append(s)
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def tree(root):
    """The pids of a process and all that descend from it."""
    parent = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent[int(name)] = int(open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                pass
    found = [root]
    for pid in found:
        found += [p for p, of in parent.items() if of == pid]
    return found


def cpu_seconds(root):
    """User and system time of a tree, with what its processes have taken over from children that ended."""
    ticks = 0
    for pid in tree(root):
        try:
            fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
            ticks += sum(int(x) for x in fields[11:15])
        except OSError:
            pass
    return ticks / TICKS


def cpu_of(pid):
    """Seconds on a processor, of one process, to the nanosecond."""
    return int(read_file(f"/proc/{pid}/schedstat").split()[0]) / 1e9


def peak_of(pid):
    """Peak resident memory of one process, in MiB."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", read_file(f"/proc/{pid}/status")).group(1)) / 1024


def peaks(root):
    """Peak resident memory of each process of a tree, in MiB."""
    out = {}
    for pid in tree(root):
        try:
            m = re.search(r"VmHWM:\s+(\d+) kB", open(f"/proc/{pid}/status").read())
            name = open(f"/proc/{pid}/cmdline").read().split("\0")
            out[pid] = (int(m.group(1)) / 1024 if m else 0, " ".join(name[1:4]).strip())
        except OSError:
            pass
    return out


def wait_until(what, test, process, patience=30):
    until = time.monotonic() + patience
    while not test():
        if process.poll() is not None or time.monotonic() > until:
            raise Failed(f"{what} did not happen (exit status {process.poll()})")
        time.sleep(0.02)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def read_file(path):
    try:
        return open(path, errors="replace").read()
    except OSError:
        return ""


class Relay:
    """posthorn run, with settings of its own."""

    def __init__(self, build, root, associations, checkpoint=30, links=1, interval="100 ms", more_links="", more=""):
        """more_links, more: YAML after the links and after the routes; {sink} in it is the sink's port."""
        self.binary = os.path.join(build, "posthorn")
        self.directory = tempfile.mkdtemp(prefix="relay-", dir=root)
        self.port, self.sink = free_ports(2)
        self.checkpoint = checkpoint
        self.settings = SETTINGS.format(directory=self.directory, port=self.port, sink=self.sink, links=links, interval=interval,
                                        checkpoint=checkpoint, associations=associations + 1,
                                        more_links=more_links.format(sink=self.sink), more=more)
        self.log = os.path.join(self.directory, "events")
        self.start()

    def start(self):
        config = os.path.join(self.directory, "relay.yaml")
        with open(config, "w") as f:
            f.write(self.settings)
        self.process = subprocess.Popen([self.binary, "run", "-c", config], stdout=subprocess.DEVNULL, stderr=open(self.log, "w"),
                                        stdin=subprocess.DEVNULL)
        wait_until("the start of the relay", lambda: "supervisor.up" in read_file(self.log), self.process)

    def kill(self):
        """All its processes at once, as a power cut does it to them (what they wrote is in the page cache still)."""
        for pid in tree(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()

    def pid_of(self, kind):
        """The pid of one process of the relay, by its command line."""
        for pid in tree(self.process.pid):
            if f"\0{kind}\0" in read_file(f"/proc/{pid}/cmdline"):
                return pid
        raise Failed(f"there is no {kind} process")

    def bench(self, *options):
        """A load or a sink: see posthorn bench --help."""
        return subprocess.Popen([self.binary, "bench", "--mta", "load", "--password", "secret", "--checkpoint-size",
                                 str(self.checkpoint), "--json", *map(str, options)], stdout=subprocess.PIPE, text=True)

    def load(self, associations, size, warm, messages, seconds):
        """Runs load and sink; the result, with the CPU time of the measured part."""
        p = self.bench("--to", f"127.0.0.1:{self.port}", "--listen", f"127.0.0.1:{self.sink}", "--associations", associations, "--size", size,
                       "--warm", warm, "--messages", messages, "--seconds", seconds)
        try:
            if warm and p.stdout.readline() != "warm\n":
                raise Failed("the warm-up of the relay failed:\n" + read_file(self.log)[-2000:])
            before = cpu_seconds(self.process.pid)
            line = p.stdout.readline()
            used = cpu_seconds(self.process.pid) - before
            if p.wait() != 0 or not line:
                raise Failed("the load did not arrive whole and once:\n" + read_file(self.log)[-2000:])
        finally:
            end(p)
        result = json.loads(line)
        result["cpu_us"] = used * 1e6 / max(result["messages"], 1)
        return result

    def close(self):
        end(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)
