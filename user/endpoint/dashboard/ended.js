// SPDX-License-Identifier: GPL-2.0-only
// Connections as they close, from /ended: the last ones, drawn once a second however many there are.

import {bytes, clock, count, duration, endpoint, rate, NONE} from "./numbers.js";
import {RATE_SECONDS} from "./model.js";
import {address} from "./net.js";
import {element, fill, say} from "./tables.js";
import {meaning} from "./words.js";

const ROWS = 30;
const KEPT = 300; /* for the filters */
const RETRY_MS = 3000;

let source = null, retry = null, paused = false;
let texts = [], total = 0, lost = 0, drawn = -1;
let ownPort = 0, ownShown = false, hidden = 0; /* connections of the endpoint itself on this host */
let totals = []; /* {at: ms, total} each second; the last RATE_SECONDS of them, since the stream is open */
let find = "", failures = false;

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

/* A RST of a side that is done, or the end of a program, is as ordinary as a FIN. */
const FAILURES = ["timeout", "unreachable", "aborted"];

function isFailure(row) {
	return !row.established || FAILURES.includes(row.reason);
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
	 kind: (row) => isFailure(row) ? "challenge" : "", help: (row) => meaning("endings", row.reason)},
	{name: "To see the next one", text: true, of: (row) => row.ladder ?? "-",
	 help: () => "One click selects the command, which shows the segments of the next such connection"},
];

function isOwn(row) {
	return (row.lport === ownPort || row.rport === ownPort) && (row.laddr === row.raddr || /^(127\.|::1$)/.test(row.raddr));
}

function matches(row) {
	return (!failures || isFailure(row)) &&
	       `${endpoint(row.laddr, row.lport)} ${endpoint(row.raddr, row.rport)} ${row.comm} ${row.reason}`.toLowerCase().includes(find);
}

function showNotes(shown) {
	const own = hidden && !ownShown ? `own connections hidden: ${count(hidden)}` : "";

	say("ended-lost", [own, lost ? `${count(lost)} not shown: too many at once` : ""].filter(Boolean).join("; "));
	say("ended-none", shown ? "" : total ? "None of the last ones is like that." : "None yet.");
}

/* Anew after a choice of the user's, also while it is paused. */
export function drawEnded() {
	const found = texts.map((text) => JSON.parse(text)).filter(matches).slice(0, ROWS);
	const http = found.some((row) => row.protocol !== null);

	drawn = total;
	fill("ended", COLUMNS.filter((column) => http || !column.http), found);
	showNotes(found.length);
}

/* All of them, also those that are not shown. */
function showRate() {
	const now = {at: performance.now(), total: total + lost};

	totals = source?.readyState === EventSource.OPEN ? [...totals, now].slice(-RATE_SECONDS - 1) : [];
	say("ended-rate", totals.length > 1 ? `${rate((now.total - totals[0].total) * 1000 / (now.at - totals[0].at))}/s` : NONE);
}

function update() {
	showRate();
	if (!paused && drawn !== total)
		drawEnded();
}

export function setOwnPort(port) {
	ownPort = port;
}

/* There may be thousands a second: those that are not shown are not parsed. */
function take(text) {
	const mayBeOwn = !ownShown && (text.includes(`"lport":${ownPort},`) || text.includes(`"rport":${ownPort},`));

	total++;
	if (mayBeOwn && isOwn(JSON.parse(text))) {
		hidden++;
		return;
	}
	texts.unshift(text);
	texts.length = Math.min(texts.length, KEPT);
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
	source.onmessage = ({data}) => take(data);
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

/* A button that is on or off. */
function startSwitch(id, change) {
	element(id).addEventListener("click", ({currentTarget}) => {
		const on = currentTarget.getAttribute("aria-pressed") !== "true";

		currentTarget.setAttribute("aria-pressed", String(on));
		change(on);
		drawEnded();
	});
}

export function startEnded() {
	startSwitch("pause", (on) => { paused = on; });
	startSwitch("failures", (on) => { failures = on; });
	startSwitch("own", (on) => { ownShown = on; });
	element("find-ended").addEventListener("input", ({target}) => {
		find = target.value.trim().toLowerCase();
		drawEnded();
	});
	drawEnded();
	document.addEventListener("visibilitychange", follow);
	follow();
	setInterval(update, 1000);
}
