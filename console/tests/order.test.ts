import assert from "node:assert/strict";
import { test } from "node:test";
import { inPlace } from "../src/logic/order";

const row = (id: string | null, count: number) => ({ id, count });
const gone = (one: ReturnType<typeof row>) => ({ ...one, count: 0 });

test("a row keeps its place whatever comes, grows or goes", () => {
	const shown = [row("a", 9), row(null, 5), row("b", 3)];
	const fresh = [row("new", 50), row("b", 40), row("a", 9)];
	assert.deepEqual(
		inPlace(shown, fresh, (one) => one.id, gone),
		[row("a", 9), row(null, 0), row("b", 40), row("new", 50)],
	);
});
