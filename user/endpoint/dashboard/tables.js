// SPDX-License-Identifier: GPL-2.0-only
// The tables. Their contents may come from outside (names of processes): text, never markup.

import {bytes, count, duration, percent, rate} from "./numbers.js";
import {SHARE_SECONDS, share} from "./model.js";
import {LOSSES, PORT_COUNTERS, REASONS, TCP_STATES} from "./names.js";
import {transitionRates} from "./diagram.js";

/* With explicit roles: a style sheet that turns rows into cards removes the implied ones. */
function cell(kind, role, text) {
	const element = document.createElement(kind);

	element.setAttribute("role", role);
	element.textContent = text;
	return element;
}

function makeHead(table, columns) {
	const [head, row, body] = ["thead", "tr", "tbody"].map((name) => document.createElement(name));

	row.append(...columns.map(({name, text}) => {
		const element = cell("th", "columnheader", name);

		element.scope = "col";
		element.className = text ? "text" : "";
		return element;
	}));
	for (const [element, role] of [[table, "table"], [head, "rowgroup"], [body, "rowgroup"], [row, "row"]])
		element.setAttribute("role", role);
	head.append(row);
	table.append(head, body);
	return body;
}

function makeRow(columns) {
	const row = document.createElement("tr");

	row.setAttribute("role", "row");
	row.append(...columns.map(({name, text}, i) => {
		const element = i ? cell("td", "cell", "") : cell("th", "rowheader", "");

		if (!i)
			element.scope = "row";
		element.dataset.label = name;
		element.className = text ? "text" : "";
		return element;
	}));
	return row;
}

/*
 * Fills the table `id`: `columns` are {name, of: row -> text, text: not a number, kind: row -> its colour, help: row ->
 * what it means}. Elements are kept and only texts change, so that a selection or a screen reader keeps its place.
 */
export function fill(id, columns, rows) {
	const table = document.getElementById(id);

	if (table.tHead?.rows[0].cells.length !== columns.length)
		table.replaceChildren();
	const body = table.tBodies[0] ?? makeHead(table, columns);

	while (body.rows.length > rows.length)
		body.lastChild.remove();
	while (body.rows.length < rows.length)
		body.append(makeRow(columns));
	rows.forEach((row, y) => columns.forEach(({of, kind, help}, x) => {
		const element = body.rows[y].cells[x], text = of(row);

		if (element.textContent !== text)
			element.textContent = text;
		element.dataset.kind = kind?.(row) ?? "";
		if (help)
			element.title = help(row) ?? "";
	}));
}

const KINDS = {passed: "pass", challenged: "challenge", dropped: "drop", completed: "good", listen_drops: "drop"};

/* Of a row of PORT_COUNTERS: a rate where its heading says so. */
function counterColumn(model, field, name) {
	const find = (port) => (snapshot) => snapshot.ports.find((one) => one.port === port.port)?.[field];
	const value = (port) => name.endsWith("/s") ? model.rate(find(port)) : port[field];

	if (field === "accept_queue")
		return {name, of: (port) => `${port.accept_queue}/${port.accept_limit}`,
			kind: (port) => port.accept_full ? "drop" : ""};
	return {name, of: (port) => (name.endsWith("/s") ? rate : count)(value(port)),
		kind: (port) => value(port) > 0 ? KINDS[field] : ""};
}

function portColumns(model) {
	const counters = Object.entries(PORT_COUNTERS).filter(([, name]) => name)
			       .map(([field, name]) => counterColumn(model, field, name));
	const part = (port) => {
		const before = model.portBefore(port, SHARE_SECONDS);

		return percent(before ? share(before, port) : null);
	};
	const completed = counters.findIndex(({name}) => name === PORT_COUNTERS.completed);

	return [
		{name: "Port", of: (port) => String(port.port)},
		{name: "State", text: true,
		 of: (port) =>
			port.under_attack ? "under attack" : port.armed ? "armed" : port.listening ? "listens" : "-",
		 kind: (port) => port.under_attack ? "drop" : port.armed ? "challenge" : ""},
		...counters.slice(0, completed + 1), {name: "Share", of: part}, ...counters.slice(completed + 1),
	];
}

/* Listeners, the other ports, and ports without a listener that got SYNs when they had one. */
function shownPorts(ports) {
	return ports.filter((port) => port.listening || port.syns)
		    .sort((a, b) => b.under_attack - a.under_attack || b.armed - a.armed ||
				    (a.port === "other") - (b.port === "other") || a.port - b.port);
}

const VERDICT_KINDS = {pass: "pass", drop: "drop", challenge: "challenge"};

function drawVerdicts(model) {
	const packets = (row) => (status) => status.verdicts.find((one) => one.reason === row.reason)?.packets;

	fill("verdicts", [
		{name: "Reason", text: true, of: (row) => row.reason, help: (row) => REASONS[row.reason]},
		{name: "Verdict", text: true, of: (row) => row.verdict, kind: (row) => VERDICT_KINDS[row.verdict]},
		{name: "Packets", of: (row) => count(row.packets)},
		{name: "/s", of: (row) => rate(model.rate(packets(row)))},
		{name: "Bytes", of: (row) => bytes(row.bytes)},
	], model.now.verdicts.filter((row) => row.packets));
}

function drawSources(status) {
	fill("sources", [
		{name: "Source", text: true, of: (row) => row.source},
		{name: "SYNs dropped", of: (row) => count(row.dropped)},
	], status.limited_sources);
	document.getElementById("sources-none").textContent = status.limited_sources.length ? "" :
		status.source_limit ? `No source is over ${count(status.source_limit)} SYN/s.` : "--source-limit is off.";
}

function drawLost(status) {
	fill("lost", [
		{name: "What", text: true, of: ([stage]) => LOSSES[stage] ?? stage},
		{name: "Lost", of: ([, lost]) => count(lost), kind: ([, lost]) => lost ? "drop" : ""},
	], Object.entries(status.lost));
}

function drawStates(model) {
	const rates = transitionRates(model);

	fill("states", [
		{name: "State", text: true, of: (row) => row.state, help: (row) => TCP_STATES[row.state]},
		{name: "Now", of: (row) => count(row.now)},
		{name: "Entered", of: (row) => count(row.entered)},
		{name: "p50", of: (row) => duration(row.p50_us)},
		{name: "p99", of: (row) => duration(row.p99_us)},
	], model.now.states);
	fill("transitions", [
		{name: "From", text: true, of: (row) => row.from},
		{name: "To", text: true, of: (row) => row.to},
		{name: "Seen", of: (row) => count(row.count)},
		{name: "/s", of: (row) => rate(rates[`${row.from}>${row.to}`])},
	], model.now.transitions);
}

export function drawTables(model) {
	fill("ports", portColumns(model), shownPorts(model.now.ports));
	drawVerdicts(model);
	drawSources(model.now);
	drawLost(model.now);
	drawStates(model);
}
