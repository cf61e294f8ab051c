// live.js - what comes by itself: the stream of server-sent events, the one copy of the overview, and a clock that counts down. Views listen
// for as long as they are shown.
import { get } from "./ask.js";

const SAMPLES_KEPT = 4000, RETRY_MAX_MS = 10000;
const SILENT_MS = 45000; // a change comes each 15 s at least: a stream without one is dead, as after a sleep, though nobody has said so
const HIDDEN_MS = 30000; // a page that nobody sees gives its stream back: a browser has six connections to one host for all of its pages

export const live = {
	overview: null,       // the last one
	at: 0,                // when it came, by performance.now()
	clock_ms: 0,          // how far the MTA's clock is before ours
	away_since: null,     // Date since which the console does not answer
	switch_since: null,   // Date since which the switch does not
	full: "",             // why there are no live updates although there is an answer
};

const listeners = { overview: new Set(), event: new Set(), history: new Set(), tick: new Set(), state: new Set(), resume: new Set() };
let coming = null; // links of pages, until the last has come
let source = null, heard_at = 0, retry_timer = 0, hidden_timer = 0, retry_ms = 1000, wanted = false, opened = false, isOpen = false, onGone = () => {}, onSession = () => {};

export function listen(what, f) {
	listeners[what].add(f);
	return () => listeners[what].delete(f);
}

const tell = (what, value) => { for (const f of [...listeners[what]]) f(value); };

// Milliseconds of the overview that have passed since it came.
export const since = () => performance.now() - live.at;

// The time now, by the clock that times of messages were taken from.
export const mtaNow = () => Date.now() + live.clock_ms;

export function wait(next_ms) {
	return next_ms === null || next_ms === undefined ? null : Math.max(0, next_ms - since());
}

// Whether a queue grows or drains: what it was a minute ago (or as long as this page knows) against now.
const TREND_MS = 60000, TREND_LEAST_MS = 10000;
const queues = new Map();

function noteQueues(o) {
	const now = performance.now();
	for (const l of o.links) {
		const seen = queues.get(l.name) || [];
		seen.push([now, l.queued]);
		while (seen.length > 2 && now - seen[1][0] > TREND_MS)
			seen.shift();
		queues.set(l.name, seen);
	}
}

export function trend(name) {
	const seen = queues.get(name);
	if (!seen || seen.length < 2 || seen[seen.length - 1][0] - seen[0][0] < TREND_LEAST_MS)
		return 0;
	return Math.sign(seen[seen.length - 1][1] - seen[0][1]);
}

// Links as they were told of some time ago, with their next attempts from now.
const aged = (links, passed) => links.map((l) => l.next_attempt_ms === null ? l : { ...l, next_attempt_ms: Math.max(0, l.next_attempt_ms - passed) });

function merged(links, changed) {
	const by_name = new Map(changed.map((l) => [l.name, l]));
	return links.map((l) => by_name.get(l.name) || l);
}

// Of very many links the overview has none: they come page by page (onLinks), and until all are here those of before stand.
function onOverview(o) {
	setOverview(o.links.length < (o.of || 0) ? { ...o, links: live.overview ? aged(live.overview.links, since()) : [] } : o);
}

// What has changed, for the links that are known, and for those of pages that have come so far.
function onChange(o) {
	if (!live.overview)
		return;
	const passed = since();
	if (coming)
		coming = merged(aged(coming, passed), o.links);
	setOverview({ ...o, links: merged(aged(live.overview.links, passed), o.links) });
}

function onLinks(page) {
	const passed = since(), links = page.links.map((l) => l.next_attempt_ms === null ? l : { ...l, next_attempt_ms: l.next_attempt_ms + passed });
	if (page.from === 0)
		coming = [];
	if (!live.overview || !coming || coming.length !== page.from) {
		coming = null;
		return;
	}
	coming.push(...links);
	if (coming.length < page.of)
		return;
	live.overview = { ...live.overview, links: coming };
	coming = null;
	noteQueues(live.overview);
	tell("overview", live.overview);
}

export function setOverview(o) {
	noteQueues(o);
	live.overview = o;
	live.at = performance.now();
	live.clock_ms = Date.parse(o.at) + o.age_ms - Date.now() || 0;
	const was = live.switch_since;
	live.switch_since = o.switch ? null : was || new Date(Date.now() - o.age_ms);
	tell("overview", o);
	if (Boolean(was) !== !o.switch)
		tell("state");
}

