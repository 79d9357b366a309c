import assert from "node:assert/strict";
import { test } from "node:test";
import {
	empty,
	fieldAt,
	fieldsOf,
	filledWith,
	givenIn,
	pathsOf,
	written,
} from "../src/logic/schema";

const SCHEMA = {
	type: "object",
	required: ["to", "size"],
	properties: {
		to: { type: "string" },
		size: { type: "integer", minimum: 1 },
		kind: { $ref: "#/$defs/Kind", default: "plain" },
		note: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
		at: { type: "string", format: "date-time" },
		more: { type: "array", items: { type: "string" }, default: ["a"] },
		fast: { type: "boolean", default: false },
	},
	$defs: { Kind: { enum: ["plain", "html"] } },
};
const FIELDS = fieldsOf(SCHEMA);

test("each argument has a control of its kind, with what it may be", () => {
	assert.deepEqual(
		FIELDS.map((one) => [one.name, one.kind, one.words]),
		[
			["to", "text", "text"],
			["size", "integer", "whole number, 1 or more"],
			["kind", "choice", "one of these"],
			["note", "text", "text, or nothing"],
			["at", "moment", "date and time"],
			["more", "json", "list, as JSON"],
			["fast", "flag", "yes or no"],
		],
	);
	assert.deepEqual(
		FIELDS.map((one) => one.initial),
		["", "", '"plain"', "", "", '[\n  "a"\n]', "false"],
	);
});

test("what nobody has touched is left out, so that the defaults of the task hold", () => {
	assert.deepEqual(written(FIELDS, empty(FIELDS)), { text: "{}", wrong: {} });
});

test("a number of any length goes as it was typed, and what is none goes as text", () => {
	const filled = empty(FIELDS);
	filled.values.size = "12345678901234567890";
	assert.equal(written(FIELDS, filled).text, '{"size": 12345678901234567890}');
	filled.values.size = "many";
	assert.equal(written(FIELDS, filled).text, '{"size": "many"}');
});

test("what is no JSON is told beside its control", () => {
	const filled = { ...empty(FIELDS), touched: new Set(["more"]) };
	filled.values.more = "[1,";
	assert.match(written(FIELDS, filled).wrong.more ?? "", /^This is no JSON/);
});

test("a JSON text fills the form, and the form writes the same", () => {
	const text =
		'{"to": "ada", "size": 9007199254740993, "kind": "html", "note": null, "fast": true}';
	assert.equal(written(FIELDS, filledWith(FIELDS, text)).text, text);
});

test("a pointer leads to its argument", () => {
	assert.equal(fieldAt("/params/to~1whom/0"), "to/whom");
	assert.equal(fieldAt("/params"), "");
});

test("paths go one level deep, and have the values of enums and flags as words", () => {
	const schema = {
		properties: {
			"**": {},
			fast: { type: "boolean" },
			kind: { anyOf: [{ enum: ["plain", "7", null] }, { type: "null" }] },
			order: { $ref: "#/$defs/Order" },
		},
		$defs: {
			Order: { properties: { id: { type: "integer" }, deep: { $ref: "#/$defs/Order" } } },
		},
	};

	assert.deepEqual(Object.fromEntries(pathsOf(schema)), {
		fast: ["true", "false"],
		kind: ["plain", '"7"', "null"],
		order: [],
		"order.id": [],
		"order.deep": [],
	});
});

test("an argument may have any name", () => {
	const properties = JSON.parse('{"__proto__": {"enum": ["a"]}, "order": {}}');
	const found = pathsOf({ properties });

	assert.deepEqual([...found.keys()], ["__proto__", "order"]);
	assert.deepEqual(found.get("__proto__"), ["a"]);
	assert.equal(found.get("constructor"), undefined);
});

test("what the framework fills is no argument", () => {
	const parameters = [
		{ name: "to", annotation: "<class 'str'>", default: null },
		{ name: "plain", annotation: null, default: "'INJECTED'" },
		{ name: "mine", annotation: "<class 'shop.rotulus.Order'>", default: null },
		{ name: "job", annotation: "<class 'rotulus.Job'>", default: null },
		{ name: "maybe", annotation: "rotulus.Job | None", default: "None" },
		{ name: "world", annotation: "<class 'shop.World'>", default: "INJECTED" },
	];

	assert.deepEqual(givenIn(parameters), ["to", "plain", "mine"]);
});
