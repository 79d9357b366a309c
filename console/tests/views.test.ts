import assert from "node:assert/strict";
import { test } from "node:test";
import { readViews, shownIn, withView } from "../src/logic/views";

const MINE = { name: "mine", says: { q: "task:a", by: "error" } };

test("a view is what the address says of the list", () => {
	const params = new URLSearchParams("q=task:a&by=error&columns=state&other=1");

	assert.deepEqual(shownIn(params), { q: "task:a", by: "error", columns: "state" });
});

test("what cannot be read counts as no view", () => {
	for (const text of ["", "{", "null", "7", '[1, null, {"name": "a"}, {"name": 1, "says": {}}]'])
		assert.deepEqual(readViews(text), [], text);
	assert.deepEqual(readViews('[{"name": "a", "says": {"q": 1}}]'), []);
	assert.deepEqual(readViews(JSON.stringify([MINE])), [MINE]);
});

test("a name is given once, and views are in the order of their names", () => {
	const all = withView([MINE], "all", { name: "all", says: {} });
	const again = withView(all, "mine", { ...MINE, says: { q: "task:b" } });

	assert.deepEqual(
		again.map((one) => [one.name, one.says.q]),
		[
			["all", undefined],
			["mine", "task:b"],
		],
	);
	assert.deepEqual(withView(again, "mine", { ...MINE, name: "all" }), [{ ...MINE, name: "all" }]);
	assert.deepEqual(withView([MINE], "mine", null), []);
});
