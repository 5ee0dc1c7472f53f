// SPDX-License-Identifier: GPL-2.0-only
// Connections as they close, from /ended: the last ones, drawn once a second however many there are.

import {bytes, clock, count, duration, endpoint} from "./numbers.js";
import {address} from "./model.js";
import {ENDINGS, ORDERLY} from "./names.js";
import {fill} from "./tables.js";
import {say} from "./verdict.js";

const ROWS = 30;
const RETRY_MS = 3000;

let source = null, retry = null, paused = false;
let texts = [], total = 0, lost = 0, drawn = -1;

function owner(row) {
	return row.comm === null ? "unknown" : `${row.comm} (${row.pid})`;
}

/* A lower bound where the connection is older than the tracker. */
function lasted(row) {
	return row.duration_us === null && row.duration_at_least_us !== undefined
		       ? `>${duration(row.duration_at_least_us)}` : duration(row.duration_us);
}

function requests(row) {
	return row.requests === null ? "-" : `${row.requests_at_least ? ">" : ""}${count(row.requests)}`;
}

const ARROWS = {client: "\u2192", server: "\u2190", unknown: "-"};
const COLUMNS = [
	{name: "Ended", of: (row) => clock(new Date(row.ts))},
	{name: "Local", text: true, of: (row) => endpoint(row.laddr, row.lport)},
	{name: "Remote", text: true, of: (row) => `${ARROWS[row.role]} ${endpoint(row.raddr, row.rport)}`},
	{name: "Owner", text: true, of: owner},
	{name: "Duration", of: lasted},
	{name: "Sent", of: (row) => row.sent_bytes === null ? "-" : bytes(row.sent_bytes)},
	{name: "Received", of: (row) => row.received_bytes === null ? "-" : bytes(row.received_bytes)},
	{name: "Protocol", text: true, http: true, of: (row) => row.protocol ?? "-"},
	{name: "Requests", http: true, of: requests},
	{name: "How", text: true, of: (row) => row.established ? row.reason : `never established: ${row.reason}`,
	 kind: (row) => row.established && ORDERLY[row.reason] ? "" : "challenge", help: (row) => ENDINGS[row.reason]},
	{name: "To see the next one", text: true, of: (row) => row.ladder ?? "-",
	 help: () => "One click selects the command, which shows the segments of the next such connection"},
];

function draw() {
	say("ended-lost", lost ? `${count(lost)} not shown: too many at once` : "");
	if (paused || drawn === total)
		return;
	drawn = total;
	const rows = texts.map((text) => JSON.parse(text)), http = rows.some((row) => row.protocol !== null);

	fill("ended", COLUMNS.filter((column) => http || !column.http), rows);
}

function close() {
	source?.close();
	clearTimeout(retry);
	source = null;
	retry = null;
}

/* An EventSource gives up when it is refused (503: too many followers), so the retry is done here. */
function open() {
	close();
	source = new EventSource(address("ended"));
	source.onopen = () => say("ended-state", "live");
	source.onmessage = ({data}) => {
		total++;
		texts.unshift(data);
		texts.length = Math.min(texts.length, ROWS);
	};
	source.addEventListener("lost", ({data}) => {
		lost += JSON.parse(data).lost;
	});
	source.onerror = () => {
		close();
		say("ended-state", "not followed: trying again");
		retry = setTimeout(open, RETRY_MS);
	};
}

/* A hidden page follows nothing, which saves `run` a second tracker. */
function follow() {
	if (document.hidden) {
		close();
		say("ended-state", "not followed while hidden");
	} else if (!source) {
		open();
	}
}

export function startEnded() {
	const button = document.getElementById("pause");

	fill("ended", COLUMNS.filter((column) => !column.http), []);
	button.addEventListener("click", () => {
		paused = !paused;
		button.setAttribute("aria-pressed", String(paused));
		draw();
	});
	document.addEventListener("visibilitychange", follow);
	follow();
	setInterval(draw, 1000);
}
