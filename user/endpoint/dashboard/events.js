// SPDX-License-Identifier: GPL-2.0-only
// What has happened: the last attacks and events. They are fetched when the status shows that there is a new one, and now
// and then, for the figures of those that go on.

import {count, duration, moment} from "./numbers.js";
import {fill, say} from "./tables.js";
import {get} from "./net.js";

const REST_MS = 30000;
const ONGOING_MS = 5000;
export const FETCHED = 50;
const SHOWN = 20;
const DETAILS = ["version", "file", "interface", "stage"];

let events = null, sign = "", next = 0;

/* The newest first; null: not known yet. */
export function eventsSoFar() {
	return events;
}

function what(event) {
	const detail = DETAILS.map((name) => event[name]).find((text) => text !== undefined);
	const lost = event.event === "lost" ? `: ${count(event.count)}` : "";
	const end = event.ongoing ? ", going on" : event.interrupted ? ", until the recording ended" : "";
	const name = event.event === "armed" ? "traffic spike" : event.event.replace(/_/g, " ");

	return name + (detail === undefined ? "" : ` ${detail}`) + lost + end + (event.dry_run ? " (dry run)" : "");
}

/* Of an attack and of an armed port, where it is known; the other events have no numbers. */
function number(field, write = count) {
	return (event) => (event[field] ?? null) === null ? "" : write(event[field]);
}

const COLUMNS = [
	{name: "Began", of: (event) => moment(new Date(event.time))},
	{name: "What", text: true, of: what,
	 kind: (event) => event.event === "attack" || event.event === "interface_gone" ? "drop" : ""},
	{name: "Port", of: number("port", String)},
	{name: "Lasted", of: number("duration_ms", (ms) => duration(ms * 1000))},
	{name: "Peak SYN/s", of: number("peak_syn_rate")},
	{name: "SYNs", of: number("syns")},
	{name: "Challenged", of: number("challenged")},
	{name: "Dropped", of: number("dropped")},
	{name: "Sources", of: number("distinct_sources")},
	{name: "Handshakes", of: number("completed")},
	{name: "For the provider", text: true, of: (event) => event.event === "attack" ? `synwarden report ${event.id}` : ""},
];

export function drawEvents() {
	fill("happened", COLUMNS, events?.slice(0, SHOWN) ?? []);
	say("happened-more", !events ? "Not known yet." : events.length > SHOWN ? "Older ones: synwarden events." : "");
}

/* Changes with every event that changes the status, too; but for losses, which may go on for long. */
function signature({since, ports, interfaces}) {
	return JSON.stringify([since, interfaces, ports.map((port) => [port.armed, port.attacks])]);
}

/* Where there is no answer, the page says so by itself, and shows what it had. Returns whether there are new ones. */
export async function lookForEvents(status) {
	const now = Date.now(), changed = signature(status);

	if (document.hidden || (changed === sign && now < next))
		return false;
	sign = changed;
	try {
		events = await get(`api/events?limit=${FETCHED}`);
		next = now + (events.some((event) => event.ongoing) ? ONGOING_MS : REST_MS);
	} catch {
		next = 0;
	}
	return true;
}
