// main.js - the frame around the views: login, navigation, state of the connection; which view an address names.
import { h, drawing } from "./dom.js";
import { get, post, setToken, whenLoggedOut, whenRefused } from "./ask.js";
import { live, listen, begin, end, retryNow } from "./live.js";
import { lamp, mark, toast, say, LAMP_NAMES } from "./parts.js";
import { time, count, plural } from "./format.js";
import { loginView } from "./login.js";
import { linksView } from "./links.js";
import { linkView } from "./link.js";
import { queuesView } from "./queues.js";
import { findView } from "./find.js";
import { messageView } from "./message.js";
import { quarantineView } from "./quarantine.js";
import { eventsView } from "./events.js";
import { processesView } from "./processes.js";

const NAV = [
	["links", "Links", "M4 8h5m6 0h5M4 16h5m6 0h5M9 8a3 3 0 1 0 6 0 3 3 0 0 0-6 0zm0 8a3 3 0 1 0 6 0 3 3 0 0 0-6 0z"],
	["queues", "Queues", "M4 6h16M4 12h16M4 18h10"],
	["find", "Find", "M10.500 4a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13zm4.600 11.100L20 20"],
	["quarantine", "Quarantine", "M12 3l9 16H3zM12 10v4m0 2.500v.01"],
	["events", "Events", "M3 12h4l3-7 4 14 3-7h4"],
	["processes", "Processes", "M4 5h16v5H4zm0 9h16v5H4zm3-6.500v.01m0 9v.01"],
];
const VIEWS = {
	links: (path) => path.length > 0 ? linkView : linksView,
	queues: () => queuesView, find: () => findView, message: () => messageView, trace: () => messageView, quarantine: () => quarantineView,
	events: () => eventsView, processes: () => processesView,
};
// Which entry of the navigation a page belongs to.
const owner = (name, kind) => name === "message" ? { transfer: "queues", quarantine: "quarantine" }[kind] || "find" : name === "trace" ? "find" : name;

document.getElementById("page").replaceChildren();
const draw = drawing(document.getElementById("page"));
let session = null, view = null, shown = null, reason = "", lamps = new Map();

// "#/links/paris?x=1" -> {name, path: ["paris"], query}
function address() {
	const [path, search] = location.hash.replace(/^#\/?/, "").split("?");
	const parts = path.split("/").filter((x) => x !== "").map((x) => { try { return decodeURIComponent(x); } catch { return x; } });
	const known = Object.hasOwn(VIEWS, parts[0] || "");
	return { name: known ? parts[0] : "links", path: known ? parts.slice(1) : [], query: new URLSearchParams(search || ""), whole: location.hash };
}

function closeView() {
	if (view && view.close)
		view.close();
	view = null;
}

// A view is made once for its address and draws itself by changed(); one that says so takes a new query without being made anew.
function show() {
	const to = address();
	if (!session)
		return redraw();
	const make = VIEWS[to.name](to.path);
	const same = shown && view && shown.make === make && shown.path === to.path.join("/");
	shown = { make, path: to.path.join("/"), name: to.name };
	if (same && view.query) {
		view.query(to.query);
		return redraw();
	}
	closeView();
	document.querySelectorAll("dialog").forEach((d) => d.close());
	serial++;
	view = make({ path: to.path, name: to.name, query: to.query, changed: redraw, session: () => session, may: () => session && session.role === "operator" });
	redraw();
	scrollTo(0, 0);
	const isFirst = first;
	first = false;
	queueMicrotask(() => { // as soon as it is drawn: who types at once has what they type where they put it
		const head = document.querySelector("main h1");
		if (head && !isFirst)
			head.focus({ preventScroll: true });
	});
}
let first = true, serial = 0; // serial: a view has nodes of its own

let asked = false;
function redraw() {
	if (asked)
		return;
	asked = true;
	queueMicrotask(() => { asked = false; paint(); });
}

function paint() {
	if (session === null) {
		document.title = "Posthorn";
		draw(loginView(reason, loggedIn, redraw));
		return;
	}
	const body = view ? view.draw() : null;
	const mta = live.overview ? live.overview.mta.name : session.mta;
	document.title = `${view && view.title ? view.title() + " - " : ""}${mta} - Posthorn`;
	draw(h("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); document.getElementById("main").focus(); } }, "To the content"), bar(mta),
		h("div", { class: "frame" }, h("div", { class: "notices" }, notices()), nav(), h("main", { id: "main", tabindex: -1, key: serial }, body)));
}

function bar(mta) {
	const tally = {};
	for (const l of live.overview ? live.overview.links : [])
		tally[l.lamp] = (tally[l.lamp] || 0) + 1;
	const off = live.away_since !== null || live.switch_since !== null, slow = live.full !== "";
	return h("header", { class: "bar" },
		h("a", { class: "brand", href: "#/links" }, mark(), h("b", null, "Posthorn"), h("span", { class: "mta" }, mta)),
		h("div", { class: "tally" }, LAMP_NAMES.filter((n) => tally[n]).map((n) => h("a", { key: n, href: "#/links?lamp=" + n, title: `${plural(tally[n], "link")}: ${n}` },
			lamp(n, { word: false }), h("span", null, tally[n], h("span", { class: "word" }, ` ${n}`))))),
		h("span", { class: "pulse" + (off || slow ? " off" : ""), title: off || slow ? "No live updates" : "Live updates come" }, h("i", null), h("span", { class: "label" }, off ? "no answer" : slow ? "not live" : "live")),
		h("div", { class: "who" }, h("button", { type: "button", class: "plain small", onclick: turnTheme, title: "Light, dark or as the system has it", "aria-label": "Theme: " + theme() }, { auto: "\u25d0 auto", light: "\u25cb light", dark: "\u25cf dark" }[theme()]),
			h("span", { class: "name" }, session.user), session.user !== session.role && h("span", { class: "role" }, session.role),
			h("button", { type: "button", class: "small", onclick: logOut }, "Log out")));
}

function nav() {
	const here = shown ? owner(shown.name, shown.path.split("/")[0]) : "";
	const totals = live.overview ? live.overview.totals : {};
	const trouble = live.overview ? live.overview.links.filter((l) => l.lamp === "down" || l.lamp === "warning").length : 0;
	const badge = { links: trouble, queues: totals.queued, quarantine: totals.quarantined };
	return h("nav", { class: "side", "aria-label": "Views" }, h("ul", null, NAV.map(([name, text, icon]) => h("li", { key: name },
		h("a", { href: "#/" + name, "aria-current": here === name ? "page" : null }, h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: icon })), h("span", null, text),
			badge[name] > 0 && h("span", { class: "badge" + (name === "queues" ? "" : " hot") }, badge[name] > 99999 ? ">99k" : count(badge[name]), h("span", { class: "unseen" }, { links: " in trouble", queues: " waiting", quarantine: " set aside" }[name])))))));
}

