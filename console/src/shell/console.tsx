/** The console: navigation, the screen, and what lies over it. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { readAll } from "../api/cache";
import { useKeys } from "../keys";
import { follow } from "../live/stream";
import { paused } from "../live/switch";
import { go, href } from "../place";
import { PLACES } from "../screens";
import { me } from "../session";
import { Confirm } from "./confirm";
import { Help } from "./help";
import { Navigation } from "./navigation";
import { Palette } from "./palette";
import { ScreenHere } from "./screen";
import { Toasts } from "./toasts";

/** Everything. */
export function Console() {
	const over = useSignal<"" | "palette" | "help">("");
	useEffect(follow, []);
	useKeys(
		useMemo(
			() => [
				{
					keys: "mod+k",
					does: "Go to anything, do anything",
					everywhere: true,
					run: () => {
						over.value = over.value === "palette" ? "" : "palette";
					},
				},
				{
					keys: "?",
					does: "These keys",
					run: () => {
						over.value = "help";
					},
				},
				{
					keys: "p",
					does: "Pause the page, and go on",
					run: () => {
						paused.value = !paused.value;
					},
				},
				{ keys: "u", does: "Read everything again", run: readAll },
				...PLACES.map((one) => ({
					keys: `g ${one.key}`,
					does: one.title,
					run: () => go(href(one.path)),
				})),
			],
			[over],
		),
	);
	const close = () => {
		over.value = "";
	};
	const environment = me.value?.environment;
	return (
		<div class="console" data-environment={environment ?? undefined}>
			<a class="skip" href="#main" onClick={skip}>
				Skip to the content
			</a>
			<Navigation
				search={() => {
					over.value = "palette";
				}}
				help={() => {
					over.value = "help";
				}}
			/>
			<main id="main" tabIndex={-1}>
				<ScreenHere />
			</main>
			{over.value === "palette" && <Palette close={close} />}
			{over.value === "help" && <Help close={close} />}
			<Confirm />
			<Toasts />
		</div>
	);
}

function skip(event: MouseEvent): void {
	event.preventDefault();
	document.getElementById("main")?.focus();
}
