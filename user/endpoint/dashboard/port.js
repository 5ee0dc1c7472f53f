// SPDX-License-Identifier: GPL-2.0-only
// A port's own page, at #port=N: its state, budget, owner, served addresses, hour, counters and connections, and what a
// SYN of some address would get.

import {bytes, count, duration, endpoint, percent, rate} from "./numbers.js";
import {portOf, seconds} from "./model.js";
import {PORT_COUNTERS} from "./names.js";
import {element, fill, say} from "./tables.js";
import {get} from "./net.js";
import {ChartPanel, VERDICTS} from "./charts.js";
import {Timespan} from "./timespan.js";
import {boundsOf, momentsOf} from "./overview.js";
import {ofBudget, ownerOf, stateOf} from "./ports.js";
import {answer, sentence} from "./verdict.js";
import {meaning} from "./words.js";

const LOOK_MS = 5000;
const CONNECTIONS = 50; /* shown of them */
const FETCHED = 1000;
const HOUR = 3600;
const ORDER = ["LISTEN", "ESTABLISHED"]; /* states that are shown first; half-open ones last */

let model = null, number = null, panel = null, next = 0;
let since = null, samples = [], live = [], served = null, connections = [], more = false; /* samples: kept by `run`; live: since the page was opened; more: connections than were fetched */

/* What the page's address names: a port, "other", or a text that is no port; null: none. */
function portAsked() {
	const asked = /^#port=(.*)/.exec(location.hash)?.[1] ?? null;

	return /^\d+$/.test(asked) && isPort(Number(asked)) ? Number(asked) : asked;
}

function isPort(asked) {
	return Number.isInteger(asked) && asked > 0 && asked < 65536;
}

function budgetText(port) {
	const share = ofBudget(model, port), then = port.challenge === "auto" ? "challenged" : "dropped";

	if (!port.budget)
		return "none: all its SYNs pass";
	return `${count(port.budget)} SYN/s, above it they are ${then}; now ${percent(share)}, ` + (share > 1
		? `${rate(port.budget * (share - 1))}/s above it` : `${rate(share === null ? null : port.budget * (1 - share))}/s below it`);
}

function servedText() {
	if (served === null)
		return "-";
	return served.length ? served.join(", ") : "at no address that is known: a flood to it would pass";
}

/* Rows: name, text, whether it is a reason to worry. The other ports together have no owner and no address. */
function factsOf(port) {
	return [
		...port.port === "other" ? [] : [["Owner", ownerOf(port)], ["Served", servedText(), served?.length === 0]],
		["Budget", budgetText(port)],
		["Named by protect", port.protected ?? "no"],
		["Clients", `${rate(model.portRate(port, "clients"))}/s connect` +
			(port.usual_millis === null ? "" : `; ${rate(port.usual_millis / 1000)}/s as a rule`)],
		["Half-open", count(port.half_open)],
		["Accept queue", `${count(port.accept_queue)} of ${count(port.accept_limit)}${port.accept_full ? ", full" : ""}`,
		 port.accept_full > 0],
	];
}

function drawFacts(port) {
	const list = element("port-facts"), facts = factsOf(port);

	while (list.children.length > facts.length)
		list.lastChild.remove();
	while (list.children.length < facts.length) {
		const row = document.createElement("div");

		row.append(document.createElement("dt"), document.createElement("dd"));
		list.append(row);
	}
	facts.forEach(([name, text, bad], i) => {
		const [dt, dd] = list.children[i].children;

		dt.textContent = name;
		if (dd.textContent !== text)
			dd.textContent = text;
		dd.dataset.kind = bad ? "drop" : "";
	});
}

/* Every counter, and of those that explain another one, why SYNs were dropped or passed. */
const REASONS = {
	limited: "SYNs dropped by --source-limit",
	over_budget: "SYNs dropped over the budget, unchallenged",
};

function drawCounters(port) {
	const rows = [...Object.keys(PORT_COUNTERS), ...Object.keys(REASONS)].filter((field) => field !== "accept_limit");

	fill("port-counters", [
		{name: "Counter", text: true, of: (field) => field.replace(/_/g, " ")},
		{name: "Now or in all", of: (field) => count(port[field])},
		{name: "/s", of: (field) => rate(model.portRate(port, field))},
		{name: "Meaning", text: true, of: (field) => REASONS[field] ?? meaning("port-counters", field)},
	], rows);
}

function drawConnections() {
	const states = new Map();

	for (const {state} of connections)
		states.set(state, (states.get(state) ?? 0) + 1);
	fill("port-states", [
		{name: "State", text: true, of: ([state]) => state},
		{name: "Sockets", of: ([, sockets]) => count(sockets)},
		{name: "Meaning", text: true, of: ([state]) => meaning("tcp-states", state)},
	], [...states].sort((a, b) => b[1] - a[1]));
	say("port-states-note", more ? `of the first ${count(FETCHED)}` : "");
	fill("port-connections", [
		{name: "Peer", text: true, of: (row) => row.state === "LISTEN" ? "any" : endpoint(row.raddr, row.rport)},
		{name: "Local", text: true, of: (row) => endpoint(row.laddr, row.lport)},
		{name: "State", text: true, of: (row) => row.state},
		{name: "Owner", text: true, of: (row) => row.comm === null || row.comm === undefined ? "-" : `${row.comm} (${row.pid})`},
		{name: "Age", of: (row) => duration(row.duration_us ?? row.duration_at_least_us ?? null)},
		{name: "Sent", of: (row) => (row.sent_bytes ?? null) === null ? "-" : bytes(row.sent_bytes)},
		{name: "Received", of: (row) => (row.received_bytes ?? null) === null ? "-" : bytes(row.received_bytes)},
	], connections.slice(0, CONNECTIONS));
	say("port-connections-more", connections.length > CONNECTIONS
		? `${CONNECTIONS} of ${more ? "more than " : ""}${count(connections.length)} are shown; all: synwarden conns --open --port ${number}` : "");
}

