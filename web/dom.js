// dom.js - elements described as values, and a page made to match them in place. What is there already is kept, so focus, selection and the
// place of a scroll outlive an update. Text only ever becomes text: there is no way here to have octets of a message read as markup.

const SVG = "http://www.w3.org/2000/svg";
const AS_PROPERTY = new Set(["value", "checked", "disabled", "selected", "indeterminate", "required", "readOnly", "hidden", "open"]);

// h("p", { class: "quiet", key: "x" }, "text", h("b", null, "more"), [...]): props that begin with `on` are listeners; false, null and
// undefined among the children are nothing.
export function h(tag, props, ...kids) {
	const flat = [];
	const add = (k) => {
		if (Array.isArray(k))
			k.forEach(add);
		else if (k !== null && k !== undefined && k !== false && k !== true)
			flat.push(typeof k === "object" ? k : { text: String(k) });
	};
	kids.forEach(add);
	return { tag, props: props || {}, key: props ? props.key : undefined, kids: flat };
}

function setProp(el, name, value, before) {
	if (name === "key" || name === "onmake")
		return;
	if (name.startsWith("on")) {
		if (!el.heard)
			el.heard = {};
		if (!(name in el.heard))
			el.addEventListener(name.slice(2), (event) => el.heard[name] && el.heard[name](event));
		el.heard[name] = value;
	} else if (AS_PROPERTY.has(name)) {
		if (name === "value" ? el.value !== String(value ?? "") : el[name] !== Boolean(value))
			el[name] = name === "value" ? value ?? "" : Boolean(value);
	} else if (value === before) {
		return;
	} else if (value === null || value === undefined || value === false) {
		el.removeAttribute(name);
	} else {
		el.setAttribute(name, value === true ? "" : value);
	}
}

function make(v, ns) {
	if (v.text !== undefined) {
		v.el = document.createTextNode(v.text);
		return v.el;
	}
	const inside = v.tag === "svg" ? SVG : ns;
	const el = inside ? document.createElementNS(inside, v.tag) : document.createElement(v.tag);
	v.el = el;
	for (const kid of v.kids)
		el.append(make(kid, inside));
	for (const [name, value] of Object.entries(v.props))
		if (value !== undefined && value !== null && value !== false || name.startsWith("on"))
			setProp(el, name, value);
	if (v.props.onmake)
		v.props.onmake(el);
	return el;
}

const isSame = (a, b) => a.tag === b.tag && a.key === b.key && (a.text === undefined) === (b.text === undefined);

function update(old, v, ns) {
	const el = old.el;
	v.el = el;
	if (v.text !== undefined) {
		if (v.text !== old.text)
			el.nodeValue = v.text;
		return;
	}
	const inside = v.tag === "svg" ? SVG : ns;
	updateKids(el, old.kids, v.kids, inside);
	for (const name of Object.keys(old.props))
		if (!(name in v.props))
			setProp(el, name, name.startsWith("on") ? null : undefined, old.props[name]);
	for (const [name, value] of Object.entries(v.props))
		setProp(el, name, value, old.props[name]);
}

// Keyed children are found by key wherever they were; the others by place.
function updateKids(el, olds, news, ns) {
	const keyed = new Map(), plain = [];
	for (const o of olds)
		if (o.key !== undefined)
			keyed.set(o.key, o);
		else
			plain.push(o);
	let at = 0;
	const kept = new Set();
	for (const v of news) {
		const o = v.key !== undefined ? keyed.get(v.key) : plain[at++];
		if (o && !kept.has(o) && isSame(o, v)) {
			kept.add(o);
			update(o, v, ns);
		} else {
			make(v, ns);
		}
	}
	for (const o of olds)
		if (!kept.has(o))
			o.el.remove();
	let next = el.firstChild;
	for (const v of news) {
		if (v.el === next)
			next = next.nextSibling;
		else
			el.insertBefore(v.el, next);
	}
}

// A function that makes `root` have exactly these children.
export function drawing(root) {
	let olds = [];
	return (...kids) => {
		const { kids: news } = h("x", null, ...kids);
		updateKids(root, olds, news, null);
		olds = news;
	};
}
