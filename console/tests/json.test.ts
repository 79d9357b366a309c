import assert from "node:assert/strict";
import { test } from "node:test";
import { member, pretty, read } from "../src/logic/json";

test("numbers stay as they were written", () => {
	const text = '{"id":9007199254740993,"sum":1.10,"big":1e400}';

	assert.equal(
		pretty(read(text)),
		'{\n  "id": 9007199254740993,\n  "sum": 1.10,\n  "big": 1e400\n}',
	);
});

test("a member is cut out of the text", () => {
	const text = '{"a": {"b": [1, 2]}, "arguments": {"n": 12345678901234567890}}';

	assert.equal(member(text, "arguments"), '{"n": 12345678901234567890}');
	assert.equal(member(text, "nothing"), "");
});

test("texts with quotes, signs and escapes are one lexeme", () => {
	const text = '{"a":"} \\" {","b":"\\\\"}';

	assert.deepEqual(
		read(text).members.map((one) => one.value.text),
		['"} \\" {"', '"\\\\"'],
	);
});

test("a text that is cut off gives what could be read", () => {
	const whole = '{"a": [1, {"b": "long text"}], "c": 3}';

	for (let end = 0; end <= whole.length; end += 1) {
		const node = read(whole.slice(0, end));
		assert.equal(node.cut, end < whole.length, `${end}`);
	}
});

test("keys that come twice are both shown", () => {
	assert.equal(read('{"a":1,"a":2}').members.length, 2);
});

test("a value as deep as any is read", () => {
	const deep = "[".repeat(20_000) + "]".repeat(20_000);

	assert.equal(read(deep).kind, "array");
});
