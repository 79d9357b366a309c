import assert from "node:assert/strict";
import { test } from "node:test";
import { labelsOf, labelText } from "../src/logic/labels";

test("labels are typed with commas", () => {
	assert.deepEqual(labelsOf("customer=7, plan = gold ,"), { customer: "7", plan: "gold" });
	assert.deepEqual(labelsOf("note=a=b"), { note: "a=b" });
	assert.equal(labelsOf(" , "), null);
	assert.equal(labelText({ customer: "7", plan: "gold" }), "customer=7, plan=gold");
});
