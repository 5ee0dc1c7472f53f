// SPDX-License-Identifier: GPL-2.0-only
// What needs attention, worst first, each with the command that fixes it or shows more; then the last attack.

import {clock, count, duration, portNames} from "./numbers.js";
import {FETCHED} from "./events.js";
import {SHARE_SECONDS} from "./model.js";
import {element, say, showCommand} from "./tables.js";
import {goneBeside, sentence} from "./verdict.js";
import {meaning} from "./words.js";

const RANKS = {critical: 0, unknown: 1, warning: 2, note: 3};
const WAITING_SOCKETS = 100; /* in CLOSE_WAIT: from here on a program forgets to close them */

/* Ports of one reason are one entry, in the words of the first. */
function portEntries(ports) {
	const groups = new Map();

	for (const port of ports.filter((one) => one.severity in RANKS)) {
		const reason = [port.severity, port.state, port.state_reason].join();

		groups.set(reason, [...groups.get(reason) ?? [], port]);
	}
	return [...groups.values()].map((same) => ({severity: same[0].severity, fix: same[0].fix, port: same[0].port,
		text: sentence(same[0]) + (same.length > 1 ? ` Likewise ${portNames(same.slice(1), 8)}.` : "")}));
}

function hostEntries(model) {
	const status = model.now, waiting = status.states.find((one) => one.state === "CLOSE_WAIT").now, entries = [];

	if (status.severity in RANKS && status.state_port === null)
		entries.push({severity: status.severity, text: sentence(status), fix: status.fix});
	if (goneBeside(status))
		entries.push({severity: "critical", text: goneBeside(status), fix: "ip link"});
	if (status.list_files_waiting)
		entries.push({severity: "warning", text: `${count(status.list_files_waiting)} list files are not in force as they are.`,
			fix: "synwarden check-config"});
	if (waiting >= WAITING_SOCKETS)
		entries.push({severity: "note", text: `${count(waiting)} sockets are in CLOSE_WAIT: their programs do not close them.`,
			fix: "ss -tnp state close-wait"});
	return entries;
}

function lossEntries(model) {
	const before = model.ago(SHARE_SECONDS);

	return Object.entries(model.now.lost).filter(([stage, lost]) => before && lost > (before.lost[stage] ?? 0))
		.map(([stage, lost]) => ({severity: "note", fix: "synwarden help losses",
			text: `${count(lost - (before.lost[stage] ?? 0))} lost in ${SHARE_SECONDS} s: ${meaning("losses", stage)}.`}));
}

function lastAttack(events, now) {
	const last = events?.find((event) => event.event === "attack");

	if (!events)
		return "The last attack is not known yet.";
	if (!last)
		return events.length < FETCHED ? "No attack in the last week." : `No attack among the last ${FETCHED} events.`;
	const ago = duration(Math.max(0, Date.parse(now) - Date.parse(last.end)) * 1000).replace(/^\d+\.?\d* .*/, "less than a minute");
	const figures = `${duration(last.duration_ms * 1000)}, peak ${count(last.peak_syn_rate)} SYN/s`;

	return last.ongoing ? `The attack on port ${last.port} goes on since ${clock(new Date(last.time))}: ${figures}.`
			    : `Last attack: port ${last.port}, over for ${ago}: ${figures}.`;
}

function makeEntry() {
	const item = document.createElement("li"), names = ["badge", "text", "fix"];

	item.append(...names.map((name) => Object.assign(document.createElement("span"), {className: name})));
	item.children[1].append(document.createElement("a"));
	return item;
}

function showEntry(item, {severity, text, fix, port}) {
	const [badge, line, command] = item.children, link = line.firstChild;

	item.dataset.severity = severity;
	badge.textContent = severity;
	if (link.textContent !== text)
		link.textContent = text;
	link.title = text; /* where it is cut */
	if (port)
		link.setAttribute("href", `#port=${port}`);
	else
		link.removeAttribute("href");
	showCommand(command, fix);
}

function inShort(entries) {
	const of = (severity) => entries.filter((entry) => entry.severity === severity).length;
	const parts = Object.keys(RANKS).filter(of).map((severity) =>
		`${of(severity)} ${severity}${of(severity) > 1 && severity.endsWith("g") ? "s" : ""}`);

	return parts.length ? parts.join(", ") : "nothing";
}

export function drawAttention(model, events) {
	const list = element("attention"), entries = [...hostEntries(model), ...portEntries(model.now.ports), ...lossEntries(model)]
		.sort((a, b) => RANKS[a.severity] - RANKS[b.severity]);

	while (list.children.length > entries.length)
		list.lastChild.remove();
	while (list.children.length < entries.length)
		list.append(makeEntry());
	entries.forEach((entry, i) => showEntry(list.children[i], entry));
	say("attention-count", inShort(entries));
	say("last-attack", lastAttack(events, model.now.time));
}
