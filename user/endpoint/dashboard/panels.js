// SPDX-License-Identifier: GPL-2.0-only
// The smaller tables: packets by reason, sources, lists, losses, states and transitions.

import {bytes, count, duration, rate} from "./numbers.js";
import {transitionRates} from "./diagram.js";
import {element, fill, say} from "./tables.js";
import {get} from "./net.js";
import {meaning} from "./words.js";

const VERDICT_KINDS = {pass: "pass", drop: "drop", challenge: "challenge"};
const LISTS_MS = 30000;
const ENTRIES = 50;

let entries = null; /* null: not known yet */

function drawVerdicts(model) {
	const packets = (row) => (status) => status.verdicts.find((one) => one.reason === row.reason)?.packets;

	fill("verdicts", [
		{name: "Reason", text: true, of: (row) => row.reason, help: (row) => meaning("reasons", row.reason)},
		{name: "Verdict", text: true, of: (row) => model.now.dry_run && row.verdict !== "pass" ? `would be: ${row.verdict}` : row.verdict,
		 kind: (row) => VERDICT_KINDS[row.verdict]},
		{name: "Packets", of: (row) => count(row.packets)},
		{name: "/s", of: (row) => rate(model.rate(packets(row)))},
		{name: "Bytes", of: (row) => bytes(row.bytes)},
	], model.now.verdicts.filter((row) => row.packets));
}

function drawSources(status) {
	fill("sources", [
		{name: "Source", text: true, of: (row) => row.source},
		{name: "SYNs dropped", of: (row) => count(row.dropped)},
		{name: "To let it in", text: true, of: (row) => `synwarden allow ${row.source}`},
	], status.limited_sources);
	element("sources").hidden = !status.limited_sources.length;
	say("sources-none", status.limited_sources.length ? "" :
		status.source_limit ? `No source is over ${count(status.source_limit)} SYN/s.` : "--source-limit is off.");
}

/* Hits are of a list: those of an entry would cost each packet a write more. */
function drawLists(status) {
	const hits = (reason) => count(status.verdicts.filter((row) => row.reason === reason).reduce((sum, row) => sum + row.packets, 0));

	fill("lists", [
		{name: "Entry", text: true, of: (row) => row.cidr},
		{name: "List", text: true, of: (row) => row.list, kind: (row) => row.list === "block" ? "drop" : "good"},
		{name: "Ends in", of: (row) => row.expires_in_seconds === null ? "never" : duration(row.expires_in_seconds * 1e6)},
		{name: "From", text: true, of: (row) => row.origin},
	], entries?.slice(0, ENTRIES) ?? []);
	element("lists").hidden = !entries?.length;
	say("lists-hits", `Packets of blocked sources: ${hits("blocked")}; of allowed ones: ${hits("allowed")}.` +
		(!entries ? " The entries are not known yet." : entries.length ? "" : " Both lists are empty.") +
		(entries?.length > ENTRIES ? ` The first ${ENTRIES} entries are shown; all: synwarden list.` : ""));
}

function drawLost(status) {
	const lost = Object.entries(status.lost).filter(([, number]) => number);

	fill("lost", [
		{name: "What", text: true, of: ([stage]) => meaning("losses", stage)},
		{name: "Lost", of: ([, number]) => count(number), kind: () => "drop"},
	], lost);
	element("lost").hidden = !lost.length;
	say("lost-none", lost.length ? "" : "Nothing: every event of the tracker is in these numbers.");
}

function drawStates(model) {
	const rates = transitionRates(model);

	fill("states", [
		{name: "State", text: true, of: (row) => row.state, help: (row) => meaning("tcp-states", row.state)},
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

export function drawPanels(model) {
	drawVerdicts(model);
	drawSources(model.now);
	drawLists(model.now);
	drawLost(model.now);
	drawStates(model);
}

export async function followLists() {
	if (!document.hidden)
		entries = await get(`api/lists?limit=${ENTRIES + 1}`).catch(() => entries);
	setTimeout(followLists, LISTS_MS);
}
