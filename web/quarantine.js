// quarantine.js - what was set aside since processes died of it or nobody could read it: why, and what to do with it.
import { h } from "./dom.js";
import { post, page as getPage } from "./ask.js";
import { listen, live } from "./live.js";
import { when, none, waiting, failed, linkTo, confirmed, toast } from "./parts.js";
import { octets, plural, words, shortAddress, addresses } from "./format.js";

const PAGE = 50, ROWS_MAX = 500; // what is shown is asked for again as a whole

const ACTS = {
	release: { word: "Release", past: "released", body: "It goes back to its link, handled alone by a fresh process. If it does harm again it comes back here.", why: "asked" },
	delete: { word: "Delete", past: "deleted", body: "For good. Its originator has had a report.", why: "wanted", grave: true },
};

// True: something was done.
export async function actOnQuarantine(what, ids) {
	const a = ACTS[what], how = plural(ids.length, "message");
	const answer = await confirmed({ title: `${a.word} ${how} from quarantine?`, body: h("p", null, a.body), act: `${a.word} ${how}`, why: a.why, grave: a.grave });
	if (answer === null)
		return false;
	try {
		const got = { done: 0, gone: 0, refused: 0, error: "" };
		for (let i = 0; i < ids.length; i += ROWS_MAX) {
			const some = await post("/api/quarantine/" + what, { ids: ids.slice(i, i + ROWS_MAX), ...(answer.why ? { why: answer.why } : {}) });
			for (const name of ["done", "gone", "refused"])
				got[name] += some[name];
			got.error = got.error || some.error;
		}
		toast(`${plural(got.done, "message")} ${a.past}${got.gone ? `, ${got.gone} had gone meanwhile` : ""}${got.refused ? `, ${got.refused} refused` : ""}${got.error ? `: ${got.error}` : "."}`, got.refused || got.error ? "bad" : "good");
		return got.done > 0;
	} catch (e) {
		toast(e.message, "bad");
		return false;
	}
}

export function quarantineView(ctx) {
	const wish = new AbortController();
	let rows = null, next = null, error = null, chosen = new Set(), known = "";

	async function load(more) {
		try {
			const answer = await getPage("/api/quarantine", { after: more ? next : "", max: more ? PAGE : Math.min(ROWS_MAX, Math.max(PAGE, rows ? rows.length : 0)) }, wish.signal);
			rows = more ? [...rows, ...answer.rows] : answer.rows;
			next = answer.next;
			error = null;
			chosen = new Set([...chosen].filter((id) => rows.some((r) => r.quarantine === id)));
		} catch (e) {
			if (e.name === "AbortError")
				return;
			error = e;
		}
		ctx.changed();
	}
	const act = async (what, ids) => { if (await actOnQuarantine(what, ids)) load(); };
	load();
	const ends = [listen("overview", (o) => {
		const now = `${o.totals.quarantined} ${o.totals.suspects}`;
		if (known !== "" && known !== now)
			load();
		known = now;
	})];

	return {
		title: () => "Quarantine",
		close: () => { wish.abort(); ends.forEach((f) => f()); },
		draw: () => [
			h("div", { class: "top" }, h("h1", { tabindex: -1 }, "Quarantine"), h("span", { class: "soft" }, live.overview ? `${plural(live.overview.totals.quarantined, "message")} set aside, ${plural(live.overview.totals.suspects, "suspect")} handled alone` : "")),
			error && failed(error, () => load()), rows === null ? !error && waiting() : rows.length === 0 ? h("div", { class: "panel" }, none("Nothing is in quarantine.", "A message comes here when processes have died of it, or when nobody can read it."))
				: h("ul", { class: "stack" }, rows.map((r) => entry(r))),
			next !== null && rows && h("button", { type: "button", onclick: () => load(true) }, "More"),
			chosen.size > 0 && h("div", { class: "selection", role: "region", "aria-label": "What is chosen" }, h("b", null, `${plural(chosen.size, "message")} chosen`),
				["release", "delete"].map((x) => h("button", { key: x, type: "button", class: "small", onclick: () => act(x, [...chosen]) }, ACTS[x].word)), h("button", { type: "button", class: "plain small", onclick: () => { chosen.clear(); ctx.changed(); } }, "Choose none")),
		],
	};

	function entry(r) {
		const raw = r.what === "octets", id = r.quarantine, to = addresses(r.recipients);
		const tick = (e) => { if (e.target.checked) chosen.add(id); else chosen.delete(id); ctx.changed(); };
		return h("li", { key: id, class: "panel", "data-quarantine": id },
			h("div", { class: "top" }, ctx.may() && h("input", { type: "checkbox", checked: chosen.has(id), "aria-label": `Choose number ${id}`, onchange: tick }),
				h("h2", null, h("a", { href: `#/message/quarantine/${id}` }, raw ? `Octets of a peer, number ${id}` : shortAddress(to[0] || "") || r.id || `Number ${id}`), to.length > 1 && ` and ${to.length - 1} more`),
				h("span", { class: "tag " + (r.state === "kept" ? "held" : "quiet") }, r.state), h("span", { class: "soft small" }, [octets(r.size), r.strikes > 0 ? plural(r.strikes, "strike") : ""].filter((x) => x).join(", ")),
				ctx.may() && h("div", { class: "acts" }, !raw && h("button", { type: "button", class: "small", onclick: () => act("release", [id]) }, "Release"), h("button", { type: "button", class: "small", onclick: () => act("delete", [id]) }, "Delete"))),
			h("p", null, r.cause || words(r.state)), r.words && r.words !== r.cause && h("p", { class: "small soft" }, `Last words: ${r.words}`),
			h("p", { class: "small soft" }, when(r.at), r.link && [", link ", linkTo(r.link)], r.originator && `, from ${r.originator}`, r.id && [", identifier ", h("code", null, r.id)]),
			raw && r.form === "p1" && h("p", { class: "small soft" }, `Nobody has decoded it; posthorn quarantine release ${id} does.`));
	}
}
