#!/usr/bin/env python3
"""The link monitor between running MTAs: answers of a mailbox that is there and of one that is not; the network cut: warning, alert, one
probe that waits; it comes back: ok."""
import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from faultnet import Net  # noqa: E402
from posthorn import expect, free_port, main, same, wait_for  # noqa: E402

TIMES = {"interval": "400 ms", "critical-interval": "200 ms", "warning": "60 s", "alert": "90 s"}


def monitored(lab, to, port=None, **times):
    """London watches its link to Paris."""
    london, paris = lab.mta("london"), lab.mta("paris", "FR")
    row = london.link(paris, port=port, open_interval="200 ms", monitor=dict(TIMES, to=to(paris), **times))
    paris.link(london)
    return london, paris, row


def state(m, link="paris"):
    return m.status()[0][link].get("monitor", "")


def value(m, name, link="paris"):
    for row in m.rows("metrics"):
        if row["metric"] == name and row.get("link") == link:
            return row.get("value")
    return None


def any_report_answers(lab):
    """A mailbox that is there, and one that is not: both say that the link works."""
    for n, to in enumerate((lambda paris: paris.mailbox("claude"), lambda paris: paris.address("No", "Body"))):
        london, paris, _ = monitored(lab, to)
        for m in (london, paris):
            m.directory += str(n)
            m.settings["store"]["directory"] = m.directory
        paris.start()
        london.start()
        wait_for(lambda: (value(london, "posthorn_link_monitor_answers_total") or 0) >= 3, "three answers")
        same(state(london), "ok", "state")
        expect(value(london, "posthorn_link_monitor_round_trip_seconds") is not None, "a round trip")
        same(value(london, "posthorn_link_monitor_state"), 0, "the metric")
        expect(len(london.rows("queue")) <= 1, "at most one probe waits", london.rows("queue"))
        for m in (london, paris):
            m.stop()
        expect(london.find("monitor.warning") is None, "no warning", london.find("monitor.warning"))
    return "delivery and non-delivery"


def a_link_is_cut_and_comes_back(lab):
    port = free_port()
    london, paris, _ = monitored(lab, lambda p: p.address("No", "Body"), port, warning="3 s", alert="6 s")
    alice = london.mailbox("alice")
    with contextlib.closing(Net(lab, paris.port, port)) as net:
        paris.start()
        london.start()
        wait_for(lambda: (value(london, "posthorn_link_monitor_answers_total") or 0) >= 1, "an answer")
        cut = london.mark()
        net.set("from the start: refuse")
        net.cut()
        london.event("monitor.alert", after=cut, link="paris")
        told = [e["event"] for e in london.events if e["event"].startswith("monitor.")]
        same(told[-2:], ["monitor.warning", "monitor.alert"], "a warning before it, and before the cut where the machine is that slow")
        same(state(london), "alert", "state")
        same(value(london, "posthorn_link_monitor_state"), 2, "the metric")
        expect(len(london.rows("queue")) <= 1, "at most one probe waits", london.rows("queue"))
        expect(value(london, "posthorn_link_monitor_unanswered_seconds") >= 6, "for six seconds at least")
        same(value(london, "posthorn_link_up"), 0, "the link is down")
        net.heal()
        london.event("monitor.ok", after=cut, link="paris")
        wait_for(lambda: state(london) == "ok", "ok in the status")
        same(len(london.mail("alice")), 0, "reports about probes in mailboxes")
        expect(alice, "a mailbox")
    return "warning, alert, ok"


def settings_of_a_reload_hold(lab):
    """A monitor that comes, one that gets another address, one that goes; the associations stay."""
    london, paris, row = monitored(lab, lambda p: p.address("No", "Body"))
    monitor = row.pop("monitor")
    paris.start()
    london.start()
    same(state(london), "", "no monitor")
    same(value(london, "posthorn_link_monitor_state"), None, "no metric")

    def reload_with(settings):
        if settings is None:
            row.pop("monitor", None)
        else:
            row["monitor"] = settings
        london.write()
        london.command("reload", "-c", london.path)
    answers = lambda: value(london, "posthorn_link_monitor_answers_total") or 0  # noqa: E731
    reload_with(monitor)
    wait_for(lambda: answers() >= 1, "an answer")
    same(state(london), "ok", "state")
    opened = value(london, "posthorn_link_outbound_associations_total")
    reload_with(dict(monitor, to=paris.address("Somebody", "Else"), interval="300 ms"))
    before = answers()
    wait_for(lambda: answers() > before, "an answer of the other address")
    reload_with(None)
    wait_for(lambda: state(london) == "", "no monitor any more")
    same(value(london, "posthorn_link_outbound_associations_total"), opened, "associations opened")
    wait_for(lambda: not london.rows("queue"), "nothing waits")
    return "comes, changes, goes"


if __name__ == "__main__":
    main(any_report_answers, a_link_is_cut_and_comes_back, settings_of_a_reload_hold)
