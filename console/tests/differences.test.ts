import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "../src/logic/differences";

test("two texts are compared place by place, and numbers as they were written", () => {
	assert.deepEqual(
		differences(
			'{"a": 1, "b": {"c": [1, 2]}, "n": 9007199254740993}',
			'{"n": 9007199254740992, "a": 1, "b": {"c": [1, 3], "d": "x"}}',
		),
		[
			{ path: "b.c.1", one: "2", other: "3" },
			{ path: "b.d", one: null, other: '"x"' },
			{ path: "n", one: "9007199254740993", other: "9007199254740992" },
		],
	);
});

test("the same text differs nowhere, and one of another kind as a whole", () => {
	assert.deepEqual(differences('{"a": []}', '{"a":  []}'), []);
	assert.deepEqual(differences("[1]", '"x"'), [{ path: "", one: "[\n  1\n]", other: '"x"' }]);
});
