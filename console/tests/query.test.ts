import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, quoted, suggest, toQuery, valuesOf, withTerm, write } from "../src/logic/query";

test("words become the filters of the API", () => {
	const text = 'state:failed,dead task:mail.* label.customer:7 args.order.id:42 error:"timed out"';

	assert.deepEqual(toQuery(text), [
		["state", "failed"],
		["state", "dead"],
		["task", "mail.*"],
		["label.customer", "7"],
		["args.order.id", "42"],
		["error", "timed out"],
	]);
});

test("a length is told in seconds", () => {
	assert.deepEqual(toQuery("newer:15min older:2h"), [
		["since", "900"],
		["until", "7200"],
	]);
});

test("a word without a name begins the name of a task", () => {
	assert.deepEqual(toQuery("mail"), [["task", "mail*"]]);
});

test("what is written is read as the same", () => {
	for (const value of ["a", "a b", 'a "b"', "a\\b", "ä:ö", ""]) {
		const text = write([{ name: "error", path: "", value }]);
		assert.equal(parse(text)[0]?.value, value, text);
	}
	assert.equal(quoted("plain"), "plain");
});

test("a wrong word says why, and is not sent", () => {
	const text = "state:gone colour:red newer:soon queue:";
	const wrong = parse(text).map((one) => one.wrong);

	assert.deepEqual(wrong, [
		"There is no state gone.",
		"There is no filter colour.",
		"Give a length: 90, 15min, 2h, 7d.",
		"A value is missing.",
	]);
	assert.deepEqual(toQuery(text), []);
});

test("a filter of a name is set and taken away without touching the others", () => {
	assert.equal(withTerm("task:a state:failed", "state", "dead"), "task:a state:dead");
	assert.equal(withTerm("task:a state:failed", "state", null), "task:a");
	assert.deepEqual(valuesOf("state:failed,dead", "state"), ["failed", "dead"]);
});

test("names are suggested first, then values", () => {
	const values = {
		names: [],
		values: (name: string) => (name === "queue" ? ["mail", "my queue"] : []),
	};

	assert.deepEqual(
		suggest("sta", 3, values).map((one) => one.text),
		["state:"],
	);
	assert.deepEqual(suggest("state:failed queue:m", 20, values)[1], {
		label: "my queue",
		says: "",
		text: 'state:failed queue:"my queue" ',
		cursor: 30,
	});
});

test("paths in the arguments are suggested, and their values", () => {
	const known = {
		names: ["args.urgent", "args.order", "args.order.id"],
		values: (name: string) => (name === "args.urgent" ? ["true", "false"] : []),
	};
	const labels = (text: string) => suggest(text, text.length, known).map((one) => one.label);

	assert.deepEqual(labels("a"), ["args."]);
	assert.deepEqual(labels("args."), ["args.urgent", "args.order", "args.order.id"]);
	assert.deepEqual(labels("task:a args.order"), ["args.order.id"]);
	assert.deepEqual(labels("args.urgent:"), ["true", "false"]);
	assert.equal(suggest("args.u", 6, known)[0]?.text, "args.urgent:");
});

test("a word that every object of JavaScript has is no filter", () => {
	for (const name of ["constructor", "toString", "valueOf", "__proto__"]) {
		assert.equal(parse(`${name}:1`)[0]?.wrong, `There is no filter ${name}.`);
		assert.deepEqual(toQuery(`${name}:1`), []);
	}
});
