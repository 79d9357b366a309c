import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, brief, bytes, length, moment, percent, seconds } from "../src/logic/lengths";

test("lengths are read at a glance", () => {
	const given = [
		0,
		0.0004,
		0.2,
		0.9999,
		1.24,
		59.94,
		59.96,
		61,
		3600,
		7500,
		90_000,
		1_000_000,
		null,
	];

	assert.deepEqual(given.map(length), [
		"0 s",
		"<1 ms",
		"200 ms",
		"1.0 s",
		"1.2 s",
		"60 s",
		"1 min",
		"1 min 1 s",
		"1 h",
		"2 h 5 min",
		"1 d 1 h",
		"11 d",
		"–",
	]);
});

test("ages look back and forward", () => {
	assert.equal(ago(0, 180_000), "3 min ago");
	assert.equal(ago(120_500, 0), "in 2 min");
	assert.equal(ago(500, 0), "now");
});

test("numbers are short in narrow places", () => {
	assert.deepEqual([7, 9999, 12_345, 123_456, 1_234_567].map(brief), [
		"7",
		"9,999",
		"12k",
		"123k",
		"1.2M",
	]);
	assert.deepEqual([percent(3, 10_000), percent(0, 5), percent(1, 0)], ["0.03 %", "0 %", "–"]);
});

test("lengths that people write are seconds", () => {
	assert.deepEqual(["90", "15min", "2h", "7d", "soon", "1h30"].map(seconds), [
		90,
		900,
		7200,
		604_800,
		null,
		null,
	]);
});

test("a moment is told in any zone", () => {
	const at = Date.UTC(2026, 2, 29, 1, 30);

	assert.equal(moment(at, "UTC"), "2026-03-29 01:30:00");
	assert.equal(moment(at, "Europe/Paris"), "2026-03-29 03:30:00");
	assert.equal(moment(at + 7, "UTC", true), "2026-03-29 01:30:00.007");
});

test("bytes come in their largest fitting unit", () => {
	const told = [0, 999, 1000, 1840, 18_400, 1_234_000_000, 5e15].map(bytes);
	assert.deepEqual(told, [
		"0 bytes",
		"999 bytes",
		"1.0 kB",
		"1.8 kB",
		"18 kB",
		"1.2 GB",
		"5000 TB",
	]);
});
