// SPDX-License-Identifier: GPL-2.0-only
// The table of listening ports: those that need attention first, then those to which something comes. Idle ones are
// folded away where there are many.

import {count, percent, rate} from "./numbers.js";
import {PORT_COUNTERS} from "./names.js";
import {element, fill, say} from "./tables.js";
import {get} from "./net.js";
import {meaning} from "./words.js";

const SHOWN = 8; /* rows that are there in any case, so that nothing jumps when a port comes to life */
const ACTIVE_US = 60e6; /* a port stays active for so long */
const OWNERS_MS = 30000;
const NEW_OWNERS_MS = 5000; /* where another one is not known */
const KINDS = {passed: "pass", challenged: "challenge", dropped: "drop", completed: "good"};
const RANKS = {critical: 0, unknown: 1, warning: 2};
const STATES = {
	protected: ["protected", ""], not_protected: ["NOT PROTECTED", "challenge"], attacked_held_off: ["attack, held off", "challenge"],
	attacked_not_filtered: ["attack, NOT FILTERED", "drop"], clients_turned_away: ["clients refused", "drop"],
	gone: ["not filtered", "drop"], unknown: ["unknown", "challenge"],
};

const owners = new Map(); /* by port */
const seen = new Map(); /* by port: when something came last, in us of the endpoint's clock */
let lastLook = 0;
let sought = null, nextOwners = 0; /* ports whose owner the last look did not find; when to look again in any case, in ms */
let show = "active", find = "", sorted = null, redraw = () => {};

export function ownerOf(port) {
	return owners.get(port.port) ?? (port.port === "other" ? "" : "-");
}

/* In a word, and its colour. A port that is armed by a spike of clients is neither attacked nor refused. */
export function stateOf(port) {
	if (port.state === "not_protected" && port.under_attack)
		return STATES.attacked_not_filtered;
	if (port.state === "protected" && port.armed)
		return ["traffic spike", "challenge"];
	return STATES[port.state] ?? [port.listening ? "local only" : "-", ""];
}

/* SYN/s in relation to the budget; null: it has none. */
export function ofBudget(model, port) {
	const now = model.portRate(port, "syns");

	return port.budget && now !== null ? now / port.budget : null;
}

function counterColumn(model, field, name) {
	const value = (port) => name.endsWith("/s") ? model.portRate(port, field) : port[field];

	if (field === "accept_queue")
		return {name, help: meaning("port-counters", field), value,
			of: (port) => port.accept_limit ? `${count(port.accept_queue)}/${count(port.accept_limit)}` : "-",
			kind: (port) => port.accept_full ? "drop" : ""};
	return {name, help: meaning("port-counters", field), value, of: (port) => (name.endsWith("/s") ? rate : count)(value(port)),
		kind: (port) => value(port) > 0 ? KINDS[field] : ""};
}

function columnsOf(model) {
	const [syns, ...counters] = Object.entries(PORT_COUNTERS).filter(([, name]) => name)
		.map(([field, name]) => counterColumn(model, field, name));
	const share = (port) => ofBudget(model, port);

	return [
		{name: "Port", of: (port) => String(port.port), value: (port) => port.port === "other" ? null : -port.port, link: (port) => `#port=${port.port}`,
		 help: "leads to the port's own page"},
		{name: "Owner", text: true, of: ownerOf, value: (port) => owners.get(port.port) ?? null, help: "the process that listens"},
		{name: "State", text: true, of: (port) => stateOf(port)[0], kind: (port) => stateOf(port)[1], value: (port) => -rank(port),
		 help: "the state of protection"},
		syns, {name: "Of budget", of: (port) => percent(share(port)), kind: (port) => share(port) > 1 ? "challenge" : "", value: share,
		       help: "SYN/s in relation to the port's budget: above it the port is armed"}, ...counters,
	];
}

function noteActivity(model) {
	if (model.now.monotonic_us < lastLook) /* the host has started anew, and so has its clock */
		seen.clear();
	for (const port of model.now.ports)
		if (port.port !== model.now.endpoint_port && (port.armed || port.accept_queue || model.portRate(port, "syns") > 0))
			seen.set(port.port, model.now.monotonic_us);
	lastLook = model.now.monotonic_us;
}

function isActive(port) {
	return port.severity === "critical" || lastLook - (seen.get(port.port) ?? -Infinity) < ACTIVE_US;
}

