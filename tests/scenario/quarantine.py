#!/usr/bin/env python3
"""What lies in quarantine, in an operator's hands: listed, shown, exported, released, deleted; of messages that processes died of, and
of octets of a peer."""
import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import peer as p  # noqa: E402
from bad_input import Site, Transfer, armed, kills_the_link  # noqa: E402
from posthorn import expect, main, same, typed, wait_for  # noqa: E402
from suspects import armed as armed_pair  # noqa: E402

USAGE, REFUSED = 64, 1


def kept(m):
    return [r for r in m.rows("quarantine", "list") if r["state"] == "kept"]


def show(m, number, *more):
    return m.rows("quarantine", "show", str(number), *more)[0]


def restart_unharmed(m):
    """The cause is mended: no fault plan any more."""
    m.stop()
    mark = m.mark()
    m.start(wait=False)
    m.event("supervisor.up", after=mark)


def poisoned(lab):
    """London with one message in quarantine that has killed three processes: (london, paris, its row)."""
    london, paris = armed_pair(lab, "LINK_ENCODE:@poison-one:abort")
    paris.settings["mailboxes"].append({"name": "poison", "addresses": [paris.address("poison-one", "Nobody")]})
    paris.stop()
    mark = paris.mark()
    paris.start(wait=False)
    paris.event("supervisor.up", after=mark)
    mts_id = london.send(london.alice, paris.address("poison-one", "Nobody"), "--subject", "Bad", "the text of it")
    london.event("message.quarantined")
    row = wait_for(lambda: kept(london), "it is there")[0]
    same((row["id"], row["what"], row["link"], row["strikes"]), (mts_id, "message", "paris", 3), "the row")
    return london, paris, row


def message_shown_exported_released(lab):
    london, paris, row = poisoned(lab)
    number = str(row["quarantine"])
    expect("in quarantine: 1" in london.command("status", "-c", london.path), "the line of the status")
    shown = show(london, number, "--octets")
    same((shown["kind"], shown["strikes"], shown["link"]), ("message", "3", "paris"), "what is shown")
    expect("poison-one" in str(shown["recipients"]) and "signal" in shown["words"] + shown["cause"], "recipient and last words", shown)
    expect(shown["octets"][0].startswith("0000  "), "the first octets", shown["octets"][:1])
    text = london.command("quarantine", "show", "-c", london.path, number)
    expect("posthorn trace" in text and "poison-one" in text, "as text", text)

    out = os.path.join(lab.root, "apdu.bin")
    london.command("quarantine", "export", "-c", london.path, number, out, "--p1")
    same(stat.S_IMODE(os.stat(out).st_mode), 0o600, "mode of the file")
    decoded = lab.command("decode", out)
    expect("poison-one" in decoded and "the text of it" in decoded, "posthorn decode reads the export", decoded[:1500])
    london.command("quarantine", "export", "-c", london.path, number, out, status=REFUSED)
    expect("File exists" in lab.last_error, "nothing is written over", lab.last_error)
    half = os.path.join(lab.root, "half.bin")
    found = subprocess.run(["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "-", lab.program, "quarantine", "export", "-c", london.path,
                            number, half], check=False, stderr=subprocess.PIPE)
    same((found.returncode, os.path.exists(half)), (REFUSED, False), "a file that cannot be written whole")
    london.command("quarantine", "export", "-c", london.path, number, os.path.join(lab.root, "content.bin"))
    with open(os.path.join(lab.root, "content.bin"), "rb") as f, open(out, "rb") as whole:
        content = f.read()
        expect(len(content) > 0 and whole.read().endswith(content), "the content is the end of the APDU")

    for what in ("hold", "delete"):
        london.command("queue", what, "-c", london.path, "--id", number, "--yes", status=REFUSED)
    restart_unharmed(london)
    london.command("quarantine", "release", "-c", london.path, number, "--why", "mended")
    got = paris.wait_mail("poison", 1)
    same(got[0]["id"], row["id"], "delivered under its own identifier")
    london.wait_empty()
    same(kept(london), [], "quarantine")
    expect({"struck", "quarantined", "report-made", "released", "transfer-out"} <= set(london.steps(row["id"])), "its journey",
           london.steps(row["id"]))
    london.command("quarantine", "release", "-c", london.path, number, status=REFUSED)
    return "show, export --p1, decode, release"


