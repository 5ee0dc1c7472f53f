// SPDX-License-Identifier: GPL-2.0-only
// Tables whose elements stay. Their contents may come from outside (names of processes): text, never markup.

export const element = (id) => document.getElementById(id);

/* Does not touch a text that is right already: a live region is read aloud when it changes. */
export function say(id, text) {
	if (element(id).textContent !== text)
		element(id).textContent = text;
}

/* With explicit roles: a style sheet that turns rows into cards removes the implied ones. */
function cell(kind, role) {
	const one = document.createElement(kind);

	one.setAttribute("role", role);
	return one;
}

function makeHeading({name, text, help, sort}) {
	const heading = cell("th", "columnheader");
	const inner = sort ? document.createElement("button") : heading;

	heading.scope = "col";
	heading.className = text ? "text" : "";
	inner.textContent = name;
	heading.title = typeof help === "string" ? help : "";
	if (sort) {
		inner.type = "button";
		inner.addEventListener("click", sort);
		heading.append(inner);
	}
	return heading;
}

function makeHead(table, columns) {
	const [head, row, body] = ["thead", "tr", "tbody"].map((name) => document.createElement(name));

	row.append(...columns.map(makeHeading));
	for (const [one, role] of [[table, "table"], [head, "rowgroup"], [body, "rowgroup"], [row, "row"]])
		one.setAttribute("role", role);
	head.append(row);
	table.append(head, body);
	return body;
}

function makeRow(columns) {
	const row = document.createElement("tr");

	row.setAttribute("role", "row");
	row.append(...columns.map(({name, text, link}, i) => {
		const one = i ? cell("td", "cell") : cell("th", "rowheader");

		if (!i)
			one.scope = "row";
		one.dataset.label = name;
		one.className = text ? "text" : "";
		if (link)
			one.append(document.createElement("a"));
		return one;
	}));
	return row;
}

function fillCell(one, {of, kind, help, link}, row) {
	const text = of(row), inner = link ? one.firstChild : one;

	if (inner.textContent !== text)
		inner.textContent = text;
	if (link && inner.getAttribute("href") !== link(row))
		inner.setAttribute("href", link(row));
	one.dataset.kind = kind?.(row) ?? "";
	if (typeof help === "function")
		one.title = help(row) ?? "";
}

/* The rows that belong to `rows`: by `key`, wherever they are; a row that is moved keeps the focus. */
function placeRows(body, columns, rows, key) {
	const focus = document.activeElement, known = new Map([...body.rows].map((one) => [one.dataset.key, one]));
	const wanted = rows.map((row, y) => known.get(key(row, y)) ?? makeRow(columns)), kept = new Set(wanted);

	[...body.rows].filter((one) => !kept.has(one)).forEach((one) => one.remove());
	wanted.forEach((one, y) => {
		one.dataset.key = key(rows[y], y);
		if (body.rows[y] !== one)
			body.insertBefore(one, body.rows[y] ?? null);
	});
	if (document.activeElement !== focus && body.contains(focus))
		focus.focus({preventScroll: true});
}

/*
 * Fills the table `id`: `columns` are {name, of: row -> text, text: not a number, kind: row -> its colour, help: what the
 * column means, or row -> what the cell does, link: row -> where it leads, sort: what its heading does}. Elements are
 * kept and only texts change, so that a selection or a screen reader keeps its place; with `key`, row -> text, an element
 * stays the one of its row, so that what is under the mouse leads where it did.
 */
export function fill(id, columns, rows, key = (row, y) => String(y)) {
	const table = element(id), names = columns.map(({name}) => name).join("|");

	if (table.dataset.columns !== names)
		table.querySelectorAll("thead, tbody").forEach((one) => one.remove());
	table.dataset.columns = names;
	const body = table.tBodies[0] ?? makeHead(table, columns);

	placeRows(body, columns, rows, key);
	rows.forEach((row, y) => columns.forEach((column, x) => fillCell(body.rows[y].cells[x], column, row)));
}

/* Where the browser does not let the page copy, the text is selected. */
async function copy(text, button) {
	try {
		await navigator.clipboard.writeText(text);
		button.textContent = "Copied";
	} catch {
		getSelection().selectAllChildren(button.previousElementSibling);
		button.textContent = "Selected";
	}
	setTimeout(() => {
		button.textContent = "Copy";
	}, 2000);
}

/* A command that can be copied, in `parent`; null: none. */
export function showCommand(parent, command) {
	if (!parent.firstChild) {
		const code = document.createElement("code"), button = document.createElement("button");

		button.type = "button";
		button.textContent = "Copy";
		button.setAttribute("aria-label", "Copy the command");
		button.addEventListener("click", () => copy(code.textContent, button));
		parent.append(code, button);
	}
	parent.hidden = !command;
	if (parent.firstChild.textContent !== (command ?? ""))
		parent.firstChild.textContent = command ?? "";
}
