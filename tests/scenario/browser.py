#!/usr/bin/python3
"""The console's page in a real browser, before real MTAs. With POSTHORN_SCREENSHOTS=FOLDER the pictures of the README are written there,
by the function `pictures`."""
import os
import signal
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from browser import PASSWORDS, Browser, Keys, with_console  # noqa: E402
from posthorn import PATIENCE_S, Skip, expect, main, same, wait_for  # noqa: E402

HOUR = "1 h"


def ask(url):
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as r:
        return r.read().decode()


def site(lab, start_paris=True, **link):
    """London, whose console is looked at, and Paris behind a link."""
    london, paris = lab.pair()
    with_console(lab, london)
    london.link(paris, **{"max_open_retries": 100000, **link})
    paris.link(london)
    london.start()
    if start_paris:
        paris.start()
    wait_for(lambda: "posthorn_up 1\n" in ask(london.console + "/metrics"), "the console knows how it is")
    return london, paris


def confirm(b, title, act, why=None):
    """The question that is asked before an act: it names how many, and wants a reason."""
    b.one("dialog h2", title)
    if why is not None:
        b.fill("dialog [name=why]", why)
    b.click("dialog button[type=submit]", act)
    b.gone("dialog")


def on_map(b, link):
    """(lamp, what is read beside it, colour and dashes of its line) of a link on the map."""
    return b.driver.execute_script(
        "const a = document.querySelector(`.map [data-map='${arguments[0]}']`); if (!a) return null; const line = document.querySelector(`.map .way.${a.dataset.state} line`);"
        "return [a.dataset.state, [...a.querySelectorAll('text')].map((t) => t.textContent).join('\\n'), getComputedStyle(line).stroke + getComputedStyle(line).strokeDasharray]", link)


def link_goes_down_and_comes_back(lab):
    london, paris = site(lab)
    london.send("alice", paris.claude, "--subject", "One", "t")
    paris.wait_mail("claude", 1)
    b = Browser(lab).log_in(london)
    b.wait_lamp("paris", "ok")
    _, words, good = b.wait(lambda: (lambda x: x if x and x[0] == "ok" else None)(on_map(b, "paris")), "the link on the map")
    same(words.split("\n")[0], "paris", "its name there")
    b.driver.execute_script("window.never_reloaded = true")
    paris.stop()
    london.send("alice", paris.claude, "--subject", "Two", "t")
    b.wait_lamp("paris", "warning", "down")
    b.wait(lambda: b.one("[data-link=paris] .fault").text != "", "why, in words")
    b.wait(lambda: "in trouble" in b.text(".top"), "the summary")

    def waits_in_trouble():
        """While it is tried there is no next time."""
        found = on_map(b, "paris")
        return found if found and found[0] in ("warning", "down") and found[0] + ", next" in found[1] else None
    _, _, colour = b.wait(waits_in_trouble, "the link in trouble, on the map, in words beside its lamp")
    b.wait(lambda: b.text("[data-map=paris] .waits") == "1", "what waits for it, as a number on its line")
    expect(colour != good, "another colour", colour)
    b.wait(lambda: "paris" in b.driver.execute_script("return document.getElementById('said').textContent"), "those who hear the page are told")
    b.click("[data-link=paris] .name")
    b.one("h1", "paris")
    b.wait(lambda: "next attempt" in b.text("main .top"), "when it is tried next")
    paris.start()
    b.wait(lambda: b.one("main .lamp.large").text == "ok", "the lamp of the link's page")
    b.one("table", "open")
    b.go(london, "#/links")
    b.wait_lamp("paris", "ok")
    expect(b.driver.execute_script("return window.never_reloaded"), "the page was not loaded again")
    paris.wait_mail("claude", 2)
    b.clean()
    return "ok, down, ok; told in words"


def next_attempt_counts_down(lab):
    """The wait is minutes: what is shown goes down, and Retry now ends it."""
    london, paris = site(lab, start_paris=False, open_interval="5 min")
    london.send("alice", paris.claude, "t")
    london.event("link.open-failed")
    b = Browser(lab).log_in(london, route="#/links/paris")
    seen = set()

    def differs():
        text = b.text("main .top")
        if "next attempt in" in text:
            seen.add(text.split("next attempt in")[1].split("\n")[0])
        return len(seen) >= 2
    b.wait(differs, "a time that goes down")
    paris.start()
    b.click(".acts button", "Retry now")
    b.toast("is tried now")
    paris.wait_mail("claude", 1)
    same(london.event("operator.act")["fields"]["who"][:16], "console:operator", "who, in the audit event")
    b.clean()
    return ", ".join(sorted(seen))


def link_stopped_and_started(lab):
    london, paris = site(lab)
    b = Browser(lab).log_in(london, route="#/links/paris")
    b.click(".acts button", "Stop")
    confirm(b, "Stop paris?", "Stop paris", "maintenance")
    b.wait(lambda: b.one("main .lamp.large").text == "stopped", "the lamp")
    london.send("alice", paris.claude, "t")
    b.wait(lambda: "1 transfer" in b.text(".facts"), "its mail waits")
    b.click(".acts button", "Start")
    b.wait(lambda: b.one("main .lamp.large").text == "ok", "the lamp")
    paris.wait_mail("claude", 1)
    b.clean()
    return "stopped, its mail waited, started"


