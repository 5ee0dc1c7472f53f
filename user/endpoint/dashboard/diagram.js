// SPDX-License-Identifier: GPL-2.0-only
// TCP's states as a drawing: made once for a width, then only its numbers change.

import {short, shortRate} from "./numbers.js";
import {EDGES, NARROW, STATES, WIDE, ZONES, centre, route} from "./layout.js";

const narrow = matchMedia("(max-width: 640px)");
const picture = document.getElementById("diagram");
let counts = {}, rates = {}, resets = {}; /* elements by state, transition, state */

function add(parent, name, attributes, text = "") {
	const element = document.createElementNS("http://www.w3.org/2000/svg", name);

	for (const [key, value] of Object.entries(attributes))
		element.setAttribute(key, value);
	element.textContent = text;
	parent.append(element);
	return element;
}

function drawMarkers() {
	const defs = add(picture, "defs", {});

	for (const id of ["arrow", "arrow-on"]) {
		const marker = add(defs, "marker", {id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8,
						    markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto"});

		add(marker, "path", {d: "M0 0 8 4 0 8z"});
	}
}

function drawZone(layout, {name, kind, at: [left, right, top, bottom], above, below}) {
	const [width, height] = layout.box, end = layout.rows[bottom] + height / 2;
	const x = layout.columns[left] - width / 2 - layout.margin, y = layout.rows[top] - height / 2 - above;

	add(picture, "rect", {class: `zone ${kind}`, x, y, rx: 8, height: end + below - y,
			      width: layout.columns[right] + width / 2 + layout.margin - x});
	return {x: x + 7, y: above > below ? y + 13 : end + 14, name};
}

function drawEdge(layout, edge) {
	const {path, x, y} = route(layout, edge), [dx, dy, grows] = layout.captions ? edge.label : edge.narrow;
	const group = add(picture, "g", {class: edge.counts ? "edge" : "edge unreported", "data-edge": edge.counts ?? ""});

	add(group, "path", {d: path});
	edge.text = add(group, "text", {x: x + dx, y: y + dy, "text-anchor": grows, class: "rate"});
	edge.idle = layout.captions ? edge.cause : "";
	edge.text.textContent = edge.idle;
	if (edge.counts)
		rates[edge.counts] = {group, edge};
}

function drawState(layout, state) {
	const [x, y] = centre(layout, state), [width, height] = layout.box, shown = state === "END" ? "CLOSE" : state;
	const isClosed = shown === "CLOSE";
	const group = add(picture, "g", {class: isClosed ? "state closed" : "state", "data-state": state});

	add(group, "rect", {x: x - width / 2, y: y - height / 2, width, height, rx: isClosed ? height / 2 : 7});
	add(group, "text", {x, y: isClosed ? y + 4 : y - 4, class: "name"}, shown);
	if (isClosed)
		return;
	counts[state] = add(group, "text", {x, y: y + 14, class: "count"}, "-");
	resets[state] = add(group, "text", {y: y + height / 2 + 12, class: "reset", ...state === "ESTABLISHED"
		? {x, "text-anchor": "middle"} : {x: x - width * 0.38, "text-anchor": "start"}});
}

/* Names of zones come last, above the lines. */
export function layOut() {
	const layout = narrow.matches ? NARROW : WIDE;

	counts = {};
	rates = {};
	resets = {};
	picture.replaceChildren();
	picture.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
	picture.classList.toggle("narrow", narrow.matches);
	drawMarkers();
	const names = ZONES.map((zone) => drawZone(layout, zone));

	EDGES.forEach((edge) => drawEdge(layout, edge));
	Object.keys(STATES).forEach((state) => drawState(layout, state));
	for (const {x, y, name} of names)
		name.forEach((line, i) => add(picture, "text", {x, y: y + 12 * i, class: "zone-name"}, line));
}

export function onLayOut(redraw) {
	narrow.addEventListener("change", () => {
		layOut();
		redraw();
	});
}

/* The rate of each transition that was ever seen, as "FROM>TO": null where it is unknown. */
export function transitionRates(model) {
	const of = (snapshot, name) =>
		snapshot.transitions.find((one) => `${one.from}>${one.to}` === name)?.count;

	return Object.fromEntries(model.now.transitions.map(({from, to}) => {
		const name = `${from}>${to}`;

		return [name, model.rate((snapshot) => of(snapshot, name))];
	}));
}

function showRate({group, edge}, rate) {
	group.classList.toggle("on", rate > 0);
	group.firstChild.style.strokeWidth = rate > 0 ? 1.8 + Math.min(2.5, Math.log10(1 + rate) * 0.8) : "";
	edge.text.textContent = rate > 0 ? `${shortRate(rate)}/s` : edge.idle;
}

export function drawDiagram(model) {
	const seen = transitionRates(model);

	for (const {state, now} of model.now.states) {
		if (!counts[state])
			continue;
		counts[state].textContent = short(now);
		counts[state].parentNode.classList.toggle("on", now > 0);
	}
	for (const name in rates)
		showRate(rates[name], seen[name] ?? 0);
	for (const state in resets) {
		const rate = rates[`${state}>CLOSE`] ? 0 : seen[`${state}>CLOSE`] ?? 0;

		resets[state].textContent = rate > 0 ? `\u2715 ${shortRate(rate)}/s` : "";
	}
}
