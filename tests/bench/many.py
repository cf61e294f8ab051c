"""One message for very many: 32,000 recipients, a thousand links; a thousand associations at once, a million refused connects."""
import json, os, re, time

from common import Failed, Relay, cpu_of, end, peak_of, read_file

OCTETS, LINKS = 2048, 1000
ASSOCIATIONS, LONG = 1000, 65536
CONNECTS, CONNECTS_QUICK = 10 ** 6, 10 ** 5
MANY = [1000, 32000]
KINDS = [("one link", "C=SE; A=BENCH; P=SINK; O=Example; S=R#", []),
         ("1000 links", "C=SE; A=BENCH; P=MANY; O=O%; S=R#", []),
         ("all unknown, one report", "C=FR; A=BENCH; P=RELAY; S=R#", ["--report"]),
         ("all local", "C=FR; A=BENCH; P=RELAY; S=user", [])]


LOCAL = """  - match: "C=FR; A=BENCH; P=RELAY"
    to: local
mailboxes:
  - name: user
    addresses: ["S=user; P=RELAY; A=BENCH; C=FR"]
limits:
  associations: 2000
  associations-per-address: 2000
"""


def relay_of_many(build, root, interval="1 h"):
    """A thousand links: the first to the sink, the others to a port where nobody is."""
    links = "".join(f"""  - name: l{i}
    address: "127.0.0.1:{"{sink}" if i == 0 else 1}"
    remote-mta-name: load
    open-interval: {interval}
    max-open-retries: 1000000
    max-associations: 2
""" for i in range(LINKS))
    routes = "".join(f"""  - match: "C=SE; A=BENCH; P=MANY; O=O{i}"
    to: l{i}
""" for i in range(LINKS))
    return Relay(build, root, 1, interval="1 h", more_links=links, more=routes + LOCAL)


def send(relay, address, recipients, messages, run, options):
    p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--recipient", address, "--recipients", recipients, "--messages", messages,
                    "--size", OCTETS, "--run", run, *options)
    try:
        line = p.stdout.readline()
        if p.wait() != 0 or not line:
            raise Failed("a message of many recipients was not taken:\n" + read_file(relay.log)[-2000:])
    finally:
        end(p)
    return json.loads(line)


