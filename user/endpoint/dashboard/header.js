// SPDX-License-Identifier: GPL-2.0-only
// Which host this is, and how it is: head line, title, icon, the bar of a dry run, and the notification that is asked for.

import {duration, moment, portNames, useLocalTime, zone} from "./numbers.js";
import {element, say} from "./tables.js";
import {sentence} from "./verdict.js";

const ICONS = {fine: "icon.svg", warning: "icon-warning.svg", critical: "icon-critical.svg", unknown: "icon-unknown.svg"};

let told = []; /* reasons to notify, when they were looked at last */

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

function showNotify(on, text = "Notify me") {
	element("notify").setAttribute("aria-pressed", String(on));
	say("notify", text);
}

/* Once for each new reason, where the user has asked for it. Chrome for Android throws: it has no notifications of pages. */
function notify(reasons, text, body) {
	const isNew = reasons.some((one) => !told.includes(one));

	told = reasons;
	if (!isNew || element("notify").getAttribute("aria-pressed") !== "true")
		return;
	try {
		new Notification(text, {body, tag: "synwarden", renotify: true});
	} catch {
		showNotify(false, "Cannot notify here");
	}
}

function tell(status) {
	const attacked = status.ports.filter((port) => port.under_attack).map((port) => port.port);

	notify([...status.severity === "critical" ? ["critical"] : [], ...attacked], `${status.host}: ${inShort(status)}`, sentence(status));
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

/* `status`: the last one, or null. Earlier reasons stay, as an attack may go on. */
export function drawNoAnswer(status) {
	const host = status?.host ?? location.hostname;

	if (status)
		drawWhere(status);
	title({host}, "NO ANSWER");
	showIcon("unknown");
	notify([...told.filter((one) => one !== "no answer"), "no answer"], `${host}: NO ANSWER`, "synwarden run does not answer.");
}

async function toggleNotification(button) {
	const wanted = button.getAttribute("aria-pressed") !== "true", on = wanted && await Notification.requestPermission() === "granted";

	showNotify(on, wanted && !on ? "Blocked by the browser" : undefined);
}

/* `redraw`: everything that shows a time. Browsers notify of pages on this host or over TLS alone. */
export function startHeader(redraw) {
	const button = element("notify"), zones = element("zone");
	let local = false;

	button.hidden = !(isSecureContext && "Notification" in window);
	button.addEventListener("click", () => toggleNotification(button));
	zones.addEventListener("click", () => {
		local = !local;
		useLocalTime(local);
		redraw();
	});
}
