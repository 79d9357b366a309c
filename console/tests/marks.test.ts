import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEntry, Queue } from "../src/api/types";
import { marksOf } from "../src/screens/overview/marks";

const QUEUE: Queue = { name: "mail", paused_at: "1970-01-01T00:00:05Z", age: null, jobs: {} };

function entry(second: number, verb: string, given: Partial<AuditEntry>): AuditEntry {
	return {
		id: `${second}`,
		at: new Date(second * 1000).toISOString(),
		actor: "ada",
		door: "http",
		role: null,
		verb,
		target: null,
		detail: {},
		count: 1,
		error: null,
		ended_at: null,
		...given,
	};
}

test("a queue that is paused is marked where the audit is not seen", () => {
	assert.deepEqual(marksOf([], [QUEUE]), [{ at: 5000, text: "mail paused" }]);
});

test("the audit tells pauses that are over, too, each once, in the order of time; what failed is no mark", () => {
	const audit = [
		entry(9, "queues.resume", { target: "mail" }),
		entry(7, "queues.pause", { target: "mail", error: "StoreError" }),
		entry(5, "queues.pause", { detail: { of: ["mail", "other"] } }),
	];
	assert.deepEqual(marksOf([], [QUEUE], audit), [
		{ at: 5000, text: "mail paused" },
		{ at: 5000, text: "other paused" },
		{ at: 9000, text: "mail resumed" },
	]);
});
