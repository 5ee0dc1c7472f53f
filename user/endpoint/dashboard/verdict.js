// SPDX-License-Identifier: GPL-2.0-only
// The two answers on top of the page, by the state of protection that the endpoint tells, and the numbers below them.

import {count, portNames, rate, NONE} from "./numbers.js";
import {SHARE_SECONDS, grown} from "./model.js";
import {element, say, showCommand} from "./tables.js";

export function answer(id, kind, short, long, fix = null) {
	element(id).dataset.answer = kind;
	say(`${id}-short`, short);
	say(`${id}-long`, long);
	showCommand(element(`${id}-fix`), fix);
}

/* Of a port or the host: what its state is, in a sentence. */
export function sentence(one) {
	return one.state_sentence[0].toUpperCase() + one.state_sentence.slice(1) + ".";
}

/* Where an attack is not held off. */
const UNFILTERED = {attacked_not_filtered: "NOT filtered", not_protected: "NOT filtered"};

/* Where it is not the host's own state, as that of a port is worse: "" or a sentence more. */
export function goneBeside({interfaces, state, state_reason: reason}) {
	const gone = interfaces.filter((one) => one.xdp_mode === "gone").map((one) => one.name);

	return gone.length && state !== "gone" && reason !== "interface_not_filtered"
		? `Interface ${gone.join(", ")} is gone: all that comes in there passes.` : "";
}

/* Of several ports, the evidence of one says enough: the others are below. */
function answerAttack(status) {
	const attacked = status.ports.filter((port) => port.under_attack);
	const armed = status.ports.filter((port) => port.armed);
	const open = attacked.filter((port) => UNFILTERED[port.state]);

	if (status.state === "gone")
		answer("attack", "unknown", "Unknown: nothing is filtered", sentence(status), status.fix);
	else if (open.length)
		answer("attack", "bad", `Yes, ${UNFILTERED[open[0].state]}: ${portNames(open)}`, `${sentence(open[0])} ${goneBeside(status)}`.trim(), open[0].fix);
	else if (attacked.length)
		answer("attack", "bad", `Yes: ${portNames(attacked)}`, `${attacked[0].sentence} ${goneBeside(status)}`.trim(), attacked[0].fix);
	else if (status.state === "not_protected")
		answer("attack", "warn", "No, but not protected", sentence(status), status.fix);
	else if (armed.length)
		answer("attack", "warn", `No, but many SYNs: ${portNames(armed)}`, armed[0].sentence, armed[0].fix);
	else
		answer("attack", "good", "No", status.port_budget
			? `No port is over its budget (${count(status.port_budget)} SYN/s where none of its own is set).`
			: "No port is over its budget.");
}

/* What is known where no port turns clients away: of the last seconds, without what this host asks itself. */
function answerByClients(model, then) {
	const [came, answered, drops] = ["clients", "answered", "listen_drops"].map((field) => grown(then, model.now, field));
	const pace = `${rate(model.sumRate("clients"))}/s`;
	const long = `In ${SHARE_SECONDS} s: ${count(came)} clients connected; ${count(answered)} challenged clients answered; ` +
		     `listeners dropped ${count(drops)}.`;
	const open = model.now.ports.some((port) => port.under_attack && UNFILTERED[port.state]);

	if (open || model.now.state === "gone")
		answer("clients", "unknown", came > 0 ? `Unknown: ${pace} connect` : "Unknown", long);
	else if (came > 0)
		answer("clients", "good", `Yes: ${pace}`, long);
	else
		answer("clients", "idle", "No client connected", long);
}

function answerClients(model) {
	const then = model.ago(SHARE_SECONDS);
	const refused = model.now.ports.filter((port) => port.state === "clients_turned_away");
	const critical = refused.filter((port) => port.severity === "critical");

	if (critical.length)
		answer("clients", "bad", `Refused: ${portNames(critical)}`, sentence(critical[0]), critical[0].fix);
	else if (refused.length)
		answer("clients", "warn", `Some are refused: ${portNames(refused)}`, sentence(refused[0]), refused[0].fix);
	else if (!then)
		answer("clients", "unknown", "waiting", "");
	else
		answerByClients(model, then);
}

/* Rows: name, the tile's text, its colour. */
function tiles(model) {
	const state = (name) => model.now.states.find((one) => one.state === name).now;
	const lost = Object.values(model.now.lost).reduce((total, one) => total + one, 0);

	return [
		["SYN/s", rate(model.sumRate("syns"))],
		["passed/s", rate(model.sumRate("passed")), "pass"],
		["challenged/s", rate(model.sumRate("challenged")), "challenge"],
		["dropped/s", rate(model.sumRate("dropped")), "drop"],
		["clients/s", rate(model.sumRate("clients")), "good"],
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
export function drawUnknown(short, long) {
	for (const id of ["attack", "clients", "port-state"])
		answer(id, "unknown", short, long);
}
