/** Shows the screen that the address names, loaded when it is shown for the first time. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Empty, Page, Skeleton } from "../parts/page";
import { href, matched, path } from "../place";
import { SCREENS, type Screen, type ScreenProps } from "../screens";

const loaded = new Map<Screen, ComponentType<ScreenProps>>();

/** Loads the screen of the present address, and what it reads; resolved when both are there. */
export async function beginScreen(): Promise<void> {
	const screen = SCREENS.find((one) => matched(one.path, path.value));
	if (screen) await Promise.all([screen.begin?.(), load(screen).catch(() => undefined)]); // the screen says so
}

async function load(screen: Screen): Promise<void> {
	const found = await screen.load?.();
	if (found) loaded.set(screen, found.default);
}

/** The screen of the present address. */
export function ScreenHere() {
	const here = path.value;
	for (const screen of SCREENS) {
		const at = matched(screen.path, here);
		const key = `${screen.path} ${Object.values(at ?? {})}`;
		if (at && screen.here) return <screen.here key={key} at={at} />;
		if (at) return <Lazy key={key} screen={screen} at={at} />;
	}
	return (
		<Page title="Nothing here">
			<Empty title="There is no such screen.">
				<p>
					<code>{here}</code> may be from another version. <a href={href("")}>Go to the overview</a>
				</p>
			</Empty>
		</Page>
	);
}

function Lazy({ screen, at }: { screen: Screen; at: Record<string, string> }) {
	const failed = useSignal(false);
	const again = useSignal(0);
	const Shown = again.value >= 0 && loaded.get(screen);
	useEffect(() => {
		if (Shown) return;
		load(screen).then(
			() => {
				again.value += 1;
			},
			() => {
				failed.value = true;
			},
		);
	}, [screen]);
	if (Shown) return <Shown at={at} />;
	return (
		<Page title={screen.title}>
			{failed.value ? (
				<Empty title="This part of the console could not be loaded.">
					<p>The service may have been updated meanwhile.</p>
					<button type="button" onClick={() => location.reload()}>
						Load the page again
					</button>
				</Empty>
			) : (
				<Skeleton lines={6} />
			)}
		</Page>
	);
}
