import assert from "node:assert/strict";
import { test } from "node:test";
import {
	columnsIn,
	isShown,
	LONGEST,
	readViews,
	shownIn,
	USUAL_COLUMNS,
	withView,
} from "../src/logic/views";

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

test("of a kept view counts what is known of it", () => {
	for (const says of ['["abc"]', '[["q", "a"]]', '"abc"', "7", '{"by": null}'])
		assert.deepEqual(readViews(`[{"name": "x", "says": ${says}}]`), [], says);
	assert.deepEqual(readViews('[{"name": " ", "says": {}}]'), []);
	assert.deepEqual(readViews('[{"name": "a", "says": {"q": "b", "other": 7}, "more": 1}]'), [
		{ name: "a", says: { q: "b" } },
	]);
	assert.equal(readViews(`[{"name": "${"W".repeat(99)}", "says": {}}]`)[0]?.name.length, LONGEST);
	assert.equal(readViews(JSON.stringify([MINE, MINE])).length, 1);
});

test("columns that are not known are left out, and the usual ones stand for none", () => {
	const known = [...USUAL_COLUMNS.split(","), "error"];

	assert.equal(columnsIn(["bogus,error", "state"], known), "error");
	assert.equal(columnsIn(["bogus", "state,constructor"], known), "state");
	for (const one of [null, "", "bogus", ","])
		assert.equal(columnsIn([one, "rubbish"], known), USUAL_COLUMNS);
});

test("a view is the one that is shown if it says the same", () => {
	const shown = { q: "task:a", by: "error", columns: "state" };

	assert.ok(isShown(MINE, shown));
	assert.ok(!isShown(MINE, { ...shown, by: "" }));
	assert.ok(!isShown({ ...MINE, says: { ...shown, columns: "id" } }, shown));
	assert.ok(!isShown({ ...MINE, says: {} }, shown));
});
