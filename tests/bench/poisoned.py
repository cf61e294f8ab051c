"""Good messages with poison among them: what the good ones lose by it. See tests/lib/poison.py for what the poison does.

Runs without and with poison take turns, each on fresh stores; the medians are compared. Wall time, since a process that is started
again, an association that is opened again and a message that is handled alone cost waiting more than work."""
import os, statistics, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import poison

GOOD, POISON, ROUNDS, WANTED = 1000, 20, 3, 0.8
SIZES = [("poison", 512), ("poison, small", 8)]  # lines of a good message; small ones are over before the poison is


def one(program, case, lines):
    clean, with_poison = [], []
    for _ in range(ROUNDS):
        clean.append(poison.run(program, GOOD, 0, lines=lines))
        with_poison.append(poison.run(program, GOOD, POISON, lines=lines))
    restarted = poison.run(program, GOOD, POISON, restart=True, lines=lines)
    rate = lambda runs: statistics.median(r["msgs_per_s"] for r in runs)
    row = dict(case=case, size=len(poison.LINE) * lines, associations=8, msgs_per_s=round(rate(with_poison), 1), good=GOOD, poison=POISON,
               clean_msgs_per_s=round(rate(clean), 1), ratio=round(rate(with_poison) / rate(clean), 2), quarantined=POISON,
               reported=with_poison[0]["reports"], alarms=with_poison[0]["alarms"], deaths=max(r["faults"] for r in with_poison),
               restart_msgs_per_s=round(restarted["msgs_per_s"], 1), load=round(os.getloadavg()[0], 1))
    print(f"{row['size']} octets: {row['msgs_per_s']}/s good ones, without poison {row['clean_msgs_per_s']}/s: {row['ratio']}; {row['deaths']} processes died; "
          f"{row['reported']} reported, {row['alarms']} alarms; with a restart in the middle {row['restart_msgs_per_s']}/s")
    return row


def run(build):
    """The rows."""
    print(f"\n{GOOD} good messages with {POISON} poisonous ones, each round with and without, medians of {ROUNDS}:")
    return [one(os.path.join(build, "posthorn"), case, lines) for case, lines in SIZES]


def check(rows):
    return [(r["ratio"] >= WANTED, f"{r['case']}, {r['size']} octets: the good ones at {r['ratio']} of their rate without it, want {WANTED}") for r in rows]
