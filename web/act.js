// act.js - what an operator does: asked first where it matters, done, and told. Nothing here decides what is allowed: the console does.
import { post } from "./ask.js";
import { h } from "./dom.js";
import { confirmed, toast } from "./parts.js";
import { plural, count } from "./format.js";

const LINK_ACTS = {
	retry: { done: "is tried now" },
	start: { done: "may open again" },
	close: { title: "Close the associations of", body: "They are released when what is in hand is done. The link opens new ones when mail wants it.", act: "Close", done: "closes its associations" },
	stop: { title: "Stop", body: "It opens nothing and takes no call until it is started again, also after a restart of the MTA. Its mail waits.", act: "Stop", grave: true, done: "is stopped" },
};

// Retry and start are done at once; the others are asked for.
export async function actOnLink(l, what) {
	const a = LINK_ACTS[what];
	const answer = a.title ? await confirmed({ title: `${a.title} ${l.name}?`, body: h("p", null, a.body), act: `${a.act} ${l.name}`, grave: a.grave, why: "asked" }) : { why: "" };
	if (answer === null)
		return;
	try {
		await post(`/api/links/${encodeURIComponent(l.name)}/${what}`, answer.why ? { why: answer.why } : {});
		toast(`Link ${l.name} ${a.done}.`);
	} catch (e) {
		toast(`${l.name}: ${e.message}`, "bad");
	}
}

export const QUEUE_ACTS = {
	hold: { word: "Hold", past: "held", body: "It is not tried and does not expire until it is released.", why: "asked" },
	release: { word: "Release", past: "released", body: "What was held goes on.", why: "asked" },
	retry: { word: "Retry", past: "retried", body: "Its wait for the next attempt is over.", why: "asked" },
	reroute: { word: "Reroute", past: "rerouted", body: "It is handed to another link.", why: "asked" },
	return: { word: "Return", past: "returned", body: "It is given up, and its originator gets a non-delivery report.", why: "wanted", grave: true },
	delete: { word: "Delete", past: "deleted", body: "It is given up without a report: nobody is told.", why: "wanted", grave: true },
};

function outcome(act, sum) {
	const said = [`${plural(sum.done, "transfer")} ${QUEUE_ACTS[act].past}`];
	if (sum.gone > 0)
		said.push(`${count(sum.gone)} had gone meanwhile`);
	if (sum.in_flight > 0)
		said.push(`${count(sum.in_flight)} being handed over: done if they come back`);
	if (sum.refused > 0)
		said.push(`${count(sum.refused)} refused`);
	return said.join(", ") + (sum.error ? `: ${sum.error}` : ".");
}

// On ids, or on all that fit a filter: in slices until nothing is left. progress(text) is told how far it is.
export async function actOnQueue(act, { ids, filter }, { why, choice }, progress) {
	const sum = { done: 0, gone: 0, in_flight: 0, refused: 0, error: "" };
	const add = (a) => {
		for (const name of ["done", "gone", "in_flight", "refused"])
			sum[name] += a[name];
		sum.error = sum.error || a.error;
		progress(`${QUEUE_ACTS[act].word}: ${count(sum.done)} so far`);
	};
	const body = { why, link: choice };
	for (const name of Object.keys(body))
		if (!body[name])
			delete body[name];
	try {
		for (let i = 0; ids && i < ids.length; i += 500)
			add(await post("/api/queue/" + act, { ...body, ids: ids.slice(i, i + 500) }));
		for (let after; filter && after !== null;) {
			const a = await post("/api/queue/" + act, { ...body, filter, ...(after ? { after } : {}) });
			add(a);
			after = a.next;
		}
		toast(outcome(act, sum), sum.refused > 0 || sum.error ? "bad" : "good");
	} catch (e) {
		toast(sum.done > 0 ? `${outcome(act, sum)} Then: ${e.message}` : e.message, "bad");
	}
	progress("");
	return sum;
}
