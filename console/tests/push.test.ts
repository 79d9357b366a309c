import assert from "node:assert/strict";
import { test } from "node:test";
import type { PushPlan, PushResource } from "../src/api/types";
import { isWork, rowsOf, shown, tally } from "../src/logic/push";

const topic: PushResource = { kind: "topic", name: "t", route: "a.b", task: "b", fields: {} };
const box: PushResource = {
	kind: "subscription",
	name: "t-sub",
	route: "a.b",
	task: "b",
	fields: { topic: "t", ack_deadline: 60, expires: "never" },
};
const job: PushResource = { kind: "scheduler job", name: "j", route: "a.b", task: "b", fields: {} };
const place = { project: "p", owner: "dev--shop", emulator: null, scheduler: true };

function plan(...changes: PushPlan["changes"]): PushPlan {
	return { place, changes, problems: [], notes: [] };
}

test("until Google was asked, everything is as it is wanted", () => {
	const rows = rowsOf([topic, box], undefined);
	assert.deepEqual(
		rows.map((one) => one.stands),
		["wanted", "wanted"],
	);
	assert.deepEqual(rows[1]?.fields[1], { field: "ack_deadline", wanted: 60 });
	assert.equal(rows.some(isWork), false);
});

test("each change says how its resource stands, and what differs", () => {
	const rows = rowsOf(
		[topic, box, job],
		plan(
			{ action: "unchanged", kind: "topic", name: "t", route: "a.b", differences: [] },
			{
				action: "update",
				kind: "subscription",
				name: "t-sub",
				route: "a.b",
				differences: [{ field: "ack_deadline", before: null, after: 60 }],
			},
			{ action: "delete", kind: "scheduler job", name: "old", route: null, differences: [] },
		),
	);
	assert.deepEqual(
		rows.map((one) => [one.name, one.stands]),
		[
			["t", "there"],
			["t-sub", "differs"],
			["j", "unknown"],
			["old", "needless"],
		],
	);
	assert.deepEqual(rows[1]?.fields[1], { field: "ack_deadline", wanted: 60, there: null });
	assert.deepEqual(tally(rows, "scheduler job"), {
		wanted: 1,
		there: 0,
		differ: 0,
		needless: 1,
		unknown: 1,
	});
});

test("a resource of a route that could not be looked at says why", () => {
	const asked = { ...plan(), problems: [{ route: "a.b", name: "t", text: "403 denied" }] };
	assert.deepEqual(
		rowsOf([topic, box], asked).map((one) => [one.stands, one.problem]),
		[
			["unknown", "403 denied"],
			["unknown", "403 denied"],
		],
	);
});

test("fields of a missing resource differ from nothing", () => {
	const [row] = rowsOf(
		[box],
		plan({
			action: "create",
			kind: "subscription",
			name: "t-sub",
			route: "a.b",
			differences: [{ field: "ack_deadline", before: null, after: 60 }],
		}),
	);
	assert.equal(row?.stands, "missing");
	assert.deepEqual(row?.fields[1], { field: "ack_deadline", wanted: 60 });
	assert.deepEqual([shown(null), shown("x"), shown({ a: 1 })], ["none", "x", '{"a":1}']);
});
