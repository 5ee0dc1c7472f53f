// SPDX-License-Identifier: GPL-2.0-only
// What the page's words mean: the tables of `synwarden help`, which the program serves.

import {PORT_COUNTERS, PROTECTION, REFERENCE} from "./names.js";
import {element, fill} from "./tables.js";

/* By table: name -> meaning. The name is a row's first cell, the meaning its last one. */
const MEANINGS = Object.fromEntries(REFERENCE.tables.map(({name, rows}) => [name, new Map(rows.map((row) => {
	const cells = Object.values(row);

	return [cells[0], cells.at(-1)];
}))]));

export function meaning(table, name) {
	return MEANINGS[table].get(name) ?? "";
}

/* What is shown only here is explained here. */
const PAGE_WORDS = [
	["of budget", "SYN/s of the port in hundredths of its budget: above 100 % it is armed, and what is above is challenged"],
	["Clients/s", "handshakes of other hosts that completed: without connections of this host with itself"],
	["armed", "the port is over its budget, or was in the last ten seconds: SYNs above the budget are challenged"],
	["challenged", "answered by the filter with a SYN cookie in place of the kernel: a client answers it unnoticed, a spoofed source never"],
	["active", "ports to which something came in the last minute, or which need attention"],
	["own connections", "those of this page and of other readers of the endpoint, on this host"],
	["lost", "events of the TCP tracker that the page cannot show; packets are never lost by it"],
];

function columnsOf(rows) {
	return Object.keys(rows[0]).map((heading) => ({name: heading[0] + heading.slice(1).toLowerCase(), text: true,
		of: (row) => row[heading] || "-"}));
}

function addTable(parent, id, title, rows) {
	const section = document.createElement("details"), summary = document.createElement("summary");
	const table = document.createElement("table");

	section.id = `words-${id}`;
	summary.textContent = title;
	table.id = `words-${id}-table`;
	table.className = "plain words";
	section.append(summary, table);
	parent.append(section);
	fill(table.id, columnsOf(rows), rows);
}

export function drawWords() {
	const parent = element("words"), pairs = (of) => Object.entries(of).map(([WORD, MEANING]) => ({WORD, MEANING}));

	addTable(parent, "page", "words of this page", PAGE_WORDS.map(([WORD, MEANING]) => ({WORD, MEANING})));
	addTable(parent, "states", "what the state of protection can be", pairs(PROTECTION));
	addTable(parent, "columns", "columns of the table of ports", Object.entries(PORT_COUNTERS).filter(([, name]) => name)
		.map(([field, COLUMN]) => ({COLUMN, MEANING: meaning("port-counters", field)})));
	for (const {name, summary, rows} of REFERENCE.tables)
		addTable(parent, name, summary, rows);
}

/* A link "#words-reasons" opens what it leads to. */
export function openWords() {
	const target = location.hash.startsWith("#words") ? element(location.hash.slice(1)) : null;

	if (target) {
		target.open = true;
		target.scrollIntoView();
		target.querySelector("summary").focus();
	}
}
