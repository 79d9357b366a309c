import assert from "node:assert/strict";
import { test } from "node:test";
import { pageOf, traceOf } from "../src/logic/trace";

const ID = "4bf92f3577b34da6a3ce929d0e0e4736";

test("the trace of a job is that of its header, if it names one", () => {
	assert.equal(traceOf({ traceparent: `00-${ID}-00f067aa0ba902b7-01` }), ID);
	for (const wrong of [
		"",
		"00-1",
		`00-${ID}`,
		`00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
		`00-${ID.toUpperCase()}-00f067aa0ba902b7-01`,
		`00-../../evil?${ID}-00f067aa0ba902b7-01`,
	]) {
		assert.equal(traceOf({ traceparent: wrong }), "", wrong);
	}
	assert.equal(traceOf({}), "");
});

test("the page of a trace is one of the web, or none", () => {
	const of = (template: string | null) => pageOf(ID, template);
	assert.equal(
		of("https://traces.example/{trace_id}?t={trace_id}"),
		`https://traces.example/${ID}?t=${ID}`,
	);
	assert.equal(of("http://localhost:16686/trace/{trace_id}"), `http://localhost:16686/trace/${ID}`);
	for (const none of [
		null,
		"",
		"javascript:alert({trace_id})",
		"//evil/{trace_id}",
		" https://x/{trace_id}",
	]) {
		assert.equal(of(none), "");
	}
});
