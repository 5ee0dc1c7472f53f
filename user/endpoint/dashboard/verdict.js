// SPDX-License-Identifier: GPL-2.0-only
// The two answers on top of the page, by the state of protection that the endpoint tells, and the numbers below them.

import {count, rate, NONE} from "./numbers.js";
import {SHARE_SECONDS, sums} from "./model.js";

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

/* A sentence as such, with the command below that fixes it or shows more. */
function advise(one) {
	const text = one.state_sentence[0].toUpperCase() + one.state_sentence.slice(1) + ".";

	return one.fix ? `${text}\n${one.fix}` : text;
}

/* What an attack is, where the filter does not hold it off. */
const UNFILTERED = {attacked_not_filtered: "NOT filtered", not_protected: "NOT filtered"};

function answerAttack(status) {
	const attacked = status.ports.filter((port) => port.under_attack);
	const armed = status.ports.filter((port) => port.armed);
	const sentences = (attacked.length ? attacked : armed).map((port) => port.sentence);
	const open = attacked.filter((port) => UNFILTERED[port.state]);

	if (status.state === "gone")
		answer("attack", "unknown", "Unknown: nothing is filtered", advise(status));
	else if (open.length)
		answer("attack", "bad", `Yes, ${UNFILTERED[open[0].state]}: ${names(open)}`,
			[...open.map(advise), ...sentences].join("\n"));
	else if (attacked.length)
		answer("attack", "bad", `Yes: ${names(attacked)}`, sentences.join("\n"));
	else if (status.state === "not_protected")
		answer("attack", "warn", "No, but not protected", advise(status));
	else if (armed.length)
		answer("attack", "warn", `No, but many SYNs: ${names(armed)}`, sentences.join("\n"));
	else
		answer("attack", "good", "No", status.port_budget
			? `No port is over its budget (${count(status.port_budget)} SYN/s where none of its own is set).`
			: "No port is over its budget.");
	document.title = attacked.length ? `ATTACK on ${names(attacked)} - synwarden` : "synwarden";
}

/* What is known where no port turns clients away: of the last seconds, without what this host asks itself. */
function answerByClients(model, then) {
	const before = sums(then), now = sums(model.now), clients = (one) => one.ports.reduce((sum, port) => sum + port.clients, 0);
	const came = clients(model.now) - clients(then), answered = Math.max(0, now.answered - before.answered);
	const long = `In ${SHARE_SECONDS} s: ${count(came)} clients connected; ${count(answered)} challenged clients answered; ` +
		     `listeners dropped ${count(now.listen_drops - before.listen_drops)}.`;
	const open = model.now.ports.some((port) => port.under_attack && UNFILTERED[port.state]);

	if (open || model.now.state === "gone")
		answer("clients", "unknown", came > 0 ? `Unknown: ${rate(model.rate(clients, SHARE_SECONDS))}/s connect` : "Unknown", long);
	else if (came > 0)
		answer("clients", "good", `Yes: ${rate(model.rate(clients, SHARE_SECONDS))}/s`, long);
	else
		answer("clients", "idle", "No client connected", long);
}

/* Ports come in order of their number; the worst is the one that the host's state is about. */
function answerClients(model) {
	const then = model.ago(SHARE_SECONDS);
	const refused = model.now.ports.filter((port) => port.state === "clients_turned_away");
	const critical = refused.filter((port) => port.severity === "critical");

	if (critical.length)
		answer("clients", "bad", `Refused: ${names(critical)}`, refused.map(advise).join("\n"));
	else if (refused.length)
		answer("clients", "warn", `Some are refused: ${names(refused)}`, refused.map(advise).join("\n"));
	else if (!then)
		answer("clients", "unknown", "waiting", "");
	else
		answerByClients(model, then);
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
