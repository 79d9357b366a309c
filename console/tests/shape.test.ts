import assert from "node:assert/strict";
import { test } from "node:test";
import { shapeOf, shapeWords } from "../src/logic/shape";

test("a workflow is as high in a level as it has steps there", () => {
	assert.deepEqual(shapeOf([1, 5, 1], 20), [4, 20, 4]);
	assert.deepEqual(shapeOf([1], 20), [4]);
	assert.deepEqual(shapeOf([1, 100], 20), [4, 20]);
	const long = Array.from({ length: 155 }, (_, at) => (at === 77 ? 5 : 1));
	assert.ok(shapeOf(long, 20).length <= 12);
	assert.equal(Math.max(...shapeOf(long, 20)), 20);
});

test("and says so in words", () => {
	assert.equal(shapeWords(7, [1, 5, 1]), "7 steps, 3 levels");
	assert.equal(shapeWords(1, [1]), "1 step, 1 level");
	assert.equal(shapeWords(1200, [1200]), "1,200 steps, 1 level");
});
