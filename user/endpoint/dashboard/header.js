// SPDX-License-Identifier: GPL-2.0-only
// Which host this is, and how it is: head line, title, icon, the bar of a dry run, and the notification that is asked for.

import {duration, moment, portNames, useLocalTime, zone} from "./numbers.js";
import {element, say} from "./tables.js";
import {sentence} from "./verdict.js";

const ICONS = {fine: "icon.svg", warning: "icon-warning.svg", critical: "icon-critical.svg", unknown: "icon-unknown.svg"};

let told = ""; /* the state that was notified last */

function showIcon(severity) {
	const icon = document.querySelector("link[rel=icon]"), href = `web/${ICONS[severity]}`;

	if (icon.getAttribute("href") !== href)
		icon.setAttribute("href", href);
}

function title(status, state) {
	document.title = `${state ? `${state} - ` : ""}${status.host} - synwarden`;
}

/* In a word, for the title; "": nothing to tell. */
function inShort(status) {
	const attacked = status.ports.filter((port) => port.under_attack);

	if (attacked.length)
		return `ATTACK on ${portNames(attacked)}`;
	if (status.severity === "critical" || status.severity === "warning")
		return status.state.replace(/_/g, " ").toUpperCase();
	return "";
}

/* Once for each state that becomes critical, where the user has asked for it. */
function tell(status) {
	const state = status.severity === "critical" || status.ports.some((port) => port.under_attack)
			      ? `${status.state} ${status.state_port}` : "";

	if (state && state !== told && element("notify").getAttribute("aria-pressed") === "true")
		new Notification(`${status.host}: ${inShort(status)}`, {body: sentence(status), tag: "synwarden"});
	told = state;
}

function drawWhere(status) {
	const interfaces = status.interfaces.map((one) => `${one.name} (${one.xdp_mode})`).join(", ");
	const up = (Date.parse(status.time) - Date.parse(status.since)) * 1000;

	say("host", status.host);
	say("where", `synwarden ${status.version} on ${interfaces || "no interface"}, counting for ${up < 60e6 ? "less than a minute" : duration(up)}`);
	say("clock", moment(new Date(status.time)));
	say("zone", zone(new Date(status.time)));
}

export function drawHeader(status) {
	drawWhere(status);
	title(status, inShort(status));
	showIcon(status.severity);
	tell(status);
	element("dry").hidden = !status.dry_run;
	document.body.classList.toggle("dry-run", status.dry_run);
}

export function drawNoAnswer(status) {
	title({host: status?.host ?? location.hostname}, "NO ANSWER");
	showIcon("unknown");
}

async function toggleNotification(button) {
	const on = button.getAttribute("aria-pressed") !== "true" && await Notification.requestPermission() === "granted";

	button.setAttribute("aria-pressed", String(on));
}

/* `redraw`: everything that shows a time. Browsers notify of pages on this host or over TLS alone. */
export function startHeader(redraw) {
	const notify = element("notify"), zones = element("zone");
	let local = false;

	notify.hidden = !(isSecureContext && "Notification" in window);
	notify.addEventListener("click", () => toggleNotification(notify));
	zones.addEventListener("click", () => {
		local = !local;
		useLocalTime(local);
		redraw();
	});
}