function notices() {
	const o = live.overview;
	return [
		live.away_since && h("div", { class: "notice bad", role: "alert", key: "away" }, h("b", null, `The console does not answer since ${time(live.away_since)}.`),
			h("span", null, "What is shown is what was known then. Mail goes on without it."), h("button", { type: "button", class: "small", onclick: retryNow }, "Try now")),
		!live.away_since && live.switch_since && h("div", { class: "notice bad", role: "alert", key: "switch" }, h("b", null, `The switch does not answer since ${time(live.switch_since)}.`),
			h("span", null, "The numbers are the last ones known; nothing can be changed now.")),
		!live.away_since && o && !o.reader && h("div", { class: "notice", key: "reader" }, "The reader does not answer: queues and journeys cannot be listed now."),
		!live.away_since && o && !o.recorder && h("div", { class: "notice", key: "recorder" }, "The recorder does not answer: no events come now."),
		o && o.busy && h("div", { class: "notice", role: "alert", key: "busy" }, h("b", null, "No mail is taken in now:"), h("span", null, o.busy)),
		live.full && h("div", { class: "notice", key: "full" }, live.full),
	];
}

// --- theme: as the system has it, light, dark ---

const theme = () => document.documentElement.dataset.theme || "auto";

function turnTheme() {
	const next = { auto: "light", light: "dark", dark: "auto" }[theme()];
	if (next === "auto") {
		delete document.documentElement.dataset.theme;
		localStorage.removeItem("posthorn-theme");
	} else {
		document.documentElement.dataset.theme = next;
		localStorage.setItem("posthorn-theme", next);
	}
	say("Theme: " + next);
	redraw();
}

// --- session ---

function loggedIn(answer) {
	session = answer;
	reason = "";
	setToken(answer.csrf);
	lamps = new Map();
	begin(() => loggedOut("Your session is over. Log in again to go on."), sessionSeen);
	shown = null;
	first = true;
	show();
}

// In another window of this browser somebody may have logged in meanwhile: its cookie is ours, too.
function sessionSeen(now) {
	const was = session;
	if (was === null || was.csrf === now.csrf)
		return;
	session = now;
	setToken(now.csrf);
	if (was.user === now.user && was.role === now.role)
		return;
	toast(`In another window ${now.user} has logged in: this one is ${now.user}'s now, too.`, "bad");
	shown = null;
	closeView();
	show();
}

async function isAnother() {
	const was = session, now = await get("/api/session");
	sessionSeen(now);
	return was !== null && was.csrf !== now.csrf && was.user === now.user && was.role === now.role;
}

function loggedOut(why) {
	if (session === null)
		return;
	session = null;
	reason = why || "";
	setToken("");
	end();
	closeView();
	shown = null;
	document.querySelectorAll("dialog").forEach((d) => d.close());
	redraw();
}

async function logOut() {
	try {
		await post("/api/logout");
		loggedOut("You are logged out.");
	} catch (e) {
		toast(e.message, "bad");
	}
}

// A lamp that has changed is told in words, to those who do not see it.
function watchLamps(o) {
	const said = [];
	for (const l of o.links) {
		const was = lamps.get(l.name);
		if (was && was !== l.lamp)
			said.push(`Link ${l.name} is ${l.lamp}${l.lamp === "ok" || !l.last_error ? "" : ": " + l.last_error}`);
		lamps.set(l.name, l.lamp);
	}
	if (said.length > 0)
		say(said.length > 3 ? `${said.length} links have changed.` : said.join(". "));
}

async function start() {
	whenRefused(isAnother);
	whenLoggedOut(() => loggedOut("Your session is over. Log in again to go on."));
	listen("overview", (o) => { watchLamps(o); redraw(); });
	listen("state", redraw);
	addEventListener("hashchange", show);
	addEventListener("resize", () => redraw());
	try {
		loggedIn(await get("/api/session"));
	} catch (e) {
		if (e.status === 401)
			return redraw();
		draw(h("div", { class: "boot" }, h("p", null, e.message), h("button", { type: "button", onclick: () => location.reload() }, "Try again")));
	}
}

start();
