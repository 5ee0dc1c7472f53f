// SPDX-License-Identifier: GPL-2.0-only
// Where TCP's states stand (RFC 9293, figure 5, from top to bottom), on a wide page and on a narrow one. The handshake
// is the upper half, server left, client right; the close the lower half, the side that closes first left.

import {TRANSITIONS} from "./names.js";

/* Column (0 to 2) and row (0 to 6). CLOSE stands twice: where a connection begins and where it ends. */
export const STATES = {
	CLOSE: [1, 0],
	LISTEN: [0, 1],
	SYN_SENT: [2, 1],
	NEW_SYN_RECV: [0, 2],
	SYN_RECV: [0, 3],
	ESTABLISHED: [1, 3],
	FIN_WAIT1: [0, 4],
	CLOSE_WAIT: [2, 4],
	FIN_WAIT2: [0, 5],
	CLOSING: [1, 5],
	LAST_ACK: [2, 5],
	TIME_WAIT: [0, 6],
	END: [2, 6],
};

/* First and last column, first and last row. Its name stands where no edge does: above, or below. */
export const ZONES = [
	{name: ["handshake", "server"], kind: "open", at: [0, 0, 1, 3], above: 34, below: 8},
	{name: ["handshake", "client"], kind: "open", at: [2, 2, 1, 2], above: 34, below: 8},
	{name: ["close: this side first"], kind: "close", at: [0, 1, 4, 6], above: 18, below: 20},
	{name: ["close: peer first"], kind: "close", at: [2, 2, 4, 6], above: 18, below: 20},
];

/* Drawn though the kernel does not report them, and what causes them. */
const UNREPORTED = {"LISTEN>NEW_SYN_RECV": "SYN, SYN-ACK", "TIME_WAIT>END": "after 60 s"};

/*
 * From a side of a box to a side of another one: t, r, b, l, and how far along it. Then the transition that is counted,
 * as the tracker names it; null: the kernel reports none. A half-open connection (NEW_SYN_RECV) is not a socket yet: the
 * tracker sees LISTEN become SYN_RECV when its last ACK arrives. Then where the rate stands: beside the middle, and the
 * side that it grows to; once more where a narrow page has no room there. What causes a transition is in states.h.
 */
export const EDGES = [
	[["CLOSE", "l", 0.5], ["LISTEN", "t", 0.5], "CLOSE>LISTEN", [-6, -6, "end"]],
	[["CLOSE", "r", 0.5], ["SYN_SENT", "t", 0.5], "CLOSE>SYN_SENT", [6, -6, "start"]],
	[["LISTEN", "b", 0.5], ["NEW_SYN_RECV", "t", 0.5], null, [6, 4, "start"]],
	[["NEW_SYN_RECV", "b", 0.5], ["SYN_RECV", "t", 0.5], "LISTEN>SYN_RECV", [6, 4, "start"]],
	[["SYN_RECV", "r", 0.6], ["ESTABLISHED", "l", 0.6], "SYN_RECV>ESTABLISHED", [0, 16, "middle"],
	 [0, 30, "middle"]],
	[["SYN_SENT", "b", 0.5], ["ESTABLISHED", "r", 0.5], "SYN_SENT>ESTABLISHED", [4, 14, "start"]],
	[["SYN_SENT", "l", 0.5], ["SYN_RECV", "r", 0.2], "SYN_SENT>SYN_RECV", [4, -10, "end"]],
	[["SYN_RECV", "b", 0.06], ["FIN_WAIT1", "t", 0.06], "SYN_RECV>FIN_WAIT1", [-4, 4, "end"]],
	[["ESTABLISHED", "b", 0.25], ["FIN_WAIT1", "t", 0.5], "ESTABLISHED>FIN_WAIT1", [0, -6, "middle"]],
	[["ESTABLISHED", "b", 0.75], ["CLOSE_WAIT", "t", 0.5], "ESTABLISHED>CLOSE_WAIT", [0, -6, "middle"]],
	[["FIN_WAIT1", "b", 0.5], ["FIN_WAIT2", "t", 0.5], "FIN_WAIT1>FIN_WAIT2", [6, 4, "start"]],
	[["FIN_WAIT1", "r", 0.5], ["CLOSING", "t", 0.5], "FIN_WAIT1>CLOSING", [-6, -8, "start"]],
	[["FIN_WAIT2", "b", 0.5], ["TIME_WAIT", "t", 0.5], "FIN_WAIT2>TIME_WAIT", [6, 4, "start"]],
	[["CLOSING", "b", 0.5], ["TIME_WAIT", "r", 0.3], "CLOSING>TIME_WAIT", [0, -4, "middle"]],
	[["TIME_WAIT", "r", 0.7], ["END", "l", 0.7], null, [46, -5, "middle"]],
	[["CLOSE_WAIT", "b", 0.5], ["LAST_ACK", "t", 0.5], "CLOSE_WAIT>LAST_ACK", [6, 4, "start"]],
	[["LAST_ACK", "b", 0.5], ["END", "t", 0.5], "LAST_ACK>CLOSE", [6, 4, "start"]],
].map(([from, to, counts, label, narrow = label]) =>
	({from, to, counts, label, narrow, cause: TRANSITIONS[counts] ?? UNREPORTED[`${from[0]}>${to[0]}`]}));

export const WIDE = {
	width: 660, height: 540, columns: [112, 330, 548], rows: [26, 102, 174, 246, 352, 424, 496],
	box: [128, 42], margin: 22, captions: true,
};
export const NARROW = {
	width: 330, height: 508, columns: [54, 165, 276], rows: [22, 96, 162, 228, 334, 400, 466],
	box: [92, 38], margin: 6, captions: false,
};

export function centre(layout, state) {
	const [column, row] = STATES[state];

	return [layout.columns[column], layout.rows[row]];
}

/* A point on a box's side, and the direction that leads away from it. */
function anchor(layout, [state, side, along]) {
	const [x, y] = centre(layout, state), [width, height] = layout.box;

	switch (side) {
	case "t": return {x: x + (along - 0.5) * width, y: y - height / 2, dx: 0, dy: -1};
	case "b": return {x: x + (along - 0.5) * width, y: y + height / 2, dx: 0, dy: 1};
	case "l": return {x: x - width / 2, y: y + (along - 0.5) * height, dx: -1, dy: 0};
	default: return {x: x + width / 2, y: y + (along - 0.5) * height, dx: 1, dy: 0};
	}
}

/* The edge as a curve that leaves both boxes straight, and the point in its middle. */
export function route(layout, edge) {
	const a = anchor(layout, edge.from), b = anchor(layout, edge.to);
	const bend = Math.hypot(b.x - a.x, b.y - a.y) * (a.dx * b.dx + a.dy * b.dy ? 0.45 : 0.55);
	const p = {x: a.x + a.dx * bend, y: a.y + a.dy * bend}, q = {x: b.x + b.dx * bend, y: b.y + b.dy * bend};
	const middle = (axis) => (a[axis] + 3 * p[axis] + 3 * q[axis] + b[axis]) / 8;
	const point = (one) => `${one.x.toFixed(1)} ${one.y.toFixed(1)}`;

	return {path: `M${point(a)}C${point(p)} ${point(q)} ${point(b)}`, x: middle("x"), y: middle("y")};
}
