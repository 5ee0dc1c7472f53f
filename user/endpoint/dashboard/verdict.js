// SPDX-License-Identifier: GPL-2.0-only
// The two answers on top of the page, and the numbers below them.

import {count, percent, rate, NONE} from "./numbers.js";
import {SHARE_SECONDS, share, sums} from "./model.js";

const SOME = 10; /* more drops than one in so many handshakes: clients notice */

const element = (id) => document.getElementById(id);

/* Does not touch a text that is right already: a live region is read aloud when it changes. */
export function say(id, text) {
	if (element(id).textContent !== text)
		element(id).textContent = text;
}

function answer(id, kind, short, long) {
	element(id).dataset.answer = kind;
	say(`${id}-short`, short);
	say(`${id}-long`, long);
}

function names(ports) {
	return `${ports.length > 1 ? "ports" : "port"} ${ports.map((port) => port.port).join(", ")}`;
}

function answerAttack(status) {
	const attacked = status.ports.filter((port) => port.under_attack);
	const armed = status.ports.filter((port) => port.armed);
	const sentences = (attacked.length ? attacked : armed).map((port) => port.sentence).join("\n");

	if (attacked.length)
		answer("attack", "bad", `Yes: ${names(attacked)}`, sentences);
	else if (armed.length)
		answer("attack", "warn", `No, but many SYNs: ${names(armed)}`, sentences);
	else
		answer("attack", "good", "No", status.port_budget
			? `No port is over its budget (${count(status.port_budget)} SYN/s where none of its own is set).`
			: "No port is over its budget.");
	document.title = attacked.length ? `ATTACK on ${names(attacked)} - synwarden` : "synwarden";
}

function answerClients(model) {
	const then = model.ago(SHARE_SECONDS), now = sums(model.now);

	if (!then) {
		answer("clients", "unknown", "waiting", "");
		return;
	}
	const before = sums(then), perSecond = model.rate((one) => sums(one).completed, SHARE_SECONDS);
	const completed = now.completed - before.completed, drops = now.listen_drops - before.listen_drops;
	const begun = share(before, now), attacked = model.now.ports.some((port) => port.under_attack);
	const part = begun === null ? "none began" : `${percent(begun)} of those that began`;
	const long = `In ${SHARE_SECONDS} s: ${count(completed)} handshakes completed, ` +
		     `${part}${attacked ? " (a flood completes none)" : ""}; ` +
		     `${count(Math.max(0, now.answered - before.answered))} challenges answered; ` +
		     `listeners dropped ${count(drops)}.`;

	if (drops * SOME > completed)
		answer("clients", "warn", completed ? `Some: ${rate(perSecond)}/s` : "No: listeners drop", long);
	else if (completed > 0)
		answer("clients", "good", `Yes: ${rate(perSecond)}/s`, long);
	else if (begun === null)
		answer("clients", "idle", "No handshakes", long);
	else
		answer("clients", "warn", "None completes", long);
}

/* Rows: name, the tile's text, its colour. */
function tiles(model) {
	const status = model.now;
	const state = (name) => status.states.find((one) => one.state === name).now;
	const sum = (field) => model.rate((one) => one.ports.reduce((total, port) => total + port[field], 0));
	const lost = Object.values(status.lost).reduce((total, one) => total + one, 0);

	return [
		["SYN/s", rate(sum("syns"))],
		["passed/s", rate(sum("passed")), "pass"],
		["challenged/s", rate(sum("challenged")), "challenge"],
		["dropped/s", rate(sum("dropped")), "drop"],
		["completed/s", rate(sum("completed")), "good"],
		["established", count(state("ESTABLISHED"))],
		["half-open", count(state("NEW_SYN_RECV"))],
		["lost", count(lost), lost ? "drop" : ""],
	];
}

function drawTiles(model) {
	for (const [name, text, kind] of tiles(model)) {
		const tile = document.querySelector(`[data-tile="${name}"]`);

		tile.dataset.kind = text === "0" || text === NONE ? "" : kind ?? "";
		tile.lastChild.textContent = text;
	}
}

export function drawVerdict(model) {
	answerAttack(model.now);
	answerClients(model);
	drawTiles(model);
}

/* Without answers nothing is known: what was true before must not look as if it were now. */
export function drawUnknown(since) {
	for (const id of ["attack", "clients"])
		answer(id, "unknown", "Unknown", `No answer since ${since}.`);
	document.title = "NO ANSWER - synwarden";
}