function setAway(away, why) {
	const was = live.away_since;
	live.away_since = away ? was || new Date() : null;
	live.full = why || "";
	if (Boolean(was) !== Boolean(live.away_since) || why !== undefined)
		tell("state");
}

function onEvent(text) {
	heard_at = performance.now();
	tell("event", JSON.parse(text));
}

function again() {
	clearTimeout(retry_timer);
	retry_timer = setTimeout(open, retry_ms * (0.75 + Math.random() / 2)); // not all pages at the same moment
	retry_ms = Math.min(retry_ms * 2, RETRY_MAX_MS);
}

// The stream has ended, or was not given: by a lost session, too many viewers, or since nobody is there. Plain questions tell which.
async function lost() {
	const was_open = isOpen;
	if (source)
		source.close();
	source = null;
	isOpen = false;
	try {
		const session = await get("/api/session");
		if (!wanted)
			return;
		onSession(session);
		setAway(false, was_open ? "" : "Too many pages are open for live updates; this one looks every few seconds.");
		const o = await get("/api/overview");
		if (wanted)
			setOverview(o);
	} catch (e) {
		if (!wanted)
			return;
		if (e.status === 401)
			return onGone();
		if (e.status === 0) {
			setAway(true);
		} else if (!live.switch_since) { // the console is there, and knows nothing
			live.switch_since = new Date();
			tell("state");
		}
	}
	if (wanted && !document.hidden)
		again();
}

// Who was silent for too long is asked.
export function checkSilence() {
	if (source && isOpen && performance.now() - heard_at > SILENT_MS)
		lost();
}

// Something may have been missed between two streams: views that keep a list of their own ask for it again.
function onOpen() {
	retry_ms = 1000;
	isOpen = true;
	heard_at = performance.now();
	setAway(false, "");
	if (opened)
		tell("resume");
	opened = true;
}

function open() {
	if (!wanted || source)
		return;
	source = new EventSource("/api/stream");
	source.addEventListener("open", onOpen);
	coming = null;
	for (const [name, f] of [["overview", onOverview], ["change", onChange], ["links", onLinks]])
		source.addEventListener(name, (m) => { heard_at = performance.now(); f(JSON.parse(m.data)); });
	source.addEventListener("event", (m) => onEvent(m.data));
	source.addEventListener("history", (m) => tell("history", JSON.parse(m.data)));
	source.addEventListener("error", lost);
}

// Begins; gone() is called when the session is over, seen(session) each time that it was asked for.
export function begin(gone, seen) {
	onGone = gone;
	onSession = seen || (() => {});
	wanted = true;
	opened = false;
	retry_ms = 1000;
	open();
	get("/api/overview").then((o) => { if (wanted && !live.overview) setOverview(o); }, () => {});
}

export function end() {
	wanted = false;
	clearTimeout(retry_timer);
	clearTimeout(hidden_timer);
	if (source)
		source.close();
	source = null;
	isOpen = false;
	live.overview = null;
	live.full = "";
	queues.clear();
	live.away_since = live.switch_since = null;
}

document.addEventListener("visibilitychange", () => {
	clearTimeout(hidden_timer);
	if (!document.hidden)
		retryNow();
	else if (wanted)
		hidden_timer = setTimeout(() => { clearTimeout(retry_timer); if (source) source.close(); source = null; }, HIDDEN_MS);
});

export function retryNow() {
	retry_ms = 1000;
	clearTimeout(retry_timer);
	if (!source)
		open();
}

setInterval(() => {
	if (document.hidden)
		return;
	checkSilence();
	tell("tick");
}, 1000);

// --- samples for plots: asked for once, then kept up by the stream ---

export async function history(link, minutes, signal) {
	const answer = await get(`/api/history?minutes=${minutes}${link ? "&link=" + encodeURIComponent(link) : ""}`, signal);
	return answer.samples;
}

export function addSample(samples, sample, minutes) {
	while (samples.length > 0 && samples[samples.length - 1].at_ms >= sample.at_ms) // the clock of the MTA was set back
		samples.pop();
	samples.push(sample);
	const from = sample.at_ms - minutes * 60000;
	while (samples.length > SAMPLES_KEPT || samples.length > 0 && samples[0].at_ms < from)
		samples.shift();
}