def recipients(build, root, n, kind, address, options):
    """Messages of n recipients, one or some, each from its beginning to its confirmation, with all that becomes of it here."""
    relay = relay_of_many(build, root)
    try:
        switch = relay.pid_of("switch")
        send(relay, address, 10, 3, "WARM", options)
        before, peak = cpu_of(switch), peak_of(switch)
        messages = max(8000 // n, 1)
        ms = send(relay, address, n, messages, "MANY", options)["p50_ms"]
        time.sleep(0.2)  # what is not waited for goes with the next group
        return dict(case=f"recipients-{n}, {kind}", size=OCTETS, associations=1, recipients=n, p50_ms=ms,
                    cpu_us_per_recipient=round((cpu_of(switch) - before) * 1e6 / n / messages, 2), peak_rss_mib=round(peak_of(switch), 1),
                    growth_mib=round(peak_of(switch) - peak, 1), load=round(os.getloadavg()[0], 1))
    finally:
        relay.close()


def links(build, root, transfers):
    """So many transfers in the queues of a thousand links, 999 of them dead: memory, restart, and what the living one costs."""
    relay = relay_of_many(build, root)
    try:
        switch = relay.pid_of("switch")
        before = cpu_of(switch)
        send(relay, KINDS[1][1], LINKS, transfers // LINKS, "LINKS", [])
        cpu_in, peak = (cpu_of(switch) - before) * 1e6 / transfers, peak_of(switch)
        relay.kill()
        sink = relay.bench("--listen", f"127.0.0.1:{relay.sink}", "--run", "LINKS", "--messages", transfers // LINKS, "--every", 1)
        try:
            sink.stdout.readline()  # it listens
            began = time.monotonic()
            relay.start()
            first = sink.stdout.readline()
            restart = time.monotonic() - began
            switch = relay.pid_of("switch")
            before = cpu_of(switch)
            while (line := sink.stdout.readline()).startswith("arrived"):
                pass
            if not first.startswith("arrived") or sink.wait() != 0 or not line:
                raise Failed("the queue of the living link did not arrive whole and once:\n" + read_file(relay.log)[-2000:])
        finally:
            end(sink)
        return dict(case="links-1000", size=OCTETS, associations=1, queued=transfers, in_cpu_us=round(cpu_in, 1),
                    out_cpu_us=round((cpu_of(switch) - before) * 1e6 / (transfers // LINKS), 1), restart_s=round(restart, 2),
                    peak_rss_mib=round(max(peak, peak_of(switch)), 1), load=round(os.getloadavg()[0], 1))
    finally:
        relay.close()


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    """What a process has in memory now, in MiB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", read_file(f"/proc/{pid}/status")).group(1)) / 1024


def associations(build, root):
    """So many at once in one link process, each with messages of its own on the way in."""
    relay = Relay(build, root, 1, interval="1 h", more=LOCAL)
    try:
        link = relay.pid_of("link")
        before = resident(link)
        p = relay.bench("--to", f"127.0.0.1:{relay.port}", "--recipient", "C=FR; A=BENCH; P=RELAY; S=user", "--messages", 2 * ASSOCIATIONS,
                        "--size", LONG, "--associations", ASSOCIATIONS, "--run", "ALL")
        most = 0
        try:
            while p.poll() is None:
                most = max(most, descriptors(link))
                time.sleep(0.05)
            if p.wait() != 0:
                raise Failed("messages on a thousand associations were not taken:\n" + read_file(relay.log)[-2000:])
        finally:
            end(p)
        return dict(case=f"associations-{ASSOCIATIONS}", size=LONG, associations=ASSOCIATIONS, descriptors=most, before_mib=round(before, 1),
                    peak_rss_mib=round(peak_of(link), 1), load=round(os.getloadavg()[0], 1))
    finally:
        relay.close()


def refused():
    """Connects of this host that failed, since its start."""
    names, values = [line.split() for line in read_file("/proc/net/snmp").splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("AttemptFails")])


def wait_refused(relay, until):
    while refused() < until:
        if relay.process.poll() is not None:
            raise Failed("the relay has ended:\n" + read_file(relay.log)[-2000:])
        time.sleep(0.2)


def connects(build, root, n):
    """Refused ones, of a thousand links that try again every 10 ms: memory and descriptors after the first 20,000, and at the end."""
    relay = relay_of_many(build, root, "10 ms")
    try:
        pids = {kind: relay.pid_of(kind) for kind in ("switch", "link")}
        send(relay, KINDS[1][1], LINKS, 1, "ALL", [])
        began = refused()
        wait_refused(relay, began + 20000)
        first = {kind: (resident(pid), descriptors(pid)) for kind, pid in pids.items()}
        start, cpu = time.monotonic(), sum(map(cpu_of, pids.values()))
        at = refused()
        wait_refused(relay, began + n)
        took, made = time.monotonic() - start, refused() - at
        last = {kind: (resident(pid), descriptors(pid)) for kind, pid in pids.items()}
        return dict(case=f"connects-{n}", refused=made, per_s=round(made / took), cpu_us=round((sum(map(cpu_of, pids.values())) - cpu) * 1e6 / made, 1),
                    growth_mib=round(max(last[k][0] - first[k][0] for k in pids), 1),
                    descriptors=max(last[k][1] - first[k][1] for k in pids), load=round(os.getloadavg()[0], 1))
    finally:
        relay.close()


def run(build, root, largest):
    print(f"\nOne message to many: ms to its confirmation, the switch's us for each recipient, its peak memory")
    rows = []
    for kind, address, options in KINDS:
        for n in MANY:
            rows.append(recipients(build, root, n, kind, address, options))
            r = rows[-1]
            print(f"{r['case'].ljust(44)} {r['p50_ms']:9.1f} ms {r['cpu_us_per_recipient']:7.2f} us {r['peak_rss_mib']:7.1f} MiB", flush=True)
    rows.append(links(build, root, max(largest, 10 ** 4)))
    r = rows[-1]
    print(f"1000 links, 999 dead, {r['queued']} transfers: in {r['in_cpu_us']} us each, restart {r['restart_s']} s, {r['peak_rss_mib']} MiB")
    rows.append(associations(build, root))
    r = rows[-1]
    print(f"{r['associations']} associations at once, {r['descriptors']} descriptors: {r['peak_rss_mib']} MiB in the link process")
    rows.append(connects(build, root, CONNECTS if largest >= 10 ** 5 else CONNECTS_QUICK))
    r = rows[-1]
    print(f"{r['refused']} refused connects, {r['per_s']} a second, {r['cpu_us']} us each: {r['growth_mib']:+} MiB, {r['descriptors']:+} descriptors")
    return rows


def check(rows):
    """What the project holds itself to: (reached, text)."""
    lines = []
    for kind, _, _ in KINDS:
        few, many = (next((r for r in rows if r["case"] == f"recipients-{n}, {kind}"), None) for n in MANY)
        if few and many:
            growth = many["cpu_us_per_recipient"] / few["cpu_us_per_recipient"] - 1
            lines.append((growth <= 0.5, f"{many['recipients']} recipients, {kind}: {many['cpu_us_per_recipient']} us each, {growth:+.0%} to "
                          f"{few['recipients']}, want at most +50%: it is linear"))
    for r in rows:
        if r["case"] == "links-1000":
            lines.append((r["peak_rss_mib"] < 128, f"memory of the switch with {r['queued']} transfers in 1000 queues: {r['peak_rss_mib']} MiB, "
                          "want under 128"))
        if r["case"] == f"associations-{ASSOCIATIONS}":
            lines.append((r["descriptors"] > ASSOCIATIONS and r["peak_rss_mib"] < 256, f"memory of a link process with {r['descriptors']} "
                          f"descriptors open: {r['peak_rss_mib']} MiB, want {ASSOCIATIONS} associations under 256"))
        if r["case"].startswith("connects-"): # a descriptor of an attempt under way comes and goes
            lines.append((r["growth_mib"] < 8 and r["descriptors"] < LINKS, f"{r['refused']} refused connects: memory {r['growth_mib']:+} MiB, want under 8; "
                          f"descriptors {r['descriptors']:+}, want no more than attempts under way"))
    return lines
