import assert from "node:assert/strict";
import { test } from "node:test";
import { type Outcome, stateOf } from "../src/logic/states";
import {
	attemptsOf,
	criticalPath,
	endedApart,
	goesOn,
	HATCHES,
	legendOf,
	OUTLINES,
	pieces,
	placeOf,
	saidOf,
} from "../src/logic/timeline";
import { fitted, kept, moved, showsAll, zoomed } from "../src/logic/view";
import { changeWords, daysUpTo, offsetOf, withChanges } from "../src/logic/zones";

test("time in which nothing happens is folded, and the rest is in proportion", () => {
	const scale = pieces(
		[
			[0, 10_000],
			[3_610_000, 3_620_000],
		],
		0,
		3_620_000,
	);
	assert.deepEqual(
		scale.map((one) => one.isIdle),
		[false, true, false],
	);
	assert.equal(placeOf(0, scale), 0);
	assert.equal(placeOf(3_620_000, scale), 1);
	const half = placeOf(5000, scale);
	assert.ok(Math.abs(half - placeOf(10_000, scale) / 2) < 1e-9);
	assert.ok(placeOf(3_610_000, scale) - placeOf(10_000, scale) < 0.05);
});

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const row = {
	step: "load",
	job: "1",
	task: "load",
	state: "running" as const,
	waited: [],
	ran: [
		[at(0), at(1)],
		[at(5), at(6)],
	] as [string, string][],
	outcomes: ["lost", null] as ("lost" | null)[],
	ended_at: null,
};

test("an attempt is drawn as what it came to, and what runs goes on after the reading", () => {
	assert.ok(goesOn(row));
	assert.deepEqual(
		attemptsOf(row, 9000).map(({ span, state }) => [span[1], state]),
		[
			[1000, "dead"],
			[9000, "running"],
		],
	);
	assert.equal(saidOf(row), "lost, then runs");
	assert.deepEqual(["retried", "snoozed", "released", "opened", "skipped"].map(stateOf as never), [
		"failed",
		"delayed",
		"queued",
		"blocked",
		"skipped",
	]);
	const waits = { ...row, state: "blocked" as const, outcomes: ["lost", "failed"] as never[] };
	assert.ok(!goesOn(waits));
	assert.equal(attemptsOf(waits, 9000)[1]?.span[1], 6000);
	assert.ok(goesOn({ ...waits, outcomes: ["lost", "opened"] as never[] }));
});

test("what ended with nothing that ran stands where it ended", () => {
	const skipped = { ...row, state: "skipped" as const, ran: [], outcomes: [], ended_at: at(4) };
	assert.equal(endedApart(skipped), 4000);
	assert.equal(saidOf(skipped), "nothing ran");
	assert.ok(!goesOn(skipped));
	assert.equal(endedApart(row), null);
	const failed = {
		...row,
		state: "failed" as const,
		outcomes: ["failed" as const],
		ended_at: at(1),
	};
	assert.equal(endedApart(failed), null);
	assert.equal(endedApart({ ...failed, state: "skipped" }), 1000);
	assert.equal(saidOf(failed), "");
	assert.equal(saidOf({ ...failed, state: "skipped" }), "failed");
	assert.equal(saidOf({ ...failed, state: "queued", outcomes: ["released"] }), "released");
	assert.equal(saidOf({ ...row, ran: row.ran.slice(1), outcomes: [null] }), "");
});

test("no two states of attempts look alike without colour, and the legend has what occurs", () => {
	const outcomes = [
		...["succeeded", "failed", "dead", "cancelled", "skipped", "retried", "lost"],
		...["snoozed", "released", "opened", null],
	] as Outcome[];
	const states = new Set(outcomes.map(stateOf));
	const looks = [...states].map((state) => `${HATCHES[state]} ${OUTLINES.indexOf(state)}`);
	assert.equal(new Set(looks).size, states.size);
	assert.deepEqual(legendOf([{ ...row, outcomes: ["retried", "failed", "succeeded", null] }]), [
		["failed", "retried, failed"],
		["succeeded", "succeeded"],
		["running", "runs"],
	]);
});

test("without spans there is a scale all the same", () => {
	const scale = pieces([], 1000, 1000);
	assert.equal(scale.length, 1);
	assert.equal(placeOf(1000, scale), 0);
});

test("the critical path goes back from the last step by what kept it waiting", () => {
	const routes = [
		{ source: "a", target: "c" },
		{ source: "b", target: "c" },
		{ source: "c", target: "d" },
	];
	const ends = new Map([
		["a", 5],
		["b", 9],
		["c", 12],
		["d", 20],
	]);
	assert.deepEqual(criticalPath(routes, ends), ["b", "c", "d"]);
	assert.deepEqual(criticalPath(routes, new Map()), []);
});

test("a drawing fits, is zoomed about a point, and is never lost", () => {
	const size = { width: 1000, height: 400 };
	const place = { width: 532, height: 432 };
	const view = fitted(size, place);
	assert.equal(view.scale, 0.5);
	assert.ok(showsAll(view, size, place));
	const near = zoomed(view, 2, 266, 216);
	assert.equal(near.x + 266 / near.scale, view.x + 266 / view.scale);
	assert.ok(!showsAll(near, size, place));
	const lost = kept(moved(near, 1e6, 1e6), size, place);
	assert.ok(lost.x < size.width && lost.y < size.height);
});

test("the change of a clock between two instants is marked", () => {
	const zone = "Europe/Paris";
	const from = Date.parse("2026-03-27T12:00:00Z");
	const instants = ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-10-25T01:30:00Z"];
	assert.deepEqual(
		withChanges(instants, zone, from).map((one) => one.changed),
		[0, 60, -60],
	);
	assert.equal(offsetOf(from, "Asia/Kolkata"), 330);
	assert.equal(changeWords(60), "clock forward 1 h");
	assert.equal(changeWords(-30), "clock back 30 min");
	assert.deepEqual(daysUpTo(from, 2, zone), ["2026-03-26", "2026-03-27"]);
});
