#!/usr/bin/env python3
"""A file server that hangs, and files that are damaged, away or hidden, while mail flows both ways: only who is at them is touched, what is wrong is
said, and when it is mended the rest goes on, each message once."""
import contextlib
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from msmail import SITE  # noqa: E402
from posthorn import WATCHDOG, expect, main, same, wait_for  # noqa: E402
from storm import Storm, stepped_down  # noqa: E402


# --- a file server that hangs ---

def hang(lab, plan, kind):
    """Mail flows; a process of this kind hangs once in a call of the file server."""
    net = Storm(lab)
    for m in (net.london, net.tokyo):
        m.settings["processes"]["watchdog"] = WATCHDOG
    net.burst(6, both=False)
    net.start(once=plan)
    net.burst(6)
    deaths = []

    def one_died():
        deaths[:] = [e for e in net.london.events if e["event"] == "process.fault"]
        return deaths
    wait_for(one_died, "the watchdog ends who hangs")
    net.check_once()
    one_died()
    expect(all(e["fields"]["name"].startswith(kind) for e in deaths), "only that one is touched", deaths)
    expect(all("; it was at: postoffice " in e["fields"]["last_words"] for e in deaths), "what it was at", deaths)
    return deaths[0]["fields"]["name"], net.end()


def k151473_the_interchange_hangs_reading(lab):
    """The call never comes back: only this process is touched, and no message is struck for it."""
    return hang(lab, "interchange:PO_READ:60:hang", "interchange.")


def k151473_the_interchange_hangs_opening(lab):
    return hang(lab, "interchange:PO_OPEN:90:hang", "interchange.")


def k151473_the_interchange_hangs_syncing(lab):
    return hang(lab, "interchange:PO_SYNC:12:hang", "interchange.")


def k151473_a_lane_hangs(lab):
    """The same in one lane of a mover; the others go on."""
    return hang(lab, "mover:PO_SYNC:20:hang", "mover.")


# --- damage ---

def overwrite(path, octets):
    with open(path, "wb") as f:
        f.write(octets)


def repair(net, po):
    """As the operator does it; while others hold a lock it says so, and he does it again."""
    def done():
        net.lab.command("postoffice", "check", po.path, "--repair", status=None)
        return net.lab.last_status == 0
    wait_for(done, "posthorn postoffice check --repair %s" % po.path, step=0.2)


def said(net, word):
    """An event that names what is damaged."""
    return wait_for(lambda: [e for e in net.london.events if any(word in str(v) for v in e.get("fields", {}).values()) and e["severity"] in ("warning", "error", "alarm", "notice")],
                    "an event that names %s" % word)[0]["event"]


def k124042_control_glb_is_cut(lab):
    """CONTROL.GLB of the site has four octets: nothing is taken or given there, X.400 goes on, and after the repair all does."""
    net = Storm(lab)
    net.burst(6, both=False)
    net.start()
    net.burst(6)
    path = net.site.file("GLB", "CONTROL.GLB")
    with open(path, "r+b") as f:
        f.truncate(4)
    net.tokyo.send(net.taro, net.ms(SITE + "/ANNA"), "--subject", "in %04d" % (net.inward + 1), "--text", "for Anna")
    net.inward += 1
    name = said(net, "CONTROL.GLB")
    net.probe()
    repair(net, net.site)
    net.burst(3)
    return "%s: %s" % (name, net.end())


def given_back(away, place):
    """The directory, or, where it was made anew meanwhile and has something in it, its files; one more may come from who has it open still."""
    while os.path.isdir(away):
        try:
            os.rename(away, place)
        except OSError:
            for name in os.listdir(away):
                shutil.move(os.path.join(away, name), os.path.join(place, name))
            with contextlib.suppress(OSError):
                os.rmdir(away)


def k266442_p1_is_away(lab):
    """The directory P1 is renamed away and given back, at each postoffice: no message is taken for one that is done with."""
    net = Storm(lab)
    net.burst(10, both=False)
    net.start()
    for po in (net.shadow, net.site):
        net.burst(8)
        away = os.path.join(lab.root, "p1-away")
        os.rename(po.file("P1"), away)
        said(net, "P1")
        net.probe()
        given_back(away, os.path.join(po.path, "P1"))
    return net.end()


def a_users_key_is_garbage(lab):
    """Bert's waits, Anna's goes on; after the repair he has it."""
    net = Storm(lab)
    net.start()
    net.burst(3)
    path = net.site.file("KEY", net.site.users()["BERT"] + ".KEY")
    overwrite(path, b"\xff" * 17)
    net.tokyo.send(net.taro, net.ms(SITE + "/BERT"), "--subject", "for Bert", "--text", "x")
    net.burst(3)
    name = said(net, os.path.basename(path))
    wait_for(lambda: len(net.site.mailbox("ANNA")) == net.inward, "Anna has hers")
    repair(net, net.site)
    same([h.subject for h, _ in net.wait_box(net.site, "BERT", 1)], [b"for Bert"], "Bert's mailbag")
    return "%s: %s" % (name, net.end())


def inqueue3_is_hidden(lab):
    """INQUEUE3.KEY of the shadow cannot be read by anybody: said, X.400 goes on; and all when it can."""
    with stepped_down(lab):
        net = Storm(lab)
        net.burst(5, both=False)
        net.start()
        net.burst(5)
        path = net.shadow.file("KEY", "INQUEUE3.KEY")
        os.chmod(path, 0)
        net.tokyo.send(net.taro, net.ms(SITE + "/ANNA"), "--subject", "in %04d" % (net.inward + 1), "--text", "for Anna")
        net.inward += 1
        net.unsent.append("out %04d" % (net.out + 1))
        net.out += 1
        net.again()
        name = said(net, "INQUEUE3.KEY")
        net.probe()
        os.chmod(path, 0o660)
        return "%s: %s" % (name, net.end())


main(k151473_the_interchange_hangs_reading, k151473_the_interchange_hangs_opening, k151473_the_interchange_hangs_syncing, k151473_a_lane_hangs,
     k124042_control_glb_is_cut, k266442_p1_is_away, a_users_key_is_garbage, inqueue3_is_hidden)
