import assert from "node:assert/strict";
import { test } from "node:test";
import { asCommand, asCurl, asPython } from "../src/logic/commands";

const TEXT = '{"to": "it\'s", "size": 12345678901234567890, "on": true, "more": [null]}';

test("a call is written in Python, with its numbers as they are", () => {
	assert.equal(
		asPython("mail.send", TEXT, { delay: 60 }),
		'app.using(delay=60).enqueue("mail.send", to="it\'s", size=12345678901234567890, on=True, more=[None])',
	);
	assert.equal(asPython("a", '{"not a name": 1}', {}), 'app.enqueue("a", **{"not a name": 1})');
});

test("a shell takes a call as it is meant", () => {
	assert.equal(
		asCommand("mail.send", TEXT, { queue: "mail", priority: 5 }),
		`rotulus enqueue mail.send --json-args '${TEXT.replace("'", "'\\''")}' --queue mail --priority 5`,
	);
	assert.equal(asCommand("a", "{}", {}), "rotulus enqueue a");
	assert.match(asCurl("http://x/$enqueue", "{}"), /^curl -X POST 'http:\/\/x\/\$enqueue' \\\n/);
});
