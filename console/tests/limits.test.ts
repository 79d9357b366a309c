import assert from "node:assert/strict";
import { test } from "node:test";
import { consequence, rateOf, rateText, wholeOf, windowText, wrongOf } from "../src/logic/limits";

const USE = { code_limit: 2, code_rate: null, queues: ["mail"], running: 2, waiting: 9 };
const NONE = { rate: null, per: null };

test("a rate is read as people write it, and written as it is read", () => {
	assert.deepEqual(["100/min", " 5 / s", "10/90", "100/5min"].map(rateOf), [
		{ rate: 100, per: 60 },
		{ rate: 5, per: 1 },
		{ rate: 10, per: 90 },
		{ rate: 100, per: 300 },
	]);
	for (const text of ["", "100", "x/min", "1.5/s", "/min"])
		assert.ok(Number.isNaN(rateOf(text).rate), text);
	assert.deepEqual(
		[rateText(100, 60), rateText(10, 90), rateText(null, null)],
		["100/min", "10/90", ""],
	);
});

test("what comes of terms is said of those that run and of those that wait", () => {
	const says = (limit: number | null, rate: typeof NONE | { rate: number; per: number } = NONE) =>
		consequence(USE, { limit, ...rate });
	const run = "2 jobs run, and go on.";
	assert.equal(says(5), `${run} Up to 3 of the 9 that wait start at once.`);
	assert.equal(says(1), `${run} The next one starts when fewer than 1 run; 9 wait.`);
	assert.equal(says(0), `${run} None of the 9 that wait starts.`);
	assert.match(says(9, { rate: 4, per: 60 }), /Up to 4 of the 9/);
	assert.match(says(null, { rate: 4, per: 60 }), /fewer than 2 run/);
});

test("what is not given is as the code says", () => {
	const use = { ...USE, code_limit: null, code_rate: 5, running: 0 };
	const says = consequence(use, { limit: 8, ...NONE });
	assert.equal(says, "Up to 5 of the 9 that wait start at once.");
	const by_code = consequence({ ...use, code_limit: 3 }, { limit: null, rate: 8, per: 1 });
	assert.equal(by_code, "Up to 3 of the 9 that wait start at once.");
});

test("jobs that wait in a queue that is paused do not start", () => {
	const terms = { limit: 9, ...NONE };
	const run = "2 jobs run, and go on.";
	assert.equal(
		consequence(USE, terms, ["mail", "other"]),
		`${run} None of the 9 that wait starts: queue mail is paused.`,
	);
	assert.equal(
		consequence({ ...USE, queues: ["mail", "slow"] }, terms, ["mail"]),
		`${run} Up to 7 of the 9 that wait start at once. None starts in mail: queue mail is paused.`,
	);
});

test("where nothing waits, nothing starts", () => {
	for (const limit of [0, 1, 9])
		assert.equal(
			consequence({ ...USE, running: 0, waiting: 0 }, { limit, ...NONE }),
			"Nothing waits.",
		);
});

test("a number is digits, with commas or without", () => {
	assert.deepEqual(["", " ", "7", "1,000", " 1,000,000 "].map(wholeOf), [null, null, 7, 1000, 1e6]);
	for (const text of ["1e3", "0x10", "-1", "1.5", ",", "many", "1 000"])
		assert.ok(Number.isNaN(wholeOf(text)), text);
	assert.deepEqual(rateOf("1,000/min"), { rate: 1000, per: 60 });
});

test("the window of a rate has no tenths of a second that are none", () => {
	assert.deepEqual([1, 5, 0.5, 1.5, 60, 90, null].map(windowText), [
		"1 s",
		"5 s",
		"500 ms",
		"1.5 s",
		"1 min",
		"1 min 30 s",
		"–",
	]);
});

test("terms that are none are told by their field", () => {
	for (const limit of [Number.NaN, -1, 2_000_000])
		assert.deepEqual(Object.keys(wrongOf({ limit, ...NONE })), ["limit"]);
	for (const text of ["many", "0/s", "5/0s", "5/40000d", "2,000,000/s"])
		assert.deepEqual(Object.keys(wrongOf({ limit: 1, ...rateOf(text) })), ["rate"], text);
	assert.deepEqual(wrongOf({ limit: 0, ...rateOf("1,000/36525d") }), {});
	assert.deepEqual(wrongOf({ limit: null, ...NONE }), {});
});