def found_by_recipient(lab):
    london, paris = site(lab)
    mts_id = london.send("alice", paris.claude, "--subject", "Where is it?", "the text of it")
    paris.wait_mail("claude", 1)
    london.wait_step(mts_id, "transfer-out")
    b = Browser(lab).log_in(london)
    b.click("nav.side a", "Find")
    b.one("main", "What do you know of it?")
    b.fill("[name=address]", paris.claude)
    b.click("button[type=submit]", "Find")
    b.click("tr[data-id='%s'] a" % mts_id)
    b.one(".journey li[data-step=submitted]", "Submitted")
    b.one(".journey li[data-step=transfer-out]", "to paris")
    b.wait(lambda: "later" in b.text(".journey"), "the time between")
    b.driver.back()
    b.wait(lambda: b.all("tr[data-id='%s']" % mts_id), "back to what was found")
    b.fill("[name=address]", "G=Nobody; S=Known; O=Office; P=PARIS; A=POSTHORN; C=FR")
    b.keys(Keys.ENTER)
    b.one("main", "Nothing was found")
    long, says = "C=FR;L=" + "\u00e9" * 5000, "This identifier has 10007 octets; no message has one of more than 256."
    b.go(london, "#/trace/" + long)
    b.one(".notice", says)
    b.fits("an identifier of 10 KB")
    b.go(london, "#/find?id=" + long)
    b.one(".notice", says)
    b.clean()
    return mts_id


def queue_retried_and_deleted(lab):
    london, paris = site(lab, start_paris=False, open_interval=HOUR)
    ids = {p: london.send("alice", paris.claude, "--priority", p, "--subject", "It is " + p, "t") for p in ("urgent", "normal", "non-urgent")}
    b = Browser(lab).log_in(london, route="#/queues?link=paris")
    b.wait(lambda: len(b.all("tr[data-transfer]")) == 3, "three rows")
    b.choose("[name=priority]", "urgent")
    b.wait(lambda: len(b.all("tr[data-transfer]")) == 1, "one is urgent")
    b.click("tr[data-transfer] a")
    b.one("h1", "It is urgent")
    b.one(".text", "t")
    b.one("main", "Alice")
    b.driver.back()
    b.wait(lambda: len(b.all("tr[data-transfer]")) == 1, "the filter is part of the address")
    b.click("tr[data-transfer] input[type=checkbox]")
    b.one(".selection", "1 transfer chosen")
    b.click(".selection button", "Delete")
    b.one("dialog h2", "Delete 1 transfer?")
    same(b.one("dialog button[type=submit]").is_enabled(), False, "a reason is wanted")
    confirm(b, "Delete 1 transfer?", "Delete 1 transfer", "a test of the page")
    b.toast("1 transfer deleted")
    b.one("main", "Nothing waits that fits")
    expect("a test of the page" in london.command("trace", "-c", london.path, ids["urgent"]), "why, in its journey")
    b.go(london, "#/queues")
    b.wait(lambda: len(b.all("tr[data-transfer]")) == 2, "two are left")
    b.click("button", "Choose all that match")
    b.click(".selection button", "Hold")
    confirm(b, "Hold 2 transfers?", "Hold 2 transfers")
    b.wait(lambda: len([t for t in b.all(".tag.held")]) == 2, "both are held")
    b.click("thead input")
    b.click(".selection button", "Release")
    confirm(b, "Release 2 transfers?", "Release 2 transfers")
    b.gone(".tag.held")
    paris.start()
    b.click("thead input")
    b.click(".selection button", "Retry")
    confirm(b, "Retry 2 transfers?", "Retry 2 transfers")
    paris.wait_mail("claude", 2)
    b.one("main", "Nothing waits.")
    b.clean()
    return "deleted, held, released, retried"


def pages_are_stable(lab):
    """Mail comes and goes while a long queue is leafed through: no row twice, none left out."""
    london, paris = site(lab, start_paris=False, open_interval=HOUR)
    first = london.send("alice", [paris.address("User%d" % i, "Many") for i in range(3)], "t")
    for i in range(59):
        london.send("alice", paris.claude, "number %d" % i)
    b = Browser(lab).log_in(london, route="#/queues")
    b.wait(lambda: len(b.all("tr[data-transfer]")) == 50, "a page of 50")
    gone = {str(r["transfer"]) for r in london.rows("queue", "list", "--id", first)}
    london.command("queue", "delete", "-c", london.path, "--id", first, "--yes", "--why", "meanwhile")
    london.send("alice", paris.claude, "the last")
    shown = "const shown = [...document.querySelectorAll('tr[data-transfer]')].map((e) => e.dataset.transfer);"
    # A page that is looked at for long is drawn anew meanwhile: what counts is what stands on it when the next one is asked for.
    rows = b.driver.execute_script(shown + "[...document.querySelectorAll('button')].find((e) => e.textContent === 'Next page').click(); return shown")
    b.wait(lambda: 0 < len(b.all("tr[data-transfer]")) < 50, "the second page")
    rows += b.driver.execute_script(shown + "return shown")
    same(len(rows), len(set(rows)), "rows of both pages, and how many differ")
    same(set(rows) - gone, {str(r["transfer"]) for r in london.rows("queue", "list")}, "all that wait are among them")
    b.click("button", "Page before")
    b.wait(lambda: len(b.all("tr[data-transfer]")) == 50, "the first page again")
    b.clean()
    return "%d rows" % len(rows)