def message_that_kills_again_is_back(lab):
    london, _, row = poisoned(lab)
    mark = london.mark()
    london.command("quarantine", "release", "-c", london.path, str(row["quarantine"]))
    london.event("message.quarantined", mark)
    wait_for(lambda: [r["quarantine"] for r in kept(london)] == [row["quarantine"]], "the same one is back")
    dead = [e["fields"]["name"] for e in london.events[mark:] if e["event"] == "process.fault"]
    expect(dead and set(dead) == {"alone.0"}, "who has died of it again", dead)
    london.command("quarantine", "delete", "-c", london.path, str(row["quarantine"]), status=USAGE)
    london.command("quarantine", "delete", "-c", london.path, str(row["quarantine"]), "--why", "it kills")
    same(kept(london), [], "quarantine")
    expect("it kills" in london.command("trace", "-c", london.path, row["id"]), "why, in its journey")
    event = london.event("operator.act", mark, what="quarantine-delete")
    same((event["fields"]["message"], event["fields"]["why"]), (row["id"], "it kills"), "the audit")
    return "released, dead again, deleted"


def octets_decoded_by_the_command(lab):
    """What the processes of this MTA die of, the command can read: it goes in as what the link has brought."""
    site = armed(lab, "LINK_DECODE:@bad.:abort")
    mark = site.m.mark()
    apdu = kills_the_link(site)
    site.m.event("message.octets-quarantined", mark)
    row = wait_for(lambda: kept(site.m), "kept")[0]
    number = str(row["quarantine"])
    same((row["what"], row["link"], row.get("id", "")), ("octets", "paris", ""), "the row")
    out = os.path.join(lab.root, "octets.bin")
    site.m.command("quarantine", "export", "-c", site.m.path, number, out)
    with open(out, "rb") as f:
        same(f.read(), p.rt_value(apdu), "the export is what came")
    shown = show(site.m, number, "--octets")
    expect(shown["octets"][0].split()[1] == "%02x" % p.rt_value(apdu)[0], "the first octet", shown["octets"][0])
    site.m.command("quarantine", "release", "-c", site.m.path, number, "--to", "paris", status=USAGE)
    site.m.command("quarantine", "release", "-c", site.m.path, number, "--why", "read by hand")
    entry = site.m.wait_mail("alice", 1)[0]
    same(entry["id"], "C=FR;A=POSTHORN;P=PARIS;L=bad.1", "delivered under the identifier it came with")
    same(kept(site.m), [], "quarantine")
    steps = site.m.rows("trace", entry["id"])
    same([(s["step"], s["peer"]) for s in steps][0], ("transfer-in", "paris"), "its journey begins at the link")
    return "export, release"


def octets_that_nobody_can_read(lab):
    site = Site(lab)
    answer = Transfer.give(site.bound(), b"\xff" * 300)
    expect(p.is_accepted(answer), "confirmed", answer.hex())
    row = wait_for(lambda: kept(site.m), "kept")[0]
    number = str(row["quarantine"])
    site.m.command("quarantine", "release", "-c", site.m.path, number, status=REFUSED)
    expect("stays in quarantine" in lab.last_error, "why it is not released", lab.last_error)
    site.m.command("quarantine", "export", "-c", site.m.path, number, "-", "--p1", status=USAGE)
    text = site.m.command("quarantine", "show", "-c", site.m.path, number, "--octets")
    expect("0000  ff ff ff" in text and "posthorn decode" in text, "shown", text)
    expect("octets" in site.m.command("quarantine", "list", "-c", site.m.path), "listed")
    typed(site.m.rows("quarantine", "list"), "quarantine")
    site.m.command("quarantine", "delete", "-c", site.m.path, number, "--why", "noise")
    same(site.m.rows("quarantine", "list"), [], "quarantine")
    site.m.command("quarantine", "delete", "-c", site.m.path, number, "--why", "noise", status=REFUSED)
    site.still_good()
    return "refused, shown, deleted"


main(message_shown_exported_released, message_that_kills_again_is_back, octets_decoded_by_the_command, octets_that_nobody_can_read)
