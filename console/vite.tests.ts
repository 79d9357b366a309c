import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const tests = readdirSync(new URL("tests/", import.meta.url)).filter((name) =>
	name.endsWith(".test.ts"),
);

/** Builds the unit tests for `node --test`. */
export default defineConfig({
	build: {
		ssr: true,
		outDir: "build/tests",
		emptyOutDir: true,
		target: "node20",
		rolldownOptions: {
			input: Object.fromEntries(tests.map((name) => [name.slice(0, -3), `tests/${name}`])),
			output: { entryFileNames: "[name].js" },
		},
	},
});