def released_from_quarantine(lab):
    london, paris = lab.pair()
    with_console(lab, london)
    london.link(paris)
    paris.link(london)
    paris.settings["mailboxes"].append({"name": "poison", "addresses": [paris.address("poison-one", "Nobody")]})
    paris.start()
    os.environ["POSTHORN_FAULT_ALWAYS"] = "LINK_ENCODE:@poison-one:abort"
    try:
        london.start()
    finally:
        del os.environ["POSTHORN_FAULT_ALWAYS"]
    london.send(london.alice, paris.address("poison-one", "Nobody"), "--subject", "Bad", "the text of it")
    b = Browser(lab).log_in(london)
    b.one("nav.side .badge.hot", "1")
    b.click("nav.side a", "Quarantine")
    b.one("[data-quarantine]", "3 strikes")
    b.click("[data-quarantine] h2 a")
    b.one(".text", "the text of it")
    b.one("main", "poison-one")
    b.driver.back()
    b.one("[data-quarantine]")
    mark = london.mark()
    london.stop()  # the cause is mended: no fault plan any more
    london.start(wait=False)
    london.event("supervisor.up", after=mark)
    b.log_in(london, route="#/quarantine")
    b.click("[data-quarantine] button", "Release")
    confirm(b, "Release 1 message", "Release 1 message", "mended")
    b.one("main", "Nothing is in quarantine")
    got = paris.wait_mail("poison", 1)
    b.clean(0, 503)
    return got[0]["id"]


def events_followed(lab):
    london, paris = site(lab)
    b = Browser(lab).log_in(london, route="#/events")
    b.one("[data-event='supervisor.up']")
    paris.stop()
    london.send("alice", paris.claude, "t")
    b.one("[data-event='link.open-failed']", "paris")
    b.choose("[name=severity]", "warning")
    b.one("[data-event='link.open-failed']")
    b.gone("[data-event='supervisor.up']")
    b.fill("[name=text]", "no such thing")
    b.keys(Keys.ENTER)
    b.one("main", "No event fits")
    b.click("a", "Clear")
    b.one("[data-event='supervisor.up']")
    b.click("button", "Pause")
    b.one(".top", "paused")
    mark = london.mark()
    london.send("alice", paris.claude, "t")
    london.event("link.open-failed", after=mark)
    b.wait(lambda: "new one" in b.text(".top") and ", 0 new" not in b.text(".top"), "what comes meanwhile is counted")
    n = len(b.all("[data-event]"))
    b.click("button", "Go on")
    b.wait(lambda: len(b.all("[data-event]")) > n, "and shown afterwards")
    b.clean()
    return "live, filtered, paused"


def wrong_password(lab):
    london, _ = site(lab)
    b = Browser(lab)
    b.go(london, "#/queues")
    b.fill("#name", "operator")
    def button():
        """(text, may it be pressed) of one moment: the first wait is a second."""
        return b.driver.execute_script("const e = document.querySelector('button[type=submit]'); return e && [e.textContent, !e.disabled]")
    for i in range(12):
        text, usable = b.wait(lambda: (lambda x: x if x and (x[1] or x[0].startswith("Wait")) else None)(button()), "an answer")
        if text.startswith("Wait"):
            break
        b.fill("#password", "guess %d" % i)
        b.keys(Keys.ENTER)
        if i == 0:
            b.one("[role=alert]")   # once one has to wait it goes when the wait is over, which may be before anybody looks
        b.wait(lambda: b.driver.execute_script("return document.getElementById('password').value === ''"), "an answer: what was wrong is gone")
    same((text[:4], usable), ("Wait", False), "who guesses has to wait")
    expect(not b.all("nav.side"), "nothing of the console is shown")
    b.wait(lambda: b.one("button[type=submit]").is_enabled(), "and may try again")
    b.fill("#password", PASSWORDS["operator"])
    b.keys(Keys.ENTER)
    b.one("h1", "Queues")
    b.clean(429)
    return "slowed after %d" % i


def viewer_is_refused(lab):
    london, paris = site(lab, start_paris=False, open_interval=HOUR)
    london.send("alice", paris.claude, "t")
    b = Browser(lab).log_in(london, "operator", "#/queues")
    b.one("tr[data-transfer] input")
    # In another window of the same browser somebody else logs in: that is this one's session, too.
    b.driver.execute_async_script("const done = arguments[1]; import('/ask.js').then((m) => m.post('/api/login', {name: 'viewer', password: arguments[0]})).then(done, done)", PASSWORDS["viewer"])
    b.one(".toasts", "viewer has logged in")
    b.wait(lambda: b.all("tr[data-transfer]") and not b.all("tr[data-transfer] input"), "nothing to choose by")
    b.go(london, "#/links/paris")
    b.one("h1", "paris")
    same([e.text for e in b.all("main .acts button")], [], "no acts on a link")
    answer = b.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "import('/ask.js').then((m) => m.post('/api/links/paris/retry')).then(() => done('done'), (e) => done(e.status + ' ' + e.message))")
    expect(answer.startswith("403 ") and len(answer) > 10, "the console refuses it, in a sentence", answer)
    # The page's own button, as it would be pressed after the role was taken away meanwhile.
    b.driver.execute_script("import('/act.js').then((m) => m.actOnLink({name: 'paris'}, 'retry'))")
    b.one(".toasts [role=alert]", answer[4:])
    same(london.find("operator.act"), None, "nothing was done")
    b.clean(403)
    return answer


