import assert from "node:assert/strict";
import { test } from "node:test";
import { between, shownOf } from "../src/logic/buckets";

const ENDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, null];

function buckets(...counts: number[]) {
	return ENDS.map((below, at) => ({ below, count: counts[at] ?? 0 }));
}

test("empty ends are left out, and gaps are shown", () => {
	const shown = shownOf(buckets(0, 0, 3, 0, 0, 0, 0, 2));
	assert.deepEqual(
		shown.map((one) => one.count),
		[3, 0, 0, 0, 0, 2],
	);
	assert.equal(shown[0]?.from, 0.01);
});

test("a single bucket has some beside it", () => {
	assert.equal(shownOf(buckets(0, 0, 0, 7)).length, 5);
	assert.equal(shownOf(buckets(7)).length, 5);
	assert.equal(shownOf(buckets(0, 0, 0, 0, 0, 0, 0, 0, 7)).length, 5);
	assert.deepEqual(shownOf(buckets()), []);
});

test("a bucket is read as two ends", () => {
	const shown = shownOf(buckets(1, 1, 0, 0, 0, 0, 0, 0, 1));
	assert.deepEqual(shown.slice(0, 2).map(between), ["less than 5 ms", "from 5 ms to 10 ms"]);
	assert.equal(between(shown.at(-1) as never), "1.0 s or longer");
});
