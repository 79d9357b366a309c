import assert from "node:assert/strict";
import { test } from "node:test";
import { consequence, rateOf, rateText } from "../src/logic/limits";

const USE = { limit: 2, rate: null, per: null, code_limit: 2, running: 2, waiting: 9 };
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
		consequence(USE, { limit, ...rate }).text;
	const run = "2 jobs run, and go on.";
	assert.equal(says(5), `${run} Up to 3 of the 9 that wait start at once.`);
	assert.equal(says(1), `${run} The next one starts when fewer than 1 run; 9 wait.`);
	assert.equal(says(0), `${run} None of the 9 that wait starts.`);
	assert.match(says(9, { rate: 4, per: 60 }), /Up to 4 of the 9/);
	assert.match(says(null, { rate: 4, per: 60 }), /fewer than 2 run/);
});

test("terms that are none are told, and cannot be sent", () => {
	for (const terms of [
		{ limit: null, ...NONE },
		{ limit: Number.NaN, ...NONE },
		{ limit: -1, ...NONE },
		{ limit: 1.5, ...NONE },
		{ limit: null, ...rateOf("many") },
		{ limit: 1, ...rateOf("0/s") },
	])
		assert.ok(consequence(USE, terms).wrong);
});