def keyboard_only(lab):
    """From the login to an act, with no mouse; the focus can be seen all the way."""
    london, paris = site(lab, start_paris=False, open_interval=HOUR)
    london.send("alice", paris.claude, "t")
    b = Browser(lab)
    b.go(london, "")
    b.wait(lambda: b.focused() == "name", "the focus is where one types")
    b.keys("operator", Keys.TAB)
    b.keys(PASSWORDS["operator"], Keys.ENTER)
    b.one("nav.side")
    b.tab_to("To the content")
    expect(b.driver.execute_script("return document.activeElement.getBoundingClientRect().top >= 0"), "the first stop leads past the navigation, and is seen")
    b.tab_to("paris: ")
    same(b.driver.execute_script("return getComputedStyle(document.activeElement.querySelector('.ring')).strokeWidth"), "2px", "a frame around what has the focus on the map")
    b.keys(Keys.ENTER)
    b.wait(lambda: b.focused() == "paris", "the link's page")
    b.tab_to("Queues", back=True)
    expect(b.driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid", "a frame around what has the focus")
    b.keys(Keys.ENTER)
    b.one("tr[data-transfer]")
    b.wait(lambda: b.focused() == "Queues", "the head of the new page has the focus")
    b.tab_to("Transfer ")
    b.keys(Keys.SPACE)
    b.one(".selection", "1 transfer chosen")
    b.tab_to("Delete")
    b.keys(Keys.ENTER)
    b.one("dialog")
    b.keys(Keys.ESCAPE)
    b.gone("dialog")
    b.tab_to("Delete")
    b.keys(Keys.ENTER)
    b.one("dialog")
    b.keys("by keys alone", Keys.ENTER)
    b.one("main", "Nothing waits")
    same(london.event("operator.act")["fields"]["why"], "by keys alone", "the audit")
    b.go(london, "#/processes")
    b.wait(lambda: "now" in b.text(".plot .readout"), "a plot with values")
    b.tab_to("Throughput")
    b.keys(Keys.ARROW_LEFT)
    b.wait(lambda: "now" not in b.text(".plot .readout") and "received" in b.text(".plot .readout"), "a value of the plot, by keys")
    b.clean()
    return "login, queue, act, plot"


VIEWS = ["#/links", "#/links/paris", "#/queues", "#/find", "#/quarantine", "#/events", "#/processes"]


def luminance(b):
    red, green, blue = b.driver.execute_script(
        "const c = document.createElement('canvas').getContext('2d'); c.fillStyle = getComputedStyle(document.documentElement).backgroundColor;"
        "c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3)")
    return 0.3 * red + 0.6 * green + 0.1 * blue


def phone_and_dark(lab):
    london, paris = site(lab, start_paris=False, open_interval=HOUR)
    mts_id = london.send("alice", [paris.claude, paris.address("A" * 16, "B" * 40)], "--subject", "x" * 120, "y" * 400)
    b = Browser(lab, 360, 740)
    b.go(london, "#/links")
    b.one(".login")
    b.fits("login")
    b.log_in(london)
    b.one("[data-link=paris]")
    transfer = london.rows("queue")[0]
    number = transfer.get("transfer", transfer.get("id"))
    for width, dark in ((360, False), (360, True), (768, True), (900, False), (1280, True)):
        b.size(width, 740)
        b.dark(dark)
        expect((luminance(b) < 80) == dark, "ground of the page", luminance(b), dark)
        for view in VIEWS + ["#/message/transfer/%s" % number, "#/trace/" + mts_id]:
            b.go(london, view)
            b.gone(".wait")
            b.fits("%s at %d" % (view, width))
            if view == "#/links":
                b.one("[data-link=paris]")
                same(b.all(".map")[0].is_displayed(), width > 600, "the map; on a phone the tiles alone")
    b.dark(False)
    b.click("button", "auto")
    b.click("button", "light")
    b.one("button", "dark")
    expect(luminance(b) < 80, "dark by the switch, whatever the system has", luminance(b))
    b.driver.refresh()
    b.one("nav.side")
    expect(luminance(b) < 80, "and kept", luminance(b))
    b.clean()
    return "360 to 1280 px, light and dark"


def hostile_text_is_text(lab):
    """What peers write into subjects, names and texts is shown as it is."""
    london, paris = site(lab, start_paris=False, open_interval=HOUR)
    evil = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    london.send("alice", paris.claude, "--subject", evil[:120], evil)
    b = Browser(lab).log_in(london, route="#/queues")
    b.click("tr[data-transfer] a")
    b.one("h1", evil[:120])
    b.one(".text", evil)
    same((b.all("main img"), b.all("main script")), ([], []), "elements made of it")
    expect("pwned" not in b.driver.title, "the page's title", b.driver.title)
    b.go(london, "#/constructor")
    b.one("h1", "Links")
    policy = b.driver.execute_async_script("const done = arguments[0]; fetch('/').then((r) => done(r.headers.get('Content-Security-Policy') || ''))")
    expect("unsafe" not in policy and "script-src 'self'" in policy or "default-src 'self'" in policy, "the policy", policy)
    blocked = b.driver.execute_async_script(
        "const done = arguments[0]; window.run = 0; document.addEventListener('securitypolicyviolation', () => done('blocked'));"
        "const s = document.createElement('script'); s.textContent = 'window.run = 1'; document.body.append(s); if (window.run) done('it ran')")
    same(blocked, "blocked", "a script that is not from here")
    return "shown as text; the policy holds"


PIECES = """
const done = arguments[arguments.length - 1];
(async () => {
	const f = await import('/format.js'), d = await import('/dom.js'), p = await import('/plot.js'), said = [];
	const same = (found, wanted) => { if (found !== wanted) said.push(`found ${found}, want ${wanted}`); };
	for (const [ms, text] of [[0, '0 s'], [41000, '41 s'], [119000, '119 s'], [200000, '3 min 20 s'], [605000, '10 min'], [7500000, '2 h 05 min'], [273600000, '3 d 4 h'], [null, '-']])
		same(f.duration(ms), text);
	for (const [ms, text] of [[12, '12 ms'], [1240, '1.24 s'], [41000, '41 s']])
		same(f.duration(ms, true), text);
	for (const [n, text] of [[0, '0/s'], [140.2, '140/s'], [3.44, '3.4/s'], [0.05, '3/min'], [0.002, '7/h'], [1e-9, '1/h']])
		same(f.rate(n), text);
	for (const [n, text] of [[999, '999 B'], [1500, '1.5 KB'], [18400000, '18.4 MB'], [2e9, '2.0 GB']])
		same(f.octets(n), text);
	same(f.shortAddress('G=Hanako; S=Sato; O=Office; P=TOKYO; A=POSTHORN; C=JP'), 'Hanako Sato \u00b7 Office \u00b7 TOKYO');
	same(f.shortAddress('CN=EGLLZPZX; O=AFTN; P=UK; A=ICAO; C=XX'), 'EGLLZPZX \u00b7 AFTN \u00b7 UK');
	same(f.shortAddress('X121=123; C=FR'), 'X121=123; C=FR');
	same(f.addresses('G=A; S=B; C=FR, G=C; O=X, Y; C=FR\\nS=D; C=FR').length, 3);
	same(f.shortId('C=GB;A=POSTHORN;P=LONDON;L=london.6b0266f7.1'), 'london.6b0266f7.1');
	for (const [max, step] of [[10, 5], [4, 1], [0.7, 0.2], [1600, 500], [8, 2]])
		same(p.niceStep(max, 4), step);
	const { lastAsked, isSlow } = await import('/processes.js'), alive = (up_ms, answer_ms) => ({ ready: true, up_ms, answer_ms });
	const list = [alive(90000, 25000), alive(90000, 25100), alive(90000, 55000), alive(3000, 3000), { ready: false, up_ms: 9, answer_ms: null }];
	same(list.map((x) => isSlow(x, lastAsked(list))).join(), 'false,false,true,false,false');
	const young = [alive(29000, 29000), alive(28000, 28000)];
	same(young.map((x) => isSlow(x, lastAsked(young))).join(), 'false,false');
	const m = await import('/map.js');
	for (const [place, least, most] of [[m.around, 1, 16], [m.onRails, 1, 400]])
		for (let n = least; n <= most; n++)
			for (const width of n <= 10 ? [560, 700, 900, 1500] : [900, 1500]) {
				const at = place(n, width), half = place === m.around ? 15 : 12;
				const cells = at.places.map((p) => ({ x1: p.side < 0 ? p.x - 18 - p.room : p.x - 10, x2: p.side < 0 ? p.x + 10 : p.x + 18 + p.room, y1: p.y - half, y2: p.y + half }));
				same(cells.length, n);
				const out = cells.filter((c) => c.x1 < 0 || c.x2 > width || c.y1 < 0 || c.y2 > at.height).length;
				const over = cells.filter((c, i) => cells.slice(0, i).some((d) => c.x1 < d.x2 && d.x1 < c.x2 && c.y1 < d.y2 && d.y1 < c.y2)).length;
				const hidden = cells.filter((c) => c.x1 < at.box.x + 84 && c.x2 > at.box.x - 84 && c.y1 < at.box.y + 26 && c.y2 > at.box.y - 26).length;
				if (out + over + hidden > 0)
					said.push(`${place.name} of ${n} at ${width}: ${out} outside, ${over} over others, ${hidden} behind the box`);
			}
	same([0, 0.01, 1, 50, 1e9].map((x) => m.thickness(x)).every((x, i, all) => i === 0 || x > all[i - 1] && x <= 9), true);
	const sheet = document.createElement('div');
	document.body.append(sheet);
	const drawMap = d.drawing(sheet), map = m.linkMap(() => {});
	const of = (name, lamp, queued) => ({ name, lamp, queued, received_per_s: 0.5, sent_per_s: 0, next_attempt_ms: null, last_error: '', stopped: false });
	const show = (links) => drawMap(map({ mta: { name: 'here' }, switch: true, totals: { queued: 0 } }, links));
	show([of(`b/<b>'"%`, 'down', 12345), of(String.fromCodePoint(0x1F4EE).repeat(64), 'ok', 0), of('a', 'stopped', 0)]);
	await new Promise((r) => requestAnimationFrame(r));
	const [first, second, third] = sheet.querySelectorAll('a');
	same([first, second, third].map((a) => a.getAttribute('tabindex')).join(), '0,-1,-1');
	same(second.getAttribute('href'), "#/links/b%2F%3Cb%3E'%22%25");
	same(second.querySelector('.waits').textContent, '12k');
	same(second.getAttribute('aria-label'), `b/<b>'"%: down, 12,345 queued, in 30/min, out 0/s`);
	first.focus();
	for (const [key, el] of [['ArrowRight', second], ['ArrowDown', third], ['ArrowDown', third], ['ArrowLeft', second], ['Home', first], ['End', third]]) {
		document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
		same(document.activeElement === el, true);
	}
	show(Array.from({ length: 300 }, (_, i) => of('l' + i, i === 77 ? 'down' : 'ok', i)));
	same(sheet.querySelectorAll('a').length, 150);
	same(sheet.querySelectorAll('[data-map=l77], [data-map=l299]').length, 2);
	same(sheet.textContent.includes('150 quieter links not drawn'), true);
	show([]);
	same(sheet.querySelectorAll('a').length, 0);
	sheet.remove();
	const root = document.createElement('div'), draw = d.drawing(root), row = (k) => d.h('li', { key: k }, k);
	draw(row('a'), row('b'), row('c'));
	const [a, b, c] = root.children;
	draw(row('c'), row('x'), row('a'));
	same(root.textContent, 'cxa');
	same(root.children[0] === c && root.children[2] === a && !b.isConnected, true);
	let heard = 0;
	draw(d.h('button', { disabled: true, onclick: () => heard++ }, 'one'));
	draw(d.h('button', { onclick: () => { heard += 10; } }, '<b>two</b>'));
	root.firstChild.click();
	same(heard + root.textContent + root.querySelectorAll('b').length, '10<b>two</b>0');
	draw();
	same(root.childNodes.length, 0);
	return said.join('; ');
})().then(done, (e) => done(String(e)));
"""


def judge_script(lab, script, modules):
    """On the page of a console; the script gives what differs from what it wants."""
    london, _ = site(lab, start_paris=False)
    b = Browser(lab)
    b.go(london, "")
    b.one(".login")
    same(b.driver.execute_async_script(script), "", "what differs")
    b.clean()
    return modules


def pieces_of_the_page(lab):
    """Its modules by themselves: numbers as people read them, the steps of axes, and elements that are kept while others come and go."""
    return judge_script(lab, PIECES, "format.js, dom.js, plot.js, map.js")


STUBBED = """
const done = arguments[arguments.length - 1];
(async () => {
	const said = [], same = (found, wanted, what) => { if (found !== wanted) said.push(`${what}: found ${found}, want ${wanted}`); };
	const a = await import('/ask.js'), l = await import('/live.js'), d = await import('/dom.js'), { eventsView } = await import('/events.js'), { quarantineView } = await import('/quarantine.js');
	const answer = (status, body) => ({ ok: status < 400, status, headers: new Headers(), json: async () => body });
	const settle = async () => { for (let i = 0; i < 30; i++) await null; };
	let asked = [], answers = {}, sources = [], now = performance.now();
	window.fetch = async (path) => { asked.push(path); const x = answers[path.split('?')[0]]; if (!x) throw new TypeError('nobody'); return typeof x === 'function' ? x(path) : x; };
	window.EventSource = class { constructor() { sources.push(this); this.on = {}; } addEventListener(name, f) { this.on[name] = f; } close() { this.closed = true; } };
	performance.now = () => now;
	// what was put off is put off, what came in part is no answer
	const broken = (name) => ({ ...answer(200), json: () => Promise.reject(new DOMException('x', name)) });
	answers['/x'] = broken('AbortError');
	same((await a.get('/x').catch((e) => e)).name, 'AbortError', 'put off while it came');
	answers['/x'] = broken('SyntaxError');
	same(await a.get('/x').catch((e) => `${e.status} ${e.message}`), '0 The answer of the console has come in part only.', 'cut');
	// a list whose first answer the time for one question has ended
	let parts = 0;
	answers['/x'] = () => answer(200, [{ rows: [1], next: 1 }, { rows: [], next: 7 }, { rows: [8], next: null }][parts++]);
	same((await a.page('/x', { after: '', max: 5 })).rows.join(), '1,8', 'a page of three answers');
	// the stream
	let gone = 0, seen = 0;
	const overview = { at: new Date(Date.now() + 3600000).toISOString(), age_ms: 0, switch: true, links: [], totals: { quarantined: 0, suspects: 0 } };
	answers = { '/api/session': answer(200, { csrf: 'x' }), '/api/overview': answer(200, overview) };
	const last = () => sources[sources.length - 1], state = () => `${l.live.away_since ? 'away' : ''} ${l.live.switch_since ? 'switch' : ''} ${l.live.full ? 'full' : ''}`.trim();
	l.begin(() => gone++, () => seen++);
	last().on.open();
	last().on.overview({ data: JSON.stringify(overview) });
	same(Math.round((l.mtaNow() - Date.now()) / 60000), 60, 'minutes that the clock of the MTA is before ours');
	last().on.error();
	await settle();
	same(`${state()} ${seen} ${last().closed}`, ' 1 true', 'a stream that ends is begun again, and no words are made of it');
	l.retryNow();
	last().on.error();
	await settle();
	same(state(), 'full', 'one that is not given at all');
	l.retryNow();
	last().on.open();
	same(state(), '', 'and is given then');
	answers['/api/overview'] = answer(503, { error: 'the switch has not answered yet' });
	last().on.error();
	await settle();
	same(state(), 'switch', 'a console that knows nothing is not away');
	l.retryNow();
	last().on.open();
	last().on.overview({ data: JSON.stringify(overview) });
	// links in pages, and what changes among them
	const put = (name, x) => last().on[name]({ data: JSON.stringify(x) });
	const link = (i, queued, next) => ({ name: `l${i}`, queued, next_attempt_ms: next });
	const shown = () => l.live.overview.links.map((x) => `${x.name} ${x.queued} ${x.next_attempt_ms === null ? '-' : Math.round(l.wait(x.next_attempt_ms))}`).join(', ');
	put('overview', { ...overview, of: 3 });
	put('links', { from: 0, of: 3, links: [link(0, 0, null), link(1, 0, 60000)] });
	same(shown(), '', 'not before the last page');
	now += 1000;
	put('change', { ...overview, of: 3, links: [link(0, 5, null)] });
	now += 1000;
	put('links', { from: 2, of: 3, links: [link(2, 0, 30000)] });
	same(shown(), 'l0 5 -, l1 0 58000, l2 0 30000', 'links of two pages, with what changed between them');
	now += 1000;
	put('change', { ...overview, of: 3, links: [link(2, 7, 60000)] });
	now += 1000;
	same(shown(), 'l0 5 -, l1 0 56000, l2 7 59000', 'what has changed, and all others as they were');
	put('overview', { ...overview, of: 2 });
	same(shown(), 'l0 5 -, l1 0 56000, l2 7 59000', 'those of before stand until others are there');
	put('links', { from: 1, of: 2, links: [link(9, 0, null)] });
	put('links', { from: 0, of: 2, links: [link(2, 1, null), link(0, 1, null)] });
	same(shown(), 'l2 1 -, l0 1 -', 'others, in their order');
	put('overview', { ...overview, of: 1, links: [link(4, 0, null)] });
	same(shown(), 'l4 0 -', 'and all at once');
	put('overview', overview);
	now += 40000;
	l.checkSilence();
	same(`${Boolean(last().closed)}`, 'false', 'silent for 40 s');
	now += 10000;
	answers = {};
	l.checkSilence();
	await settle();
	same(`${last().closed} ${state()}`, 'true away', 'silent for 50 s, and nobody answers');
	// events: what makes room is found among the older ones; a pause is kept while the stream is away
	const event = (seq) => ({ seq, at: '2026-11-22T18:00:00.000Z', event: 'x.y', id: 1, severity: 'info', category: 'x', process: 'p', fields: [] });
	const page = (from, n) => ({ rows: Array.from({ length: n }, (_, i) => event(from - i)), next: from - n + 1 });
	answers['/api/events'] = () => answer(200, page(1000, 100));
	const sheet = document.createElement('div'), draw = d.drawing(sheet);
	let drawn = 0;
	document.body.append(sheet);
	const view = eventsView({ query: new URLSearchParams(), changed() { drawn++; } });
	const rows = () => { draw(view.draw()); return sheet.querySelectorAll('li').length; }, press = (text) => { draw(view.draw()); [...sheet.querySelectorAll('button')].find((b) => b.textContent === text).click(); };
	l.retryNow();
	last().on.open();
	await settle();
	same(rows(), 100, 'events');
	drawn = 0;
	for (let i = 1001; i <= 1600; i++)
		last().on.event({ data: JSON.stringify(event(i)) });
	await new Promise((done) => setTimeout(done, 0));
	same(drawn, 1, 'drawn once for all that come at once');
	same(rows(), 600, 'of many the newest');
	answers['/api/events'] = (path) => answer(200, page(Number(new URLSearchParams(path.split('?')[1]).get('before')) - 1, 100));
	press('Older ones');
	await settle();
	same(rows(), 700, 'those before them');
	same(new Set([...sheet.querySelectorAll('li')]).size, 700, 'each once');
	same(asked.filter((p) => p.startsWith('/api/events')).pop().includes('before=1001&'), true, 'asked for from where they end');
	press('Pause');
	asked = [];
	last().on.error();
	await settle();
	l.retryNow();
	last().on.open();
	await settle();
	same(asked.filter((p) => p.startsWith('/api/events')).length, 0, 'nothing moves in a pause');
	press('Go on');
	await settle();
	same(asked.filter((p) => p.startsWith('/api/events')).length, 1, 'then it is looked at anew');
	view.close();
	// quarantine: what is shown stays when something comes
	const held = Array.from({ length: 120 }, (_, i) => ({ quarantine: i + 1, what: 'message', state: 'kept', size: 1, strikes: 3, cause: 'x', at: '2026-11-22T18:00:00.000Z' }));
	answers['/api/quarantine'] = (path) => { const q = new URLSearchParams(path.split('?')[1]), from = Number(q.get('after') || 0), to = from + Number(q.get('max')); return answer(200, { rows: held.slice(from, to), next: to < held.length ? to : null }); };
	const q = quarantineView({ changed() {}, may: () => true }), kept = () => { draw(q.draw()); return sheet.querySelectorAll('[data-quarantine]').length; };
	await settle();
	same(kept(), 50, 'a page');
	[...sheet.querySelectorAll('button')].find((b) => b.textContent === 'More').click();
	await settle();
	same(kept(), 100, 'two');
	sheet.querySelector('[data-quarantine="70"] input').click();
	for (const n of [1, 2])
		last().on.overview({ data: JSON.stringify({ ...overview, totals: { quarantined: n, suspects: 0 } }) });
	await settle();
	same(`${kept()} ${sheet.querySelector('.selection b').textContent}`, '100 1 message chosen', 'when something has come');
	q.close();
	l.end();
	return said.join('; ');
})().then(done, (e) => done(String(e) + e.stack));
"""


def page_before_a_console_that_fails(lab):
    """The page's modules before answers that were made up: streams that end, are refused or fall silent, answers in part, lists that move."""
    return judge_script(lab, STUBBED, "ask.js, live.js, events.js, quarantine.js")


def console_dies(lab):
    """No mail stops; the page says so, and asks for the password again, since sessions died with it."""
    london, paris = site(lab)
    b = Browser(lab).log_in(london)
    b.wait_lamp("paris", "ok")
    pid = london.pids()["console.0"]
    mark = london.mark()
    os.kill(pid, signal.SIGKILL)
    london.send("alice", paris.claude, "t")
    paris.wait_mail("claude", 1)
    london.event("process.started", after=mark, name="console.0")
    b.one(".login [role=status]", "session is over")
    b.log_in(london)
    b.wait_lamp("paris", "ok")
    b.driver.execute_script("window.never_reloaded = true")
    london.stop()
    b.one(".notice.bad", "does not answer since")
    london.start()
    b.one(".login")
    expect(b.driver.execute_script("return window.never_reloaded"), "the page was not loaded again")
    b.clean(0, 503)
    return "killed, stopped: told, and back"


def switch_is_silent(lab):
    """What is shown then is what was known; it goes on by itself."""
    london, _ = site(lab)
    b = Browser(lab).log_in(london)
    b.one("[data-link=paris]")
    pid = london.pids()["switch.0"]
    with lab.held(pid):
        b.one(".notice.bad", "The switch does not answer since")
        b.one("[data-link=paris]")
        b.one(".pulse.off")
    b.gone(".notice.bad")
    b.one(".pulse", "live")
    b.clean(503)
    return "told, and gone"


def pictures(lab):
    """Of the README: a site with something to see."""
    folder = os.environ.get("POSTHORN_SCREENSHOTS")
    if not folder:
        raise Skip("POSTHORN_SCREENSHOTS names no folder")
    os.makedirs(folder, exist_ok=True)
    london, paris = lab.pair()
    tokyo, oslo, quito, depot, lima = (lab.mta(n, c) for n, c in (("tokyo", "JP"), ("oslo", "NO"), ("quito", "EC"), ("depot", "GB"), ("lima", "PE")))
    with_console(lab, london)
    hanako = tokyo.mailbox("hanako", "Sato")
    for peer in (paris, tokyo, oslo, quito, depot, lima):
        london.link(peer, open_interval={"oslo": "5 min", "quito": "300 ms"}.get(peer.name, "2 s"), max_open_retries=1 if peer is quito else 100000)
        if peer in (paris, tokyo, depot):
            peer.link(london)
    london.settings["links"][-1]["schedule"] = "never"
    for m in (london, paris, tokyo, depot):
        m.start()
    for to, subject in ((hanako, "Greetings from London"), (paris.claude, "Timetable of the night mail"), (depot.address("No", "Body"), "To nobody")):
        london.send("alice", to, "--subject", subject, "--report", "delivery", "The first message over three MTAs.")
    for i in range(9):
        london.send("alice", [oslo.address(n, "Nansen") for n in ("Fridtjof", "Eva", "Liv")[:1 + i % 3]], "--priority", ("normal", "urgent", "non-urgent")[i % 3],
                    "--subject", "Ice report %d" % i, "Pack ice to the north. " * (1 + 40 * i))
    london.send("alice", quito.address("No", "Body"), "t")
    tokyo.wait_mail("hanako", 1)
    b = Browser(lab, 1280, 860).log_in(london)
    b.wait_lamp("quito", "down")
    b.wait_lamp("oslo", "warning")
    b.wait_lamp("paris", "ok")
    turn = 0

    def enough():
        """Mail goes both ways while samples are taken, a second apart."""
        nonlocal turn
        turn += 1
        for _ in range(1 + turn // 7 % 4):
            london.send("alice", (hanako, paris.claude)[turn % 2], "number %d" % turn)
        paris.send("claude", london.alice, "number %d" % turn)
        return b.driver.execute_async_script("const done = arguments[0]; fetch('/api/history').then((r) => r.json()).then((h) => done(h.samples.length))") > 75
    b.wait(enough, "samples")

    def take(name, route, ready, width=1280, height=860, dark=False):
        b.size(width, height)
        b.dark(dark)
        b.go(london, route)
        ready()
        b.gone(".wait")
        path = os.path.join(folder, name + ".png")
        b.picture(path)
        expect(os.path.getsize(path) < 150 * 1024, "%s is small" % name, os.path.getsize(path))
    take("links", "#/links", lambda: b.one("[data-link=oslo]"))
    take("link-dark", "#/links/oslo", lambda: b.one(".journey, .stream, .facts"), dark=True)
    take("queues", "#/queues?link=oslo", lambda: b.one("tr[data-transfer]"))
    number = str(london.rows("queue")[0]["transfer"])
    for act, why in (("hold", "ice in the strait"), ("release", "")):
        london.command("queue", act, "-c", london.path, "--id", number, "--yes", *(["--why", why] if why else []))
    take("message", "#/message/transfer/" + number, lambda: b.one(".text", "Pack ice"))
    take("links-phone", "#/links", lambda: b.one("[data-link=oslo]"), 360, 740)
    return folder


main(link_goes_down_and_comes_back, next_attempt_counts_down, link_stopped_and_started, found_by_recipient, queue_retried_and_deleted, pages_are_stable,
     released_from_quarantine, events_followed, wrong_password, viewer_is_refused, keyboard_only, phone_and_dark, hostile_text_is_text, pieces_of_the_page, page_before_a_console_that_fails, console_dies, switch_is_silent, pictures)
