import { defineConfig } from "vite";

/** Builds the console into the Python package. All addresses are relative. */
export default defineConfig({
	base: "./",
	oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
	build: {
		outDir: "../src/rotulus/console/static",
		emptyOutDir: true,
		target: ["chrome123", "firefox128", "safari17.5"],
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
		cssCodeSplit: false,
		rolldownOptions: {
			output: {
				codeSplitting: {
					includeDependenciesRecursively: false,
					// Small files compress badly: what is opened together is one file.
					groups: [
						{ name: "schedules", test: /screens\/schedule/ },
						{ name: "operations", test: /screens\/(audit|push|queues|system|webhook|workers)/ },
						{ name: "tasks", test: /screens\/tasks?[./]/ },
						{ name: "runs", test: /screens\/runs?[./]/ },
						{ name: "jobs", test: /screens\/(compare|job[./]|failures)/ },
					],
				},
			},
		},
	},
});