function drawState(port) {
	const [word] = stateOf(port);

	answer("port-state", {critical: "bad", warning: "warn", unknown: "unknown"}[port.severity] ?? "good", word,
		[port.state ? sentence(port) : "", port.sentence ?? ""].filter(Boolean).join("\n"), port.fix);
}

function sampleOf(status) {
	const port = portOf(status, number), sample = {monotonic_us: status.monotonic_us};

	VERDICTS.forEach(([field]) => { sample[field] = port?.[field] ?? 0; });
	return sample;
}

function noteSample() {
	if (since !== model.now.since)
		[since, samples, live] = [model.now.since, [], []];
	const known = live.at(-1)?.monotonic_us ?? 0;

	live.push(...model.snapshots.filter((status) => status.monotonic_us > known).map(sampleOf));
	live = live.filter((one) => seconds(one, model.now) <= HOUR);
}

/* The kept samples count from their first one on: the last of them is as much as the live ones were then. */
function course() {
	const last = samples.at(-1), then = last && live.find((one) => one.monotonic_us >= last.monotonic_us);
	const before = then ? samples.filter((one) => one.monotonic_us < live[0].monotonic_us) : [];

	return [...before.map((one) => {
		const sample = {monotonic_us: one.monotonic_us};

		VERDICTS.forEach(([field]) => { sample[field] = one[field] - last[field] + then[field]; });
		return sample;
	}), ...live];
}

function drawChart(port) {
	panel.extra.budget = {value: port.budget ?? 0, text: `budget: ${count(port.budget ?? 0)}`};
	panel.extra.moments = momentsOf(port.port);
	panel.draw(model, course());
}

function place({state}) {
	const at = ORDER.indexOf(state);

	return state === "NEW_SYN_RECV" ? ORDER.length + 1 : at < 0 ? ORDER.length : at;
}

async function look() {
	const asked = number;

	next = Date.now() + LOOK_MS;
	const [hour, at, open] = asked === "other" ? [[], {served: []}, []] : await Promise.all([get(`api/history?port=${asked}`),
		get(`api/port?port=${asked}`), get(`api/conns?port=${asked}&limit=${FETCHED + 1}`)]);

	if (asked !== number)
		return;
	samples = hour;
	({served} = at);
	more = open.length > FETCHED;
	connections = open.slice(0, FETCHED).sort((a, b) => place(a) - place(b));
	drawPort();
}

function drawNothing() {
	say("port-title", `Port ${number}`);
	if (isPort(number) || number === "other")
		answer("port-state", "unknown", "nothing is known of it", "It has no counters of its own: either nothing listens there, " +
			"or more ports listen than have counters, and it is among the other ones.");
	else
		answer("port-state", "unknown", "no such port", "Ports have numbers from 1 to 65535.");
}

export function drawPort() {
	const port = portOf(model.now, number);

	element("port-known").hidden = element("port-facts").hidden = !port;
	element("why-card").hidden = !isPort(number);
	if (!port)
		return drawNothing();
	noteSample();
	say("port-title", `Port ${number}${ownerOf(port).length > 1 ? `: ${ownerOf(port)}` : ""}`);
	drawState(port);
	drawFacts(port);
	drawCounters(port);
	drawConnections();
	drawChart(port);
	if (!document.hidden && Date.now() >= next)
		look().catch(() => {}); /* what was known stays, and is asked for again after a rest */
}

async function askWhy(event) {
	event.preventDefault();
	const asked = element("why-address").value.trim();

	try {
		const why = await get(`api/why?address=${encodeURIComponent(asked)}&port=${number}`);

		say("why-answer", `${why.address}: ${why.verdict} (${why.reason}): ${why.because}` + (why.dry_run ? "; dry run: it passes" : ""));
	} catch (error) {
		say("why-answer", error.said ? `"${asked}": ${error.said}` : `No answer: ${error.message}.`);
	}
}

/* Shows the port's page, or the overview. Returns whether it is the port's. */
export function route() {
	const asked = /^#(main|words)/.test(location.hash) ? number : portAsked(); /* these lead to a part of either page */

	if (asked !== number) {
		[samples, live, served, connections, more, next] = [[], [], null, [], false, 0];
		say("why-answer", "");
	}
	number = asked;
	element("port").hidden = asked === null;
	element("overview").hidden = asked !== null;
	return asked !== null;
}

export function remakePort() {
	panel.remake();
}

export function startPort(of) {
	model = of;
	const timespan = new Timespan("1h", () => panel.draw(model, course()), () => boundsOf(model, course(), HOUR));

	panel = new ChartPanel("hour", VERDICTS, timespan);
	element("hour").parentNode.addEventListener("keydown", (event) => timespan.key(event));
	element("why").addEventListener("submit", askWhy);
}
