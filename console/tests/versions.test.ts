import assert from "node:assert/strict";
import { test } from "node:test";
import type { Worker } from "../src/api/types";
import { versionsOf } from "../src/logic/versions";

function worker(version: string | null, minute: number, rotulus: string | null = "0.1.0"): Worker {
	return {
		name: `w${minute}`,
		host: "here",
		pid: 1,
		queues: null,
		slots: 1,
		running: 0,
		started_at: new Date(minute * 60_000).toISOString(),
		seen_at: null,
		tasks: null,
		draining_at: null,
		version,
		rotulus,
		python: rotulus && "3.11.2",
		memory: null,
	};
}

test("versions are told with their workers and their first start, the newest first", () => {
	assert.deepEqual(versionsOf([worker("a", 3), worker("b", 5), worker("a", 1)]), [
		{ name: "b", workers: 1, since: 300_000 },
		{ name: "a", workers: 2, since: 60_000 },
	]);
});

test("a worker that names no version is told by Rotulus and Python; one that tells nothing is not", () => {
	assert.deepEqual(versionsOf([worker(null, 1), worker(null, 2, null)]), [
		{ name: "Rotulus 0.1.0 on Python 3.11.2", workers: 1, since: 60_000 },
	]);
});