/* The lower, the sooner it needs attention: one digit for each of these, the first one counts most. */
function rank(port) {
	const no = [port.severity === "critical", port.under_attack, port.armed, port.accept_full, isActive(port)];

	return no.reduce((sum, yes) => sum * 2 + !yes, 0) * 4 + (RANKS[port.severity] ?? 3);
}

function byNeed(a, b) {
	return rank(a) - rank(b) || (a.port === "other") - (b.port === "other") || a.port - b.port;
}

/* By a column: the largest first, and texts by the alphabet; `reverse`: the other way. Unknown ones are last in any case. */
function byColumn({value}, reverse) {
	const order = (a, b) => typeof a === "string" ? a.localeCompare(b) : b - a;

	return (one, other) => {
		const a = value(one), b = value(other), unknown = (a === null) - (b === null);

		return unknown || (a === null ? 0 : (reverse ? -1 : 1) * order(a, b)) || byNeed(one, other);
	};
}

function matches(port) {
	return `${port.port} ${ownerOf(port)} ${stateOf(port)[0]} ${port.state_reason ?? ""}`.toLowerCase().includes(find);
}

/* Listeners, and ports without one that got SYNs when they had one, in the order of the table. */
function choose(model) {
	const known = model.now.ports.filter((port) => port.listening || port.syns).sort(byNeed);
	const wanted = known.filter(matches), active = wanted.filter((port) => isActive(port));
	const idle = wanted.filter((port) => !isActive(port));

	if (show === "attention")
		return {known, rows: wanted.filter((port) => port.severity in RANKS), idle: []};
	if (show === "all" || find)
		return {known, rows: wanted, idle: []};
	return {known, rows: [...active, ...idle.splice(0, Math.max(0, SHOWN - active.length))], idle};
}

/* A second click turns the order round, a third one takes it back. */
function sortBy(name) {
	if (sorted?.name !== name)
		sorted = {name, reverse: false};
	else
		sorted = sorted.reverse ? null : {name, reverse: true};
	redraw();
}

function showOrder() {
	for (const heading of element("ports").tHead.rows[0].cells) {
		const here = sorted?.name === heading.textContent;

		if (here)
			heading.setAttribute("aria-sort", sorted.reverse ? "ascending" : "descending");
		else
			heading.removeAttribute("aria-sort");
	}
	element("sort").value = sorted?.name ?? "";
}

export function drawPorts(model) {
	noteActivity(model);
	const {known, rows, idle} = choose(model), columns = columnsOf(model);
	const by = sorted && columns.find(({name}) => name === sorted.name);

	if (by)
		rows.sort(byColumn(by, sorted.reverse));
	fill("ports", columns.map((column) => ({...column, sort: () => sortBy(column.name)})), rows, (port) => String(port.port));
	showOrder();
	say("ports-folded", idle.length ? `${count(idle.length)} idle ports are not shown.` : rows.length ? "" : "No port is like that.");
	const number = {attention: known.filter((port) => port.severity in RANKS), active: known.filter((port) => isActive(port)),
		all: known};

	for (const button of document.querySelectorAll("[data-show]"))
		say(button.id, `${button.dataset.name} ${count(number[button.dataset.show].length)}`);
}

function unowned(model) {
	return (model.now?.ports ?? []).filter((port) => port.listening && port.port !== "other" && !owners.has(port.port))
		.map((port) => port.port).join();
}

/* Where a look finds no owner of a port, the next one soon after would not either. */
async function lookForOwners(model) {
	setTimeout(lookForOwners, NEW_OWNERS_MS, model);
	if (document.hidden || (unowned(model) === sought && performance.now() < nextOwners))
		return;
	nextOwners = performance.now() + OWNERS_MS;
	for (const one of await get("api/conns?state=LISTEN&limit=10000").catch(() => []))
		owners.set(one.lport, one.comm ?? null);
	sought = unowned(model);
}

/* `draw`: draws the table anew, as something was chosen. */
export function startPorts(model, draw) {
	redraw = draw;
	for (const button of document.querySelectorAll("[data-show]"))
		button.addEventListener("click", () => {
			show = button.dataset.show;
			document.querySelectorAll("[data-show]").forEach((one) =>
				one.setAttribute("aria-pressed", String(one === button)));
			draw();
		});
	for (const {name} of columnsOf(model))
		element("sort").append(new Option(name));
	element("sort").addEventListener("change", ({target}) => {
		sorted = target.value ? {name: target.value, reverse: false} : null;
		draw();
	});
	element("find").addEventListener("input", ({target}) => {
		find = target.value.trim().toLowerCase();
		draw();
	});
	lookForOwners(model);
}
