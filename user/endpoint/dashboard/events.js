// SPDX-License-Identifier: GPL-2.0-only
// What has happened: the last attacks and events, fetched now and then, for they change seldom.

import {count, duration} from "./numbers.js";
import {address} from "./model.js";
import {fill} from "./tables.js";

const EVERY_MS = 5000;
const PATIENCE_MS = 4000;
const SHOWN = 20;
const DETAILS = ["version", "file", "interface", "stage"];

/* "2026-01-02 03:04:05": UTC, as the commands print it. */
function moment(time) {
	return time.slice(0, 19).replace("T", " ");
}

function what(event) {
	const detail = DETAILS.map((name) => event[name]).find((text) => text !== undefined);
	const lost = event.event === "lost" ? `: ${count(event.count)}` : "";
	const end = event.ongoing ? ", going on" : event.interrupted ? ", until the recording ended" : "";

	return event.event.replace(/_/g, " ") + (detail === undefined ? "" : ` ${detail}`) + lost + end +
	       (event.dry_run ? " (dry run)" : "");
}

/* Of an attack and of an armed port, where it is known; the other events have no numbers. */
function number(field, write = count) {
	return (event) => (event[field] ?? null) === null ? "" : write(event[field]);
}

const COLUMNS = [
	{name: "Began (UTC)", of: (event) => moment(event.time)},
	{name: "What", text: true, of: what,
	 kind: (event) => event.event === "attack" ? "drop" : event.event === "interface_gone" ? "drop" : ""},
	{name: "Port", of: number("port", String)},
	{name: "Lasted", of: number("duration_ms", (ms) => duration(ms * 1000))},
	{name: "Peak SYN/s", of: number("peak_syn_rate")},
	{name: "SYNs", of: number("syns")},
	{name: "Challenged", of: number("challenged")},
	{name: "Dropped", of: number("dropped")},
	{name: "Sources", of: number("distinct_sources")},
	{name: "Handshakes", of: number("completed")},
];

async function look() {
	const answer = await fetch(address(`api/events?limit=${SHOWN}`), {cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS)});

	if (answer.ok)
		fill("happened", COLUMNS, await answer.json());
}

/* Where there is no answer, the page says so by itself, and shows what it had. */
export async function followEvents() {
	if (!document.hidden)
		await look().catch(() => {});
	setTimeout(followEvents, EVERY_MS);
}
