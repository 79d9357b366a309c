import assert from "node:assert/strict";
import { test } from "node:test";
import { life } from "../src/logic/life";
import { parts, shortPath } from "../src/logic/traceback";

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const NOW = 100_000;
const job = {
	state: "queued" as const,
	attempt: 0,
	created_at: at(0),
	run_at: at(0),
	started_at: null,
	ended_at: null,
	reason: null,
	paused: false,
};

const told = (given: Parameters<typeof life>[0]) =>
	life(given, NOW).map((one) => [one.label, one.meanwhile, one.seconds, one.here, one.ahead]);

test("a job that waits is at its wait, and the rest is ahead", () => {
	assert.deepEqual(told(job), [
		["added", "waits", 100, false, false],
		["queued", "", null, true, false],
		["started", "ran", null, false, true],
		["ends", "", null, false, true],
	]);
});

test("a job that has ended waited and ran", () => {
	const done = {
		...job,
		state: "succeeded" as const,
		attempt: 1,
		started_at: at(2),
		ended_at: at(5),
	};

	assert.deepEqual(told(done), [
		["added", "waited", 2, false, false],
		["started", "ran", 3, false, false],
		["succeeded", "", null, true, false],
	]);
});

test("a job that waits for its retry is due again", () => {
	const again = {
		...job,
		state: "delayed" as const,
		attempt: 2,
		run_at: at(130),
		started_at: at(5),
	};

	assert.deepEqual(told(again), [
		["added", "until due", 130, false, false],
		["due again", "", null, true, true],
		["attempt 2", "ran", null, false, true],
		["ends", "", null, false, true],
	]);
});

test("a job that was cancelled while it waited never started", () => {
	assert.deepEqual(told({ ...job, state: "cancelled", ended_at: at(4) }), [
		["added", "waited", 4, false, false],
		["cancelled", "", null, true, false],
	]);
});

test("a traceback is told apart into the user's frames and those of libraries", () => {
	const text = `Traceback (most recent call last):
  File "/app/mail.py", line 31, in send
    server.quit()
    ~~~~~~~~~~~^^
  File "/usr/lib/python3.11/smtplib.py", line 12, in quit
    self.docmd()
  File "/app/venv/lib/python3.11/site-packages/x/y.py", line 3, in z
    raise
TimeoutError: no answer`;

	assert.deepEqual(
		parts(text).map((one) => ("frames" in one ? one.frames.map((frame) => frame.code) : one.text)),
		[
			"Traceback (most recent call last):",
			["server.quit()"],
			["self.docmd()", "raise"],
			"TimeoutError: no answer",
		],
	);
	assert.equal(shortPath("/app/venv/lib/python3.11/site-packages/x/y.py"), "x/y.py");
});
